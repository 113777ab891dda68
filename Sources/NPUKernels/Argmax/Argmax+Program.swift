import NPUSim

// MARK: Schedule

extension Argmax {
  /// The micro-op program: rows in contiguous ranges over the cores; a row's tiles follow each other,
  /// each going on from the place and the maximum of the one before.
  public func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram {
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
        let rows = parts[0].rows
        let found = places.next().tile(rows: rows.count)
        let best = maxima.next().tile(rows: rows.count)
        for part in parts {
          let values = loads.turn(turn, &p)[0]
          turn += 1
          let base = Int32(truncatingIfNeeded: part.columns.lowerBound)
          p.emit(ArgMax(found, best, values, base: base, start: base == 0))
        }
        p.tap(best, tensor: maximum, row: rows.lowerBound)
        p.emit(StoreHBM(index.tile(row: rows.lowerBound, rows: rows.count), from: found))
        p.popScope()
      }
    }
    return p.sequential()
  }
}
