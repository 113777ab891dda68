import NPUSim

// MARK: Schedule

extension ResidualAdd {
  /// The micro-op program: tile by tile through `ub`.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let x = try p.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    let residual = try p.tensor("residual", .bf16, rows: rows, columns: columns, role: .input)
    let out = try p.tensor("out", .bf16, rows: rows, columns: columns, role: .output)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let tiles = plan.tiles(rows: rows, columns: columns, core: core, of: machine.cores)
      guard !tiles.isEmpty else { continue }
      let memory = try p.allocate(buffers)
      var xRing = try memory.ring("x", in: UB.self)
      var residualRing = try memory.ring("residual", in: UB.self)
      let outRing = try memory.ring("out", in: UB.self)
      for (index, place) in tiles.enumerated() {
        p.pushScope("tile", iteration: index)
        let sum = outRing[index].tile(as: place)
        p.emit(
          Elementwise<AddRule>(
            sum, xRing.load(x.tile(place), &p), residualRing.load(residual.tile(place), &p)))
        p.emit(StoreHBM(out.tile(place), from: sum))
        p.popScope()
      }
    }
  }
}
