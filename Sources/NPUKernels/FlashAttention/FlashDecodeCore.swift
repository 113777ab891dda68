import NPUSim

/// Emits the jobs of one core of the decode rungs as one stream: scores of a kv tile, then the product
/// of the tile before.
struct FlashDecodeCore {
  private let form: FlashShape
  private let plan: FlashSchedule
  private let tensors: FlashTensors
  private let rightColumns: Int
  private let steps: [FlashSoftmax.Step]
  private let emptyJobs: [FlashDecodeJob]
  private var stream: FlashCacheStream
  private var softmax: FlashSoftmax
  private let queryValues: BufferHandle<UB>
  private let queryCodes: BufferHandle<UB>
  private let stagedQueries: BufferHandle<L1>
  private let queryLeft: Ring<Left>
  private let weightLeft: Ring<Left>
  private var rightRing: Ring<Right>
  private let scoreRing: Ring<Acc>
  private let productRing: Ring<Acc>

  init(
    _ kernel: FlashAttention, _ tensors: FlashTensors, jobs: [FlashDecodeJob],
    _ memory: PlacedBuffers, _ epilogue: FlashEpilogue
  ) throws(NPUError) {
    form = kernel.form
    plan = kernel.plan
    self.tensors = tensors
    rightColumns = plan.rightColumns
    emptyJobs = jobs.filter(\.tiles.isEmpty)
    var steps: [FlashSoftmax.Step] = []
    for (index, job) in jobs.filter({ !$0.tiles.isEmpty }).enumerated() {
      for tile in job.tiles {
        let keys = form.touched(tile, queries: job.queries, tileKV: plan.tileKV)
        steps.append(
          FlashSoftmax.Step(
            job: job, jobIndex: index, keys: keys,
            isFirst: tile == job.tiles.lowerBound, isLast: tile == job.tiles.upperBound - 1))
      }
    }
    self.steps = steps
    stream = try FlashCacheStream(kernel, tensors, memory)
    softmax = try FlashSoftmax(kernel, steps: steps, memory, epilogue)
    queryValues = try memory.buffer("q", in: UB.self)
    queryCodes = try memory.buffer("q_mx", in: UB.self)
    stagedQueries = try memory.buffer("q", in: L1.self)
    queryLeft = try memory.ring("q", in: Left.self)
    weightLeft = try memory.ring("p", in: Left.self)
    rightRing = try memory.ring("right", in: Right.self)
    scoreRing = try memory.ring("scores", in: Acc.self)
    productRing = try memory.ring("product", in: Acc.self)
  }

  private enum Phase {
    case scores(Int), product(Int)
  }

  /// Scores run one step ahead, except with one stage.
  private var phases: [Phase] {
    let ahead = plan.stages > 1 ? 1 : 0
    var result: [Phase] = []
    for index in 0..<steps.count + ahead {
      if index < steps.count { result.append(.scores(index)) }
      if index >= ahead { result.append(.product(index - ahead)) }
    }
    return result
  }

  /// The rows of k or v that a phase feeds, in order.
  private func chunks(_ phase: Phase) -> [FlashCacheStream.Chunk] {
    switch phase {
    case .scores(let index):
      let keys = steps[index].keys
      return steps[index].job.segments(form).flatMap { segment in
        stride(from: keys.lowerBound, to: keys.upperBound, by: rightColumns).map { first in
          FlashCacheStream.Chunk(
            operand: .key, group: segment.group,
            keys: first..<min(first + rightColumns, keys.upperBound))
        }
      }
    case .product(let index):
      return steps[index].job.segments(form).map { segment in
        FlashCacheStream.Chunk(operand: .value, group: segment.group, keys: steps[index].keys)
      }
    }
  }

  mutating func emit(_ p: inout ProgramBuilder) {
    let phases = phases
    stream.begin(phases.flatMap(chunks))
    for phase in phases {
      switch phase {
      case .scores(let index): emitScores(index, &p)
      case .product(let index): emitProduct(index, &p)
      }
    }
    softmax.flush(&p)
    softmax.finishEmpty(emptyJobs, &p)
  }

  /// Stages chunks a window ahead, with a task of the softmax after each piece; returns the next one.
  private mutating func nextChunk(_ p: inout ProgramBuilder) -> Ring<L1>.Slot {
    while stream.wantsPiece {
      stream.emitPiece(&p)
      softmax.pump(&p)
    }
    return stream.next()
  }

  // MARK: Scores

  private mutating func emitScores(_ index: Int, _ p: inout ProgramBuilder) {
    let step = steps[index]
    p.pushScope("scores", iteration: index)
    defer { p.popScope() }
    let left = queryLeft[step.jobIndex]
    if step.isFirst { feedQueries(step.job, to: left, &p) }
    let acc = scoreRing[index]
    for segment in step.job.segments(form) {
      var column = 0
      while column < step.keys.count {
        let count = min(rightColumns, step.keys.count - column)
        let chunk = nextChunk(&p)
        let right = rightRing.next().tile(rows: form.headDim, columns: count)
        p.emit(FeedRightTransposed(right, from: chunk.tile(rows: count)))
        p.emit(
          Matmul(
            acc.tile(
              row: segment.rows.lowerBound, column: column, rows: segment.rows.count, columns: count
            ), left: left.tile(row: segment.rows.lowerBound, rows: segment.rows.count),
            right: right, accumulate: false))
        column += count
      }
    }
    p.emit(
      DrainUB(
        softmax.scores(of: index), from: acc.tile(rows: step.job.rows, columns: step.keys.count)))
    softmax.takeScores(of: index)
  }

  /// The queries of a job, encoded along d.
  private func feedQueries(
    _ job: FlashDecodeJob, to left: Ring<Left>.Slot, _ p: inout ProgramBuilder
  ) {
    let values = queryValues.tile(rows: job.rows)
    for run in job.runs(form) {
      p.emit(
        LoadUB(
          values.rows(run.rows), from: tensors.q.tile(row: run.tensorRow, rows: run.count)))
    }
    let encoded = queryCodes.tile(rows: job.rows)
    p.emit(EncodeMX(encoded, values))
    let staged = stagedQueries.tile(rows: job.rows)
    p.emit(StoreL1(staged, from: encoded))
    p.emit(FeedLeft(left.tile(rows: job.rows), from: staged))
  }

  // MARK: Product

  private mutating func emitProduct(_ index: Int, _ p: inout ProgramBuilder) {
    let step = steps[index]
    p.pushScope("product", iteration: index)
    defer { p.popScope() }
    let weights = softmax.weights(of: index, &p)
    let rows = step.job.rows
    let keys = step.keys.count
    let left = weightLeft[index]
    p.emit(FeedLeft(left.tile(rows: rows, columns: keys), from: weights))
    let acc = productRing[index]
    for segment in step.job.segments(form) {
      let chunk = nextChunk(&p)
      for column in stride(from: 0, to: form.headDim, by: rightColumns) {
        let count = min(rightColumns, form.headDim - column)
        let right = rightRing.next().tile(rows: keys, columns: count)
        p.emit(FeedRight(right, from: chunk.tile(column: column, rows: keys, columns: count)))
        p.emit(
          Matmul(
            acc.tile(
              row: segment.rows.lowerBound, column: column, rows: segment.rows.count, columns: count
            ),
            left: left.tile(row: segment.rows.lowerBound, rows: segment.rows.count, columns: keys),
            right: right, accumulate: false))
      }
    }
    p.emit(DrainUB(softmax.product(of: index), from: acc.tile(rows: rows)))
    softmax.takeProduct(of: index)
  }
}
