import NPUSim

// MARK: Schedule

extension RMSNorm {
  /// The micro-op program: rows in contiguous ranges over the cores.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let tensors = try RMSNormTensors(self, &p)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let rowTiles = plan.rowTiles(
        rows: rows, columns: columns, core: core, of: machine.cores)
      guard !rowTiles.isEmpty else { continue }
      var stream = try RMSNormCore(self, tensors, &p)
      stream.emit(rowTiles, &p)
    }
  }
}

/// The HBM tensors and taps of the program.
struct RMSNormTensors {
  let x: BufferHandle<HBM>
  let weight: BufferHandle<HBM>
  let out: BufferHandle<HBM>
  let sums: Int
  let inverses: Int

  init(_ kernel: RMSNorm, _ p: inout ProgramBuilder) throws(NPUError) {
    let (rows, columns) = (kernel.rows, kernel.columns)
    x = try p.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    weight = try p.tensor("weight", .bf16, rows: 1, columns: columns, role: .input)
    out = try p.tensor("out", .bf16, rows: rows, columns: columns, role: .output)
    sums = try p.tapTensor("ss", .f32, rows: rows, columns: 1)
    inverses = try p.tapTensor("inv", .f32, rows: rows, columns: 1)
  }
}

/// Emits the row tiles of one core.
struct RMSNormCore {
  private let kernel: RMSNorm
  private let tensors: RMSNormTensors
  private var xRing: Ring<UB>
  private var weightRing: Ring<UB>
  private let squares: BufferHandle<UB>
  private let scaled: BufferHandle<UB>
  private var outRing: Ring<UB>
  private let partialRing: Ring<UB>
  private let sumRing: Ring<UB>
  private let inverseRing: Ring<UB>

  init(
    _ kernel: RMSNorm, _ tensors: RMSNormTensors, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.kernel = kernel
    self.tensors = tensors
    let memory = try p.allocate(kernel.buffers)
    xRing = try memory.ring("x", in: UB.self)
    weightRing = try memory.ring("weight", in: UB.self)
    squares = try memory.buffer("squares", in: UB.self)
    scaled = try memory.buffer("scaled", in: UB.self)
    outRing = try memory.ring("out", in: UB.self)
    partialRing = try memory.ring("partials", in: UB.self)
    sumRing = try memory.ring("ss", in: UB.self)
    inverseRing = try memory.ring("inv", in: UB.self)
  }

  /// Whole rows are loaded once, and so is the weight; longer ones once for their sum and once to be
  /// scaled, and the weight with them. A row tile is scaled while the next but one is summed, as they
  /// take the slots of x in turn; the root of the one between is taken meanwhile.
  mutating func emit(_ rowTiles: [[RowTile]], _ p: inout ProgramBuilder) {
    for turn in 0..<rowTiles.count + 2 {
      p.pushScope("rows", iteration: turn)
      if rowTiles.indices.contains(turn - 1) { invert(rowTiles[turn - 1][0].rows, turn - 1, &p) }
      for part in rowTiles[0].indices {
        if turn < rowTiles.count { addSquares(rowTiles[turn][part], turn, &p) }
        if turn >= 2 { scale(rowTiles[turn - 2][part], turn - 2, &p) }
      }
      p.popScope()
    }
  }

  /// Squares, and their sums by lanes.
  private mutating func addSquares(_ place: RowTile, _ turn: Int, _ p: inout ProgramBuilder) {
    let values = xRing.load(tensors.x.tile(place), &p)
    let isFirst = place.columns.lowerBound == 0
    let square = squares.tile(rows: values.rows, columns: values.columns)
    let lanes = isFirst ? min(kernel.machine.vector.lanes, values.columns) : nil
    let partials = partialRing[turn].tile(rows: values.rows, columns: lanes)
    p.emit(Elementwise<MulRule>(square, values, values))
    p.emit(RowSum(partials, square, start: isFirst))
  }

  /// One over the root of the mean square of each row.
  private func invert(_ rows: Range<Int>, _ turn: Int, _ p: inout ProgramBuilder) {
    let sum = sumRing[turn].tile(rows: rows.count)
    let inverse = inverseRing[turn].tile(rows: rows.count)
    p.emit(RowFinish(sum, partialRing[turn].tile(rows: rows.count)))
    p.tap(sum, tensor: tensors.sums, row: rows.lowerBound)
    p.emit(WithScalar<MulRule>(inverse, sum, FP32.div(1, Float(kernel.columns))))
    p.emit(WithScalar<AddRule>(inverse, inverse, kernel.epsilon))
    p.emit(Special<RsqrtRule>(inverse, inverse))
    p.tap(inverse, tensor: tensors.inverses, row: rows.lowerBound)
  }

  /// The weight is one row: a product for each row of the tile.
  private mutating func scale(_ place: RowTile, _ turn: Int, _ p: inout ProgramBuilder) {
    let columns = RowTile(rows: 0..<1, columns: place.columns)
    let isWhole = place.columns.count == kernel.columns
    let weight =
      isWhole && turn > 0
      ? weightRing[0].tile(as: columns) : weightRing.load(tensors.weight.tile(columns), &p)
    let values =
      isWhole ? xRing[turn].tile(as: place) : xRing.load(tensors.x.tile(place), &p)
    let product = scaled.tile(rows: values.rows, columns: values.columns)
    p.emit(
      RowBroadcast<MulRule>(product, values, inverseRing[turn].tile(rows: place.rows.count)))
    let out = outRing.next().tile(as: place)
    for row in 0..<place.rows.count {
      let line = row..<row + 1
      p.emit(Elementwise<MulRule>(out.rows(line), product.rows(line), weight))
    }
    p.emit(StoreHBM(tensors.out.tile(place), from: out))
  }
}
