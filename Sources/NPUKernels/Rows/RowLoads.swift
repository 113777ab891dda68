import NPUSim

/// Brings the tiles of one or more tensors to `ub` in the order of their use, a ring ahead of it, so
/// that the in-order sequencer never stands before a load behind a full vector queue.
struct RowLoads {
  private let tensors: [BufferHandle<HBM>]
  private let places: [RowTile]
  private let ahead: Int
  private var rings: [Ring<UB>] = []
  /// One tile of each tensor, for the turns whose loads have been emitted.
  private var turns: [[Tile<UB>]] = []

  /// - Parameters:
  ///   - tensors: what is loaded, each to the ring of its name.
  ///   - places: the tile of each turn; the same for all tensors.
  ///   - held: earlier turns that are still in use when a turn is taken.
  init(
    _ tensors: [(name: String, tensor: BufferHandle<HBM>)], _ places: [RowTile],
    held: Int = 0, _ memory: PlacedBuffers
  ) throws(NPUError) {
    self.tensors = tensors.map(\.tensor)
    self.places = places
    for (name, _) in tensors { rings.append(try memory.ring(name, in: UB.self)) }
    ahead = max(1, (rings.map(\.buffer.slots).min() ?? 1) - held)
  }

  /// The tiles of turn `index`; loads of later turns are emitted as far as there are slots.
  mutating func turn(_ index: Int, _ p: inout ProgramBuilder) -> [Tile<UB>] {
    while turns.count < min(index + ahead, places.count) {
      let place = places[turns.count]
      var tiles: [Tile<UB>] = []
      for k in rings.indices {
        let tile = rings[k].next().tile(rows: place.rows.count, columns: place.columns.count)
        p.emit(LoadUB(tile, from: tensors[k].tile(place)))
        tiles.append(tile)
      }
      turns.append(tiles)
    }
    return turns[index]
  }
}

extension BufferHandle {
  /// The rectangle of a tile of rows.
  func tile(_ place: RowTile) -> Tile<S> {
    tile(
      row: place.rows.lowerBound, column: place.columns.lowerBound, rows: place.rows.count,
      columns: place.columns.count)
  }
}
