/// Where a tile lies in its slot, for comparing many: a rectangle around its rows and columns.
struct TileRect {
  /// The group of its buffer, and its slot.
  var group: Int
  var slot: Int32
  var rows: Range<Int32>
  var columns: Range<Int32>
  /// Whether the rectangle holds more than the tile does: the rows of an index list.
  var isAround: Bool

  /// - Parameter isFilled: whether the last 32-block is filled up.
  init(_ tile: TileRef, isFilled: Bool, group: Int, _ layout: TileLayout) {
    self.group = group
    slot = tile.slot
    isAround = tile.indexList != 0
    var (firstRow, endRow) = (tile.row, tile.row &+ tile.rows)
    if isAround {
      (firstRow, endRow) = (0, .max)
      if layout.contains(tile) {
        let list = layout.indexLists[Int(tile.indexList) - 1]
        let own = list[Int(tile.row)..<Int(tile.row) + Int(tile.rows)]
        firstRow = own.min() ?? 0
        endRow = (own.max() ?? 0) + 1
      }
    }
    var endColumn = tile.column &+ tile.columns
    if tile.format == .mxint8 {
      // Tiles that share a block share its scale, whichever of its elements they have.
      switch tile.axis {
      case .alongRows:
        if isFilled { endRow = Self.blockEnd(endRow, from: firstRow) }
      case .alongColumns:
        if isFilled { endColumn = Self.blockEnd(endColumn, from: tile.column) }
      }
    }
    rows = min(firstRow, endRow)..<endRow
    columns = min(tile.column, endColumn)..<endColumn
  }

  private static func blockEnd(_ end: Int32, from first: Int32) -> Int32 {
    let (rounded, overflow) = end.addingReportingOverflow((first &- end) & 31)
    return overflow ? .max : rounded
  }

  /// Whether every byte of another tile of the same buffer, format and block axis belongs to this one.
  func covers(_ other: TileRect) -> Bool {
    !isAround && !other.isAround && slot == other.slot
      && rows.lowerBound <= other.rows.lowerBound && other.rows.upperBound <= rows.upperBound
      && columns.lowerBound <= other.columns.lowerBound
      && other.columns.upperBound <= columns.upperBound
  }
}
