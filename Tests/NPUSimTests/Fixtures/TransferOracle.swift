import NPUSim

/// What a transfer takes of its queue, row by row, from the page of the machine alone.
enum TransferOracle {
  static func cycles(_ program: Program, _ record: OpRecord) -> Int {
    let machine = program.machine
    let work = program.works[Int(record.work)]
    guard let path = work.path else { return 1 }
    let port = machine[path]
    let operands = (0..<Int(record.operandCount)).filter { !record.access($0).isEmpty }
    let inHBM = operands.first { program.tiles[Int(record.words[$0])].space == .hbm }
    let counted = operands.first {
      record.access($0).contains(record.queue == .drain ? .write : .read)
    }
    guard let place = inHBM ?? counted else { return 1 }
    let tile = program.tiles[Int(record.words[place])]
    // In parts of a cycle that suit the rate.
    let unit = max(1, Int(port.rate.numerator))
    let step = port.rate.isUnlimited ? 0 : Int(port.rate.denominator)
    var parts = 0
    var bytes = 0
    for run in runs(program, tile) {
      let burst = tile.space == .hbm ? machine.hbm.burst : 1
      let size = ((run.upperBound + burst - 1) / burst - run.lowerBound / burst) * burst
      bytes += size
      parts += max(Int(port.rowCycles) * unit, size * step)
    }
    parts += (Int(work.portBytes) - bytes) * step
    return Int(port.issueCycles) + (parts + unit - 1) / unit
  }

  /// The bytes of a tile's rows, those of its scales behind them; rows that touch are one.
  private static func runs(_ program: Program, _ tile: TileRef) -> [Range<Int>] {
    let buffer = program.buffers[Int(tile.buffer)]
    var rows = Array(Int(tile.row)..<Int(tile.row + tile.rows))
    if tile.indexList != 0 {
      rows = rows.map { Int(program.indexLists[Int(tile.indexList) - 1][$0]) }
    }
    let size = tile.format.bytes
    var runs: [Range<Int>] = []
    func add(_ start: Int, _ bytes: Int, isFirst: Bool) {
      if bytes == 0 { return }
      if !isFirst, let last = runs.last, last.upperBound == start {
        runs[runs.count - 1] = last.lowerBound..<start + bytes
      } else {
        runs.append(start..<start + bytes)
      }
    }
    let payload = buffer.base + Int(tile.slot) * buffer.slotStride + Int(tile.column) * size
    for (k, row) in rows.enumerated() {
      add(payload + row * buffer.pitch, Int(tile.columns) * size, isFirst: k == 0)
    }
    guard tile.format == .mxint8 else { return runs }
    let scales = buffer.scaleBase + Int(tile.slot) * buffer.scaleSlotStride
    if tile.axis == .alongColumns {
      for (k, row) in rows.enumerated() {
        add(
          scales + row * buffer.scalePitch + Int(tile.column) / 32, (Int(tile.columns) + 31) / 32,
          isFirst: k == 0)
      }
    } else {
      for block in 0..<(Int(tile.rows) + 31) / 32 {
        add(
          scales + (Int(tile.row) / 32 + block) * buffer.scalePitch + Int(tile.column),
          Int(tile.columns), isFirst: block == 0)
      }
    }
    return runs
  }
}
