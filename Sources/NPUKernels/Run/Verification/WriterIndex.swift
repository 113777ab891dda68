import NPUSim

/// Finds the micro-op that wrote an element of a named tensor.
struct WriterIndex {
  private let program: Program

  init(_ program: Program) { self.program = program }

  /// The last micro-op whose tap or HBM tile covers the element (an element of the payload).
  func writer(of name: String, element: Int) -> Finding.Site? {
    let isScale = name.hasSuffix(".scale")
    let base = isScale ? String(name.dropLast(6)) : name
    if let tensor = program.tapTensors.firstIndex(where: { $0.name == base }) {
      let place = Self.place(element, program.tapTensors[tensor], isScale: isScale)
      for tap in program.taps.reversed() where tap.tensor == tensor {
        if tap.slot == place.slot, (tap.row..<tap.row + Int(tap.tile.rows)).contains(place.row),
          (tap.column..<tap.column + Int(tap.tile.columns)).contains(place.column)
        {
          return Finding.Site(core: tap.core, op: tap.op)
        }
      }
      return nil
    }
    guard
      let buffer = program.buffers.firstIndex(where: { $0.name == base && $0.space == .hbm })
    else { return nil }
    let place = Self.place(element, program.buffers[buffer], isScale: isScale)
    for core in program.cores.indices {
      for op in program.cores[core].indices.reversed() {
        let record = program.cores[core][op]
        for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
          let tile = program.tiles[Int(record.words[k])]
          if Int(tile.buffer) == buffer, tile.indexList == 0, Int(tile.slot) == place.slot,
            (Int(tile.row)..<Int(tile.row + tile.rows)).contains(place.row),
            (Int(tile.column)..<Int(tile.column + tile.columns)).contains(place.column)
          {
            return Finding.Site(core: core, op: op)
          }
        }
      }
    }
    return nil
  }

  /// Slot, row and column of an element; of the first element of its block for a scale.
  private static func place(_ element: Int, _ buffer: Buffer, isScale: Bool) -> (
    slot: Int, row: Int, column: Int
  ) {
    let isAcross = buffer.axis == .alongColumns
    let columns = max(1, isScale && isAcross ? (buffer.columns + 31) / 32 : buffer.columns)
    let rows = max(1, isScale && !isAcross ? (buffer.rows + 31) / 32 : buffer.rows)
    let row = element / columns % rows
    let column = element % columns
    return (
      element / columns / rows, isScale && !isAcross ? row * 32 : row,
      isScale && isAcross ? column * 32 : column
    )
  }
}
