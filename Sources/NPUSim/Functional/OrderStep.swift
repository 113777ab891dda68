/// One half of a micro-op in an explicit order of execution.
///
/// A micro-op reads all its sources at its read step and writes all its results at its write step.
public struct OrderStep: Sendable, Hashable {
  /// Which half it is.
  public enum Kind: UInt8, Sendable, Hashable {
    /// Results reach memory.
    case write
    /// Sources are read and results computed.
    case read
  }

  public var core: UInt32
  /// Index in the core's list.
  public var op: UInt32
  public var kind: Kind

  public init(core: Int, op: Int, kind: Kind) {
    self.core = UInt32(truncatingIfNeeded: core)
    self.op = UInt32(truncatingIfNeeded: op)
    self.kind = kind
  }
}
