/// Whether two micro-ops share a byte that one of them writes, decided on tiles.
struct ConflictTest {
  private let layout: TileLayout
  private let tiles: [TileRef]
  /// Whether a buffer shares its bytes with no other one.
  private let isAlone: [Bool]

  init(layout: TileLayout, tiles: [TileRef]) {
    self.layout = layout
    self.tiles = tiles
    isAlone = Self.lonely(layout.buffers)
  }

  /// Sweeps the on-chip buffers of each memory in the order of their addresses: only buffers that
  /// someone placed by hand meet.
  private static func lonely(_ buffers: [Buffer]) -> [Bool] {
    var result = [Bool](repeating: true, count: buffers.count)
    let places = buffers.indices.filter { buffers[$0].space.isOnChip }.sorted { a, b in
      let (x, y) = (buffers[a], buffers[b])
      return (x.core, x.space.index, extent(x).lowerBound)
        < (y.core, y.space.index, extent(y).lowerBound)
    }
    var furthest: Int?
    for index in places {
      let buffer = buffers[index]
      guard let last = furthest, buffers[last].core == buffer.core,
        buffers[last].space == buffer.space
      else {
        furthest = index
        continue
      }
      let end = extent(buffers[last]).upperBound
      if end > extent(buffer).lowerBound {
        result[last] = false
        result[index] = false
      }
      if extent(buffer).upperBound > end { furthest = index }
    }
    return result
  }

  /// The bytes of a buffer in its memory, scales included where they lie there.
  private static func extent(_ buffer: Buffer) -> Range<Int> {
    let payload = buffer.base..<(buffer.base + buffer.payloadExtent)
    guard buffer.format == .mxint8, !buffer.space.hasScaleSideArray else { return payload }
    let end = buffer.scaleBase + buffer.scaleExtent
    return min(buffer.base, buffer.scaleBase)..<max(payload.upperBound, end)
  }

  /// Whether the later of two micro-ops has to wait for the earlier one, whichever is which.
  func isConflict(_ a: OpRecord, _ b: OpRecord) -> Bool {
    for i in 0..<Int(a.operandCount) where !a.access(i).isEmpty {
      for k in 0..<Int(b.operandCount) where !b.access(k).isEmpty {
        guard a.access(i).contains(.write) || b.access(k).contains(.write) else { continue }
        if overlap(
          a.words[i], a.access(i).contains(.zeroFill), b.words[k],
          b.access(k).contains(.zeroFill))
        {
          return true
        }
      }
    }
    return false
  }

  private func overlap(_ a: UInt32, _ aFilled: Bool, _ b: UInt32, _ bFilled: Bool) -> Bool {
    let x = tiles[Int(a)]
    let y = tiles[Int(b)]
    guard x.space == y.space else { return false }
    let isSame = x.buffer == y.buffer
    let bound = layout.buffers.count
    guard Int(x.buffer) < bound, Int(y.buffer) < bound else { return true }
    if !isSame && (x.space == .hbm || isAlone[Int(x.buffer)] || isAlone[Int(y.buffer)]) {
      return false
    }
    if isSame && x.indexList == 0 && y.indexList == 0 {
      return x.slot == y.slot && meets(x.row, x.rows, y.row, y.rows, x.isBlocked(.alongRows))
        && meets(x.column, x.columns, y.column, y.columns, x.isBlocked(.alongColumns))
    }
    guard layout.contains(x), layout.contains(y) else { return true }
    return layout.overlap(x, padded: aFilled, y, padded: bFilled)
  }

  /// Whether two ranges meet; along the blocks of MXINT8 in whole blocks, as they share a scale.
  private func meets(
    _ a: Int32, _ aCount: Int32, _ b: Int32, _ bCount: Int32, _ inBlocks: Bool
  ) -> Bool {
    guard aCount > 0, bCount > 0 else { return false }
    if inBlocks {
      return a / 32 <= (b + bCount - 1) / 32 && b / 32 <= (a + aCount - 1) / 32
    }
    return a < b + bCount && b < a + aCount
  }
}

extension TileRef {
  /// Whether its MXINT8 blocks run along an axis.
  fileprivate func isBlocked(_ along: BlockAxis) -> Bool { format == .mxint8 && axis == along }
}
