/// How far a text may expand. What goes beyond is refused, with category `.limit`.
public struct TextLimits: Sendable, Hashable {
  /// Most micro-ops over all cores.
  public var microOps: Int64
  /// Most passes of loops, together.
  public var passes: Int64

  /// As many micro-ops as the process has memory for, at most ``Program/microOpLimit``, and as many
  /// passes.
  public init(
    microOps: Int64 = Int64(Program.microOpLimit(in: .ofProcess())),
    passes: Int64 = Int64(Program.microOpLimit(in: .ofProcess()))
  ) {
    self.microOps = microOps
    self.passes = passes
  }
}
