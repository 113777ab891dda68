/// A memory that a tile can lie in: HBM, shared by all cores, or one of a core's five memories.
public enum Space: UInt8, Sendable, CaseIterable, Hashable {
  case hbm
  /// Operand staging.
  case l1
  /// Left matrix operand (MXINT8).
  case left
  /// Right matrix operand (MXINT8).
  case right
  /// Accumulators (BF16 or FP32).
  case acc
  /// Vector buffer.
  case ub

  public static let count = 6

  @inlinable public var index: Int { Int(rawValue) }

  /// The name in text, JSON and reports.
  public var name: String {
    switch self {
    case .hbm: "hbm"
    case .l1: "l1"
    case .left: "left"
    case .right: "right"
    case .acc: "acc"
    case .ub: "ub"
    }
  }

  /// The memory of that name, or `nil`.
  public init?(name: String) {
    guard let match = Space.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// Whether E8M0 scale bytes of this memory live in a side array of their own (1/32 of its size,
  /// not counted in its capacity). In `ub` and HBM the scales are ordinary bytes.
  @inlinable public var hasScaleSideArray: Bool {
    self == .l1 || self == .left || self == .right
  }

  /// Whether every core has its own instance.
  @inlinable public var isOnChip: Bool { self != .hbm }
}

/// A memory space as a type, so that a tile of the wrong memory does not compile.
public protocol MemorySpace: Sendable {
  static var space: Space { get }
}

/// HBM as a type.
public enum HBM: MemorySpace { public static let space = Space.hbm }
/// `l1` as a type.
public enum L1: MemorySpace { public static let space = Space.l1 }
/// `left` as a type.
public enum Left: MemorySpace { public static let space = Space.left }
/// `right` as a type.
public enum Right: MemorySpace { public static let space = Space.right }
/// `acc` as a type.
public enum Acc: MemorySpace { public static let space = Space.acc }
/// `ub` as a type.
public enum UB: MemorySpace { public static let space = Space.ub }
