import NPUSim

// MARK: Schedule

extension Argmax {
  /// The micro-op program: rows in contiguous ranges over the cores; a row's tiles follow each other,
  /// each going on from the place and the maximum of the one before.
  public func program(_ indices: IndexTensors) throws(NPUError) -> Program {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    let index = try p.tensor("index", .i32, rows: rows, columns: 1, role: .output)
    let maximum = try p.tapTensor("maximum", .f32, rows: rows, columns: 1)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let rowTiles = plan.rowTiles(
        rows: rows, columns: columns, core: core, of: machine.cores)
      guard !rowTiles.isEmpty else { continue }
      let memory = try p.allocate(buffers)
      var loads = try RowLoads([("x", x)], rowTiles.flatMap { $0 }, memory)
      var places = try memory.ring("index", in: UB.self)
      var maxima = try memory.ring("maximum", in: UB.self)
      var turn = 0
      for (number, parts) in rowTiles.enumerated() {
        p.pushScope("rows", iteration: number)
        let place = places.acquire()
        let best = maxima.acquire()
        let rows = parts[0].rows
        let found = place.tile(rows: rows.count)
        for part in parts {
          let load = loads.turn(turn, &p)
          let isFirst = part.columns.lowerBound == 0
          let taken = p.emit(
            ArgMax(
              found, best.tile(rows: rows.count), load.tiles[0],
              base: Int32(truncatingIfNeeded: part.columns.lowerBound), start: isFirst),
            after: load.ready + (isFirst ? place.free : []))
          loads.release(turn, after: taken)
          turn += 1
          guard part.columns.upperBound == columns else { continue }
          p.tap(
            best.tile(rows: rows.count), after: taken, tensor: maximum, row: rows.lowerBound)
          let stored = p.emit(
            StoreHBM(index.tile(row: rows.lowerBound, rows: rows.count), from: found),
            after: taken)
          places.release(place, after: stored)
        }
        p.popScope()
      }
    }
    return p.build()
  }
}
