/// What was found out about the last micro-op that a statement made. Where the next one has tiles of
/// the same buffers and extents, on the same bytes of their bursts, and the same immediates, its
/// access, legality and work are the same.
struct TextMemo {
  var isValid = false
  var record = OpRecord(opcode: 0, queue: .load)
  /// Words of immediates; 0 for tiles.
  var words = InlineArray<6, UInt32>(repeating: 0)
  var tiles = InlineArray<6, TileRef>(repeating: Tile<UB>.placeholder.ref)
  var phases = InlineArray<6, Int>(repeating: 0)
}

extension TileLayout {
  /// Where in a burst the payload and the scales of an HBM tile start: tiles of one buffer and extent
  /// that are alike in this touch as many bursts. 0 on chip, where it makes no difference.
  func burstPhase(_ tile: TileRef) -> Int {
    guard tile.space == .hbm, Int(tile.buffer) < buffers.count else { return 0 }
    let buffer = buffers[Int(tile.buffer)]
    let row = Int(tile.row)
    let column = Int(tile.column)
    let slot = Int(tile.slot)
    let payload =
      buffer.base &+ slot &* buffer.slotStride &+ row &* buffer.pitch
      &+ column &* tile.format.bytes
    guard tile.format == .mxint8 else { return payload % burst }
    let isAcross = tile.axis == .alongColumns
    let scales =
      buffer.scaleBase &+ slot &* buffer.scaleSlotStride
      &+ (isAcross ? row : row / 32) &* buffer.scalePitch &+ (isAcross ? column / 32 : column)
    return payload % burst &* burst &+ scales % burst
  }
}
