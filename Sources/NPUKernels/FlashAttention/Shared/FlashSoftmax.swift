import NPUSim

/// The vector unit's part of the online softmax on one core.
struct FlashSoftmax {
  /// A kv tile of a job.
  struct Step {
    var job: FlashDecodeJob
    /// Which of the core's jobs with steps it is.
    var jobIndex: Int
    var keys: Range<Int>
    var isFirst: Bool
    var isLast: Bool
  }

  let form: FlashShape
  let lanes: Int
  let steps: [Step]
  /// Taken in turn by steps.
  private let scoreRing: Ring<UB>
  private let maximumRing: Ring<UB>
  private let scaledRing: Ring<UB>
  private let productRing: Ring<UB>
  /// Taken in turn by the steps that are not the first of their job.
  private let factorRing: Ring<UB>
  /// Taken in turn by jobs.
  private let lRing: Ring<UB>
  private let outputTile: BufferHandle<UB>
  private let weightTile: BufferHandle<UB>
  private let encodedTile: BufferHandle<UB>
  private let targetTile: BufferHandle<L1>
  private let partialTile: BufferHandle<UB>
  private let sumTile: BufferHandle<UB>
  private let epilogue: FlashEpilogue

  init(
    _ kernel: FlashAttention, steps: [Step], _ memory: PlacedBuffers, _ epilogue: FlashEpilogue
  ) throws(NPUError) {
    form = kernel.form
    lanes = kernel.machine.vector.lanes
    self.steps = steps
    self.epilogue = epilogue
    scoreRing = try memory.ring("scores", in: UB.self)
    weightTile = try memory.buffer("p", in: UB.self)
    encodedTile = try memory.buffer("p_mx", in: UB.self)
    targetTile = try memory.buffer("p", in: L1.self)
    partialTile = try memory.buffer("partials", in: UB.self)
    maximumRing = try memory.ring("max", in: UB.self)
    scaledRing = try memory.ring("m", in: UB.self)
    factorRing = try memory.ring("alpha", in: UB.self)
    sumTile = try memory.buffer("sum", in: UB.self)
    lRing = try memory.ring("l", in: UB.self)
    outputTile = try memory.buffer("o", in: UB.self)
    productRing = try memory.ring("product", in: UB.self)
  }

  /// The rings of the vector unit for tiles of `rows` rows.
  static func buffers(
    _ form: FlashShape, _ plan: FlashSchedule, rows: Int, drained: ElementFormat, lanes: Int
  ) -> [PlannedBuffer] {
    let width = min(plan.tileKV, form.kv)
    let deep = plan.stages > 1 ? 2 : 1
    func ring(_ name: String, _ format: ElementFormat, _ slots: Int, columns: Int) -> PlannedBuffer
    {
      PlannedBuffer(name, .ub, format, slots: slots, rows: rows, columns: columns)
    }
    return [
      ring("scores", drained, deep, columns: width), ring("p", .f32, 1, columns: width),
      ring("p_mx", .mxint8, 1, columns: width),
      PlannedBuffer("p", .l1, .mxint8, slots: 1, rows: rows, columns: width),
      ring("partials", .f32, 1, columns: min(lanes, width)), ring("max", .f32, 2, columns: 1),
      ring("m", .f32, 2, columns: 1), ring("alpha", .f32, 2, columns: 1),
      ring("sum", .f32, 1, columns: 1), ring("l", .f32, 2, columns: 1),
      ring("o", .f32, 1, columns: form.headDim),
      ring("product", drained, deep, columns: form.headDim),
    ]
  }

  // MARK: A step

  /// Where the scores of a step go.
  func scores(of step: Int) -> Tile<UB> {
    scoreRing[step].tile(rows: rows(step), columns: width(step))
  }

  /// Where the product of a step's weights with v goes.
  func product(of step: Int) -> Tile<UB> {
    productRing[step].tile(rows: rows(step), columns: form.headDim)
  }

  /// m' and p of the scores of a step, and what is carried on of l; p in MXINT8 along kv, in `l1`.
  func weigh(_ step: Int, _ p: inout ProgramBuilder) -> Tile<L1> {
    let isFirst = steps[step].isFirst
    let (weights, partials) = (weights(step), partials(step))
    mask(step, &p)
    p.emit(RowMax(maximum(step), scores(of: step), start: true))
    if !isFirst {
      p.emit(Elementwise<MaxRule>(maximum(step), maximum(step), previousMaximum(step)))
    }
    // m' = max S · k, and p = exp2(fl32(fl32(S · k) − m')).
    p.emit(WithScalar<MulRule>(scaled(step), maximum(step), form.scoreFactor))
    p.emit(Exp2Fused(weights, scores(of: step), scaled(step), k: form.scoreFactor))
    let encoded = encodedTile.tile(rows: rows(step), columns: width(step))
    let target = targetTile.tile(rows: rows(step), columns: width(step))
    p.emit(EncodeMX(encoded, weights))
    p.emit(StoreL1(target, from: encoded))
    if !isFirst {
      // α = exp2(fl32(m − m')), m being the maximum before times k.
      p.emit(
        Exp2Fused(
          factor(step), previousMaximum(step), scaled(step), k: form.scoreFactor, empty: .one))
    }
    p.emit(RowSum(partials, weights, start: true))
    p.emit(RowFinish(isFirst ? l(step) : rowSum(step), partials))
    if !isFirst { p.emit(RescaleAdd(l(step), l(step), factor(step), rowSum(step))) }
    return target
  }

  /// O = fl32(fl32(O · α) + T), of the first tile T + 0, as O and α are 0; then the results of a job, or
  /// its part of them.
  func addProduct(of step: Int, _ p: inout ProgramBuilder) {
    let output = outputTile.tile(rows: rows(step))
    if steps[step].isFirst {
      p.emit(WithScalar<AddRule>(output, product(of: step), 0))
    } else {
      p.emit(RescaleAdd(output, output, factor(step), product(of: step)))
    }
    if steps[step].isLast {
      epilogue.emit(steps[step].job, l: l(step), o: output, m: scaled(step), &p)
    }
  }

  /// Gives jobs whose rows see no key their results.
  func finishEmpty(_ jobs: [FlashDecodeJob], _ p: inout ProgramBuilder) {
    let jobsBefore = (steps.last?.jobIndex ?? -1) + 1
    for (index, job) in jobs.enumerated() {
      let l = lRing[jobsBefore + index].tile(rows: job.rows)
      let m = scaledRing[steps.count + index].tile(rows: job.rows)
      let o = outputTile.tile(rows: job.rows)
      p.emit(Fill(l, 0))
      p.emit(Fill(m, -.infinity))
      p.emit(Fill(o, 0))
      epilogue.emit(job, l: l, o: o, m: m, &p)
    }
  }

  // MARK: Tiles

  private func width(_ step: Int) -> Int { steps[step].keys.count }
  private func rows(_ step: Int) -> Int { steps[step].job.rows }

  /// The maximum so far as S has it, and that of the step before.
  private func maximum(_ step: Int) -> Tile<UB> { maximumRing[step].tile(rows: rows(step)) }
  private func previousMaximum(_ step: Int) -> Tile<UB> {
    maximumRing[step - 1].tile(rows: rows(step))
  }
  /// The maximum so far, scaled.
  private func scaled(_ step: Int) -> Tile<UB> { scaledRing[step].tile(rows: rows(step)) }
  private func factor(_ step: Int) -> Tile<UB> {
    factorRing[step - steps[step].jobIndex - 1].tile(rows: rows(step))
  }
  private func weights(_ step: Int) -> Tile<UB> {
    weightTile.tile(rows: rows(step), columns: width(step))
  }
  private func partials(_ step: Int) -> Tile<UB> {
    partialTile.tile(rows: rows(step), columns: min(lanes, width(step)))
  }
  private func rowSum(_ step: Int) -> Tile<UB> { sumTile.tile(rows: rows(step)) }
  private func l(_ step: Int) -> Tile<UB> {
    lRing[steps[step].jobIndex].tile(rows: rows(step))
  }

  /// Masks the tiles at the border of what is seen, head by head.
  private func mask(_ step: Int, _ p: inout ProgramBuilder) {
    let job = steps[step].job
    let keys = steps[step].keys
    guard form.isMasked, let last = job.queries.last else { return }
    let first = job.queries.lowerBound
    let isWhole =
      form.keys(last).lowerBound <= keys.lowerBound
      && form.keys(first).upperBound >= keys.upperBound
    if isWhole { return }
    let queries = job.queries.count
    // Rows of one query each stand at one position.
    let runs = queries == 1 ? 1 : job.heads.count
    for run in 0..<runs {
      let count = queries == 1 ? job.rows : queries
      let tile = scoreRing[step].tile(row: run * queries, rows: count, columns: keys.count)
      p.emit(
        Mask(
          tile, tile, row: form.position(first), column: keys.lowerBound, causal: form.isCausal,
          window: form.window, rowsPerPosition: queries == 1 ? count : 1))
    }
  }
}
