import NPUSim

/// Brings the tiles of one or more tensors to `ub` in the order of their use, a ring ahead of it, so
/// that the in-order sequencer never stands before a load behind a full vector queue.
struct RowLoads {
  /// One tile of each tensor.
  struct Turn {
    var tiles: [Tile<UB>]
    /// When all of them are there.
    var ready: [Token]
    fileprivate var slots: [Ring<UB>.Slot]
  }

  private let tensors: [BufferHandle<HBM>]
  private let places: [RowTile]
  private let ahead: Int
  private var rings: [Ring<UB>] = []
  private var turns: [Turn] = []

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

  /// The tiles of turn `index`; loads of later turns are emitted as far as there are free slots.
  ///
  /// All earlier turns but those that are held must have been released.
  mutating func turn(_ index: Int, _ p: inout ProgramBuilder) -> Turn {
    while turns.count < min(index + ahead, places.count) {
      let place = places[turns.count]
      var turn = Turn(tiles: [], ready: [], slots: [])
      for k in rings.indices {
        let slot = rings[k].acquire()
        let tile = slot.tile(rows: place.rows.count, columns: place.columns.count)
        let loaded = p.emit(
          LoadUB(tile, from: tensors[k].tile(place)), after: slot.free)
        turn.tiles.append(tile)
        turn.ready.append(loaded)
        turn.slots.append(slot)
      }
      turns.append(turn)
    }
    return turns[index]
  }

  /// Frees the slots of a turn once the micro-op of `token` has read them.
  mutating func release(_ index: Int, after token: Token) {
    for k in rings.indices { rings[k].release(turns[index].slots[k], after: token) }
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
