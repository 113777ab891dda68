/// A way that bytes move between two memories; each has a port rate and a latency.
public enum TransferPath: UInt8, Sendable, CaseIterable, Hashable {
  case hbmToL1, hbmToUB, l1ToLeft, l1ToRight, accToUB, accToHBM, ubToHBM, ubToL1, accToL1

  /// Number of paths.
  public static let count = 9

  @inlinable public var index: Int { Int(rawValue) }

  /// The key in a machine configuration.
  public var key: String {
    switch self {
    case .hbmToL1: "hbm_to_l1"
    case .hbmToUB: "hbm_to_ub"
    case .l1ToLeft: "l1_to_left"
    case .l1ToRight: "l1_to_right"
    case .accToUB: "acc_to_ub"
    case .accToHBM: "acc_to_hbm"
    case .ubToHBM: "ub_to_hbm"
    case .ubToL1: "ub_to_l1"
    case .accToL1: "acc_to_l1"
    }
  }

  /// The queue that owns the port.
  public var queue: Queue {
    switch self {
    case .hbmToL1, .hbmToUB: .load
    case .l1ToLeft, .l1ToRight: .feed
    case .accToUB, .accToHBM, .accToL1: .drain
    case .ubToHBM, .ubToL1: .store
    }
  }

  /// Whether there are machines without it.
  public var isOptional: Bool { self == .accToL1 }

  /// The memories at its ends.
  public var ends: (source: Space, destination: Space) {
    switch self {
    case .hbmToL1: (.hbm, .l1)
    case .hbmToUB: (.hbm, .ub)
    case .l1ToLeft: (.l1, .left)
    case .l1ToRight: (.l1, .right)
    case .accToUB: (.acc, .ub)
    case .accToHBM: (.acc, .hbm)
    case .ubToHBM: (.ub, .hbm)
    case .ubToL1: (.ub, .l1)
    case .accToL1: (.acc, .l1)
    }
  }

  /// Whether bytes leave HBM.
  public var readsHBM: Bool { ends.source == .hbm }

  /// Whether bytes arrive in HBM.
  public var writesHBM: Bool { ends.destination == .hbm }
}
