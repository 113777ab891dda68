import NPUSim

// MARK: Schedule

extension GemmProblem {
  /// The micro-op program: output tiles split over the cores, which meet before where each encodes some
  /// rows for all.
  func emit(into p: inout ProgramBuilder) throws(NPUError) {
    let tensors = try GemmTensors(self, &p)
    let cores = machine.cores
    for core in 0..<cores {
      p.begin(core: core)
      let areas = areas(core: core)
      let encoded = plan.isAhead ? WorkSplit.range(m, core: core, of: cores) : 0..<0
      // A core without work still meets the others.
      let meets = plan.isAhead && cores > 1
      if areas.isEmpty && encoded.isEmpty && !meets { continue }
      var stream = try GemmCore(self, tensors: tensors, &p)
      stream.encodeAhead(encoded, &p)
      if meets { p.emit(ChipBarrier()) }
      for area in areas { stream.emit(area, &p) }
    }
  }

  /// The same in a builder of its own.
  func sequence() throws(NPUError) -> SequentialProgram {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    try emit(into: &p)
    return p.sequential()
  }

  /// The rectangles of the output that a core makes: row tiles, then column tiles, in contiguous
  /// ranges.
  private func areas(core: Int) -> [GemmArea] {
    let mTiles = GemmCostModel.tiles(m, plan.tileM)
    let nTiles = GemmCostModel.tiles(n, plan.tileN)
    let cores = machine.cores
    if mTiles >= cores || nTiles == 1 {
      let tiles = WorkSplit.range(mTiles, core: core, of: cores)
      if tiles.isEmpty { return [] }
      return [GemmArea(rows: extent(tiles, plan.tileM, m), columns: 0..<n)]
    }
    let items = WorkSplit.range(mTiles * nTiles, core: core, of: cores)
    var areas: [GemmArea] = []
    var item = items.lowerBound
    while item < items.upperBound {
      let row = item / nTiles
      let end = min(items.upperBound, (row + 1) * nTiles)
      areas.append(
        GemmArea(
          rows: extent(row..<row + 1, plan.tileM, m),
          columns: extent(item - row * nTiles..<end - row * nTiles, plan.tileN, n)))
      item = end
    }
    return areas
  }

  private func extent(_ tiles: Range<Int>, _ size: Int, _ total: Int) -> Range<Int> {
    tiles.lowerBound * size..<min(total, tiles.upperBound * size)
  }
}

/// A rectangle of the output.
struct GemmArea {
  var rows: Range<Int>
  var columns: Range<Int>
}

/// The HBM tensors of the program, in the shape in which tiles are cut from them.
struct GemmTensors {
  /// `m × k`, blocks along columns.
  let input: BufferHandle<HBM>
  /// `k × n`, blocks along rows, or `n × k`, blocks along columns.
  let other: BufferHandle<HBM>
  /// `m × n`, or `n × 1` where the accumulators hold a column.
  let output: BufferHandle<HBM>
  /// The first operand in MXINT8, where it is encoded ahead.
  let encoded: BufferHandle<HBM>?
  /// What the product meets, and where that is tapped; both as the output.
  let partner: (tensor: BufferHandle<HBM>, product: Int)?

  init(_ problem: GemmProblem, _ p: inout ProgramBuilder) throws(NPUError) {
    let interface = problem.interface
    input = try p.tensor(
      interface.input.name, problem.form.input, rows: problem.m, columns: problem.k, role: .input)
    let isDeep = problem.form.isDeep(.other)
    other = try p.tensor(
      interface.other.name, problem.form.other, rows: isDeep ? problem.k : problem.n,
      columns: isDeep ? problem.n : problem.k,
      axis: isDeep && !problem.form.encodes(.other) ? .alongRows : .alongColumns, role: .input)
    encoded = try GemmAhead.tensor(problem, &p)
    let isColumn = problem.plan.isTransposed
    let (rows, columns) = isColumn ? (problem.n, 1) : (problem.m, problem.n)
    if let partner = problem.form.partner {
      self.partner = (
        tensor: try p.tensor(
          partner.rawValue, .bf16, rows: rows, columns: columns, role: .input),
        product: try p.tapTensor(
          GemmProblem.productName, problem.form.result, rows: rows, columns: columns)
      )
    } else {
      partner = nil
    }
    output = try p.tensor(
      interface.output.name, problem.form.result, rows: rows, columns: columns, role: .output)
  }
}
