import NPUSim

// MARK: Schedule

extension Argmax {
  /// The micro-op program: rows in contiguous ranges over the cores; a row's tiles follow each other,
  /// each going on from the place and the maximum of the one before.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let x = try p.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    let index = try p.tensor("index", .i32, rows: rows, columns: 1, role: .output)
    let maximum = try p.tapTensor("maximum", .f32, rows: rows, columns: 1)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let rowTiles = plan.rowTiles(
        rows: rows, columns: columns, core: core, of: machine.cores)
      guard !rowTiles.isEmpty else { continue }
      let memory = try p.allocate(buffers)
      var xRing = try memory.ring("x", in: UB.self)
      let indexRing = try memory.ring("index", in: UB.self)
      let maximumRing = try memory.ring("maximum", in: UB.self)
      for (number, parts) in rowTiles.enumerated() {
        p.pushScope("rows", iteration: number)
        let rows = parts[0].rows
        let found = indexRing[number].tile(rows: rows.count)
        let best = maximumRing[number].tile(rows: rows.count)
        for part in parts {
          let values = xRing.load(x.tile(part), &p)
          let base = Int32(truncatingIfNeeded: part.columns.lowerBound)
          p.emit(ArgMax(found, best, values, base: base, start: base == 0))
        }
        p.tap(best, tensor: maximum, row: rows.lowerBound)
        p.emit(StoreHBM(index.tile(row: rows.lowerBound, rows: rows.count), from: found))
        p.popScope()
      }
    }
  }
}
