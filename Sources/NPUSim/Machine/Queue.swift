/// One of the six in-order queues of a core.
///
/// The raw value is the index used by every table in the simulator and the tie-break order of the
/// HBM server.
public enum Queue: UInt8, Sendable, CaseIterable, Hashable {
  /// HBM to `l1` or `ub` (DaVinci MTE2).
  case load
  /// `l1` to `left` or `right` (DaVinci MTE1).
  case feed
  /// The matrix unit (DaVinci cube).
  case matrix
  /// `acc` to `ub` or HBM (DaVinci FIXP).
  case drain
  /// The vector unit.
  case vector
  /// `ub` to HBM or `l1` (DaVinci MTE3).
  case store

  /// Number of queues in a core.
  public static let count = 6

  /// Position in every per-queue table.
  @inlinable public var index: Int { Int(rawValue) }

  /// Whether it moves bytes through a port; otherwise it has a unit that computes.
  var hasPort: Bool { self != .matrix && self != .vector }

  /// The name in text, JSON and reports.
  public var name: String {
    switch self {
    case .load: "load"
    case .feed: "feed"
    case .matrix: "matrix"
    case .drain: "drain"
    case .vector: "vector"
    case .store: "store"
    }
  }

  /// The queue of that name, or `nil`.
  public init?(name: String) {
    guard let match = Queue.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
}
