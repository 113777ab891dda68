/// How far a text may expand. What goes beyond is refused, with category `.limit`.
public struct TextLimits: Sendable, Hashable {
  /// Most micro-ops over all cores.
  public var microOps: Int64
  /// Most passes of loops, together.
  public var passes: Int64

  /// ``Program/microOpLimit`` micro-ops, and as many passes.
  public init(
    microOps: Int64 = Int64(Program.microOpLimit), passes: Int64 = Int64(Program.microOpLimit)
  ) {
    self.microOps = microOps
    self.passes = passes
  }
}
