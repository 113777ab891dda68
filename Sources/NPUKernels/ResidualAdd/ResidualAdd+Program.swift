import NPUSim

// MARK: Schedule

extension ResidualAdd {
  /// The micro-op program: tiles stream through `ub`, loads a ring ahead, stores behind.
  public func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    let residual = try p.tensor("residual", .bf16, rows: rows, columns: columns, role: .input)
    let out = try p.tensor("out", .bf16, rows: rows, columns: columns, role: .output)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let tiles = plan.tiles(rows: rows, columns: columns, core: core, of: machine.cores)
      guard !tiles.isEmpty else { continue }
      let memory = try p.allocate(buffers)
      var loads = try RowLoads([("x", x), ("residual", residual)], tiles, memory)
      var sums = try memory.ring("out", in: UB.self)
      for (index, place) in tiles.enumerated() {
        p.pushScope("tile", iteration: index)
        let addends = loads.turn(index, &p)
        let sum = sums.next().tile(rows: place.rows.count, columns: place.columns.count)
        p.emit(Elementwise<AddRule>(sum, addends[0], addends[1]))
        p.emit(StoreHBM(out.tile(place), from: sum))
        p.popScope()
      }
    }
    return p.sequential()
  }
}
