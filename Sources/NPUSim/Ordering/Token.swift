/// The promise that a micro-op's results are visible: what a later micro-op names in `after:`.
public struct Token: Sendable, Hashable {
  /// The core whose program the micro-op belongs to.
  let core: UInt32
  /// Position of the micro-op among those emitted on the core, before lowering.
  let op: UInt32
}
