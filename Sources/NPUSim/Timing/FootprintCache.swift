/// The bytes of tiles, worked out when an interlock first asks for them and kept.
///
/// Only tiles that share a memory with an unfinished write are ever asked for.
struct FootprintCache {
  private let layout: TileLayout
  private let tiles: UnsafeBufferPointer<TileRef>
  /// For each tile, read and padded: 1 + its position in ``extents``; 0 is not known yet.
  private var known: [UInt32]
  /// First region and one past the last.
  private var extents: [(first: Int, end: Int)] = []
  private var regions: [Region] = []

  init(layout: TileLayout, tiles: UnsafeBufferPointer<TileRef>) {
    self.layout = layout
    self.tiles = tiles
    known = []
  }

  /// The memory of a tile.
  @inline(__always) func space(_ tile: UInt32) -> Space { tiles[Int(tile)].space }

  /// Whether two tiles of one memory share a byte; `padded` fills up the last block.
  @inline(never)
  mutating func overlap(
    _ a: UInt32, padded aPadded: Bool, _ b: UInt32, padded bPadded: Bool
  ) -> Bool {
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
