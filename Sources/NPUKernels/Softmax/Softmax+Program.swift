import NPUSim

// MARK: Schedule

extension Softmax {
  /// The micro-op program: rows split over the cores.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let x = try p.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    let out = try p.tensor("out", .bf16, rows: rows, columns: columns, role: .output)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let share = WorkSplit.range(rows, core: core, of: machine.cores)
      if share.isEmpty { continue }
      var stream = try SoftmaxCore(self, x: x, out: out, &p)
      stream.emit(rows: share, &p)
    }
  }

  /// Column tiles of a row.
  var columnTiles: Int { (columns + plan.tileColumns - 1) / plan.tileColumns }

  /// Columns of a column tile.
  func width(_ tile: Int) -> Int { min(plan.tileColumns, columns - tile * plan.tileColumns) }
}
