import NPUSim

// MARK: Schedule

extension CacheStore {
  /// The micro-op program: tile by tile through `ub`; the rows that a block lacks are filled with zeros.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let x = try p.tensor(
      "x", .bf16, slots: slots, rows: rows, columns: columns, role: .input)
    let out = try p.tensor(
      "out", format, slots: slots, rows: outRows, columns: columns, axis: axis, role: .output)
    let places = RowTile.cut(
      rows: 0..<rows, columns: 0..<columns, tileRows: plan.tileRows,
      tileColumns: plan.tileColumns)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let share = WorkSplit.range(slots * places.count, core: core, of: machine.cores)
      guard !share.isEmpty else { continue }
      let memory = try p.allocate(buffers)
      var xRing = try memory.ring("x", in: UB.self)
      var outRing = format == .bf16 ? nil : try memory.ring("out", in: UB.self)
      for index in share {
        p.pushScope("tile", iteration: index)
        let (slot, place) = (index / places.count, places[index % places.count])
        let (count, width) = (place.rows.count, place.columns.count)
        let padded = fillsBlocks ? MXINT8.blocks(count) * MXINT8.blockSize : count
        let values = xRing.next().tile(rows: padded, columns: width)
        if padded > count { p.emit(Fill(values.rows(count..<padded), 0)) }
        p.emit(LoadUB(values.rows(0..<count), from: x.tile(place, slot: slot)))
        var result = values
        if let encoded = outRing?.next() {
          result = encoded.tile(rows: padded, columns: width)
          p.emit(EncodeMX(result, values))
        }
        p.emit(
          StoreHBM(
            out.tile(
              slot: slot, row: place.rows.lowerBound, column: place.columns.lowerBound,
              rows: padded, columns: width), from: result))
        p.popScope()
      }
    }
  }
}
