/// The numbers of distinct tiles: a hash table without references, as every operand of every micro-op
/// passes through it.
struct TileTable: Sendable {
  /// Open addressing: 0 is free, otherwise 1 + the tile's number.
  private var slots = [UInt32](repeating: 0, count: 64)

  /// The number of a tile in `tiles`, to which it is appended if it is new.
  mutating func id(of tile: TileRef, in tiles: inout [TileRef]) -> (id: UInt32, isNew: Bool) {
    let mask = slots.count - 1
    var place = Self.hash(tile) & mask
    while slots[place] != 0 {
      let known = slots[place] - 1
      if tiles[Int(known)] == tile { return (known, false) }
      place = (place + 1) & mask
    }
    let id = UInt32(tiles.count)
    tiles.append(tile)
    slots[place] = id + 1
    if tiles.count * 2 > slots.count { grow(tiles) }
    return (id, true)
  }

  private mutating func grow(_ tiles: [TileRef]) {
    var larger = [UInt32](repeating: 0, count: slots.count * 2)
    let mask = larger.count - 1
    for (id, tile) in tiles.enumerated() {
      var place = Self.hash(tile) & mask
      while larger[place] != 0 { place = (place + 1) & mask }
      larger[place] = UInt32(id + 1)
    }
    slots = larger
  }

  private static func hash(_ tile: TileRef) -> Int {
    func word(_ high: Int32, _ low: Int32) -> UInt64 {
      UInt64(UInt32(bitPattern: high)) << 32 | UInt64(UInt32(bitPattern: low))
    }
    var hash = word(Int32(bitPattern: tile.buffer), tile.slot) &* 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 29) ^ word(tile.row, tile.column)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 31) ^ word(tile.rows, tile.columns)) &* 0x94D0_49BB_1331_11EB
    hash ^= UInt64(tile.indexList) << 20 ^ UInt64(tile.format.rawValue)
    return Int(truncatingIfNeeded: hash ^ (hash >> 32))
  }
}
