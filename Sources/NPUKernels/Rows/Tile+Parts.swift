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

extension BufferHandle {
  /// The rectangle at a place of a slot.
  func tile(_ place: RowTile, slot: Int = 0) -> Tile<S> {
    tile(
      slot: slot, row: place.rows.lowerBound, column: place.columns.lowerBound,
      rows: place.rows.count, columns: place.columns.count)
  }
}

extension Ring.Slot {
  /// The rectangle at a place of the slot.
  func tile(_ place: RowTile) -> Tile<S> {
    tile(
      row: place.rows.lowerBound, column: place.columns.lowerBound, rows: place.rows.count,
      columns: place.columns.count)
  }

  /// The first rows and columns of the slot, as many as a place has.
  func tile(as place: RowTile) -> Tile<S> {
    tile(rows: place.rows.count, columns: place.columns.count)
  }
}

extension Ring<UB> {
  /// Loads a tile to the next slot.
  mutating func load(_ source: Tile<HBM>, _ p: inout ProgramBuilder) -> Tile<UB> {
    let tile = next().tile(rows: source.rows, columns: source.columns)
    p.emit(LoadUB(tile, from: source))
    return tile
  }
}

extension ProgramBuilder {
  /// Taps a tile of the last micro-op to a place of an intermediate.
  mutating func tap<S: MemorySpace>(_ tile: Tile<S>, tensor: Int, _ place: RowTile) {
    tap(tile, tensor: tensor, row: place.rows.lowerBound, column: place.columns.lowerBound)
  }
}
