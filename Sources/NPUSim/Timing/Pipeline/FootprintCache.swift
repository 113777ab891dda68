/// Tells which tiles share bytes: from their rectangles, and where these do not say it from the
/// bytes, worked out when an interlock first asks for them and kept.
struct FootprintCache {
  private let layout: TileLayout
  private let tiles: UnsafeBufferPointer<TileRef>
  private let overlaps: TileOverlap
  /// For each tile, read and padded: 1 + its position in ``extents``; 0 is not known yet.
  private var known: [UInt32]
  /// First region and one past the last.
  private var extents: [(first: Int, end: Int)] = []
  private var regions: [Region] = []

  init(layout: TileLayout, tiles: UnsafeBufferPointer<TileRef>) {
    self.layout = layout
    self.tiles = tiles
    overlaps = TileOverlap(layout.buffers)
    known = []
  }

  /// Whether two tiles share a byte; `padded` fills up the last block.
  @inline(__always)
  mutating func overlap(
    _ a: UInt32, padded aPadded: Bool, _ b: UInt32, padded bPadded: Bool
  ) -> Bool {
    if !overlaps.hasSharedBytes, tiles[Int(a)].buffer != tiles[Int(b)].buffer { return false }
    if a == b, tiles[Int(a)].indexList == 0 {
      return tiles[Int(a)].rows > 0 && tiles[Int(a)].columns > 0
    }
    return switch overlaps.judge(tiles[Int(a)], tiles[Int(b)]) {
    case .apart: false
    case .shared: true
    case .unknown: shareBytes(a, padded: aPadded, b, padded: bPadded)
    }
  }

  @inline(never)
  private mutating func shareBytes(
    _ a: UInt32, padded aPadded: Bool, _ b: UInt32, padded bPadded: Bool
  ) -> Bool {
    if tiles[Int(a)].space != tiles[Int(b)].space { return false }
    let first = footprint(a, padded: aPadded)
    let second = footprint(b, padded: bPadded)
    for i in first.first..<first.end {
      for j in second.first..<second.end where regions[i].overlaps(regions[j]) { return true }
    }
    return false
  }

  private mutating func footprint(_ tile: UInt32, padded: Bool) -> (first: Int, end: Int) {
    if known.isEmpty { known = [UInt32](repeating: 0, count: 2 * tiles.count) }
    let key = 2 * Int(tile) + (padded ? 1 : 0)
    if known[key] == 0 {
      let first = regions.count
      regions += layout.regions(tiles[Int(tile)], padded: padded)
      extents.append((first, regions.count))
      known[key] = UInt32(extents.count)
    }
    return extents[Int(known[key]) - 1]
  }
}
