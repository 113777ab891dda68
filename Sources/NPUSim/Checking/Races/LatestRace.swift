/// A race of a micro-op with the latest one that it races with.
struct LatestRace {
  /// The other micro-op, as far as the walk knows it.
  enum Partner {
    /// By its place in a queue of the same core.
    case queue(Int, position: Int)
    case core(Int, op: Int)
    /// On any other core, between the same barriers over the cores: one that touches the tile's bytes.
    case anyCore(tile: UInt32, phase: Int, isWrite: Bool)
  }

  var core: Int
  var op: Int
  /// As the one that executed first is read: that is the partner.
  var code: FindingCode
  var partner: Partner
}
