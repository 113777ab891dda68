/// How far a text may expand. What goes beyond is refused, with category `.limit`.
public struct TextLimits: Sendable, Hashable {
  /// Most micro-ops over all cores.
  public var microOps: Int64
  /// Most passes of loops, together.
  public var passes: Int64

  /// 2^24 micro-ops, a gigabyte with everything that belongs to them, and as many passes.
  public init(microOps: Int64 = 1 << 24, passes: Int64 = 1 << 24) {
    self.microOps = microOps
    self.passes = passes
  }
}
