import NPUSim

/// Emits the matmuls of one core.
struct GemmCore {
  private let problem: GemmProblem
  private let plan: GemmSchedule
  private let tensors: GemmTensors
  private var ahead: GemmAhead?
  private var input: GemmStaging
  private var other: GemmStaging
  private var leftRing: Ring<Left>
  private var rightRing: Ring<Right>
  private var accRing: Ring<Acc>
  /// Pieces of the product and of what it meets.
  private var partnerRings: (product: Ring<UB>, partner: Ring<UB>)?
  private var steps = 0

  /// Chunks of some lines that are in `l1`, by where they begin along k.
  private typealias Chunks = [Int: GemmStaging.Chunk]

  init(
    _ problem: GemmProblem, tensors: GemmTensors, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.problem = problem
    self.tensors = tensors
    plan = problem.plan
    let memory = try p.allocate(problem.buffers)
    if let encoded = tensors.encoded {
      ahead = try GemmAhead(problem.model, source: tensors.input, encoded: encoded, memory)
    }
    input = try GemmStaging(
      .input, problem.model, problem.plan, tensor: tensors.input, ahead: ahead, memory)
    other = try GemmStaging(.other, problem.model, problem.plan, tensor: tensors.other, memory)
    leftRing = try memory.ring("left", in: Left.self)
    rightRing = try memory.ring("right", in: Right.self)
    accRing = try memory.ring("acc", in: Acc.self)
    guard let partner = problem.form.partner else { return }
    partnerRings = (
      try memory.ring(GemmProblem.productName, in: UB.self),
      try memory.ring(partner.rawValue, in: UB.self)
    )
  }

  /// Encodes some rows of the first operand, where that is done ahead.
  mutating func encodeAhead(_ rows: Range<Int>, _ p: inout ProgramBuilder) {
    ahead?.encode(rows, &p)
  }

  /// Groups of tiles of the kept operand, under which those of the other one pass by.
  mutating func emit(_ area: GemmArea, _ p: inout ProgramBuilder) {
    let rowTiles = RowTile.pieces(area.rows, plan.tileM)
    let columnTiles = RowTile.pieces(area.columns, plan.tileN)
    let keepsInput = plan.slabs == 0 || plan.kept == 1
    let (outer, inner) = keepsInput ? (rowTiles, columnTiles) : (columnTiles, rowTiles)
    for group in RowTile.pieces(outer.indices, max(1, plan.slabs)) {
      var kept = [Chunks](repeating: [:], count: group.count)
      for passing in inner {
        var passed: Chunks = [:]
        for (slab, tile) in outer[group].enumerated() where !p.hasOverflowed {
          if plan.slabs == 0 { kept[slab] = [:] }
          if keepsInput {
            multiply(tile, passing, &kept[slab], &passed, &p)
          } else {
            multiply(passing, tile, &passed, &kept[slab], &p)
          }
        }
      }
    }
  }

  /// An output tile: every chunk of the depth, in steps.
  private mutating func multiply(
    _ rows: Range<Int>, _ columns: Range<Int>, _ inputs: inout Chunks, _ others: inout Chunks,
    _ p: inout ProgramBuilder
  ) {
    let place =
      plan.isTransposed
      ? RowTile(rows: columns, columns: 0..<1) : RowTile(rows: rows, columns: columns)
    let product = accRing.next().tile(as: place)
    for depth in RowTile.pieces(0..<problem.k, plan.chunkK) {
      let a = bring(.input, rows, depth, &inputs, &p)
      let b = bring(.other, columns, depth, &others, &p)
      for part in RowTile.pieces(depth, plan.tileK) {
        p.pushScope("step", iteration: steps)
        steps += 1
        let left = leftRing.next().tile(rows: product.rows, columns: part.count)
        let right = rightRing.next().tile(rows: part.count, columns: product.columns)
        feed(part, rows: rows.count, a, columns: columns.count, b, left, right, &p)
        p.emit(Matmul(product, left: left, right: right, accumulate: part.lowerBound > 0))
        p.popScope()
      }
    }
    finish(place, product, &p)
  }

  /// Rounds a finished product to HBM, or lets it meet its partner piece by piece.
  private mutating func finish(
    _ place: RowTile, _ product: Tile<Acc>, _ p: inout ProgramBuilder
  ) {
    guard var rings = partnerRings, let partner = tensors.partner else {
      p.emit(DrainHBM(tensors.output.tile(place), from: product))
      return
    }
    for rows in RowTile.pieces(0..<place.rows.count, plan.partnerPiece) {
      let first = place.rows.lowerBound
      let piece = RowTile(
        rows: first + rows.lowerBound..<first + rows.upperBound, columns: place.columns)
      let values = rings.product.next().tile(as: piece)
      p.emit(DrainUB(values, from: product.rows(rows)))
      p.tap(values, tensor: partner.product, piece)
      let other = rings.partner.load(partner.tensor.tile(piece), &p)
      switch problem.form.partner {
      case .gate:
        p.emit(Special<SiluRule>(other, other))
        p.emit(Elementwise<MulRule>(values, other, values))
      case .residual, nil: p.emit(Elementwise<AddRule>(values, values, other))
      }
      p.emit(StoreHBM(tensors.output.tile(piece), from: values))
    }
    partnerRings = rings
  }

  /// The chunk of an operand that has the depth: one that is there, or a new one.
  private mutating func bring(
    _ operand: GemmOperand, _ lines: Range<Int>, _ depth: Range<Int>, _ known: inout Chunks,
    _ p: inout ProgramBuilder
  ) -> GemmStaging.Chunk {
    let size = plan.depth(ofLoad: operand)
    let start = depth.lowerBound / size * size
    if let chunk = known[start] { return chunk }
    let whole = start..<min(start + size, problem.k)
    let chunk =
      operand == .input ? input.bring(lines, whole, &p) : other.bring(lines, whole, &p)
    known[start] = chunk
    return chunk
  }

  /// Feeds both operands; the second one as `right`, or transposed as `left`.
  private func feed(
    _ depth: Range<Int>, rows: Int, _ input: GemmStaging.Chunk, columns: Int,
    _ other: GemmStaging.Chunk, _ left: Tile<Left>, _ right: Tile<Right>, _ p: inout ProgramBuilder
  ) {
    let a = input.slot.tile(
      column: depth.lowerBound - input.depth.lowerBound, rows: rows, columns: depth.count)
    let first = depth.lowerBound - other.depth.lowerBound
    let isDeep = problem.form.isDeep(.other)
    let b =
      isDeep
      ? other.slot.tile(row: first, rows: depth.count, columns: columns)
      : other.slot.tile(column: first, rows: columns, columns: depth.count)
    switch (plan.isTransposed, isDeep) {
    case (true, true): p.emit(FeedLeftTransposed(left, from: b))
    case (true, false): p.emit(FeedLeft(left, from: b))
    case (false, _): p.emit(FeedLeft(left, from: a))
    }
    switch (plan.isTransposed, isDeep) {
    case (true, _): p.emit(FeedRightTransposed(right, from: a))
    case (false, true): p.emit(FeedRight(right, from: b))
    case (false, false): p.emit(FeedRightTransposed(right, from: b))
    }
  }
}
