import NPUSim

extension Tile {
  /// Some rows of the tile.
  func rows(_ range: Range<Int>) -> Tile {
    var part = ref
    part.row += Int32(clamping: range.lowerBound)
    part.rows = Int32(clamping: range.count)
    return Tile(part)
  }

  /// Some columns of the tile.
  func columns(_ range: Range<Int>) -> Tile {
    var part = ref
    part.column += Int32(clamping: range.lowerBound)
    part.columns = Int32(clamping: range.count)
    return Tile(part)
  }
}
