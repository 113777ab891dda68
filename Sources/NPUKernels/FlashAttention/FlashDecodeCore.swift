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
  private var queryRing: Ring<UB>
  private var encodedRing: Ring<UB>
  private var stagedRing: Ring<L1>
  private var queryLeft: Ring<Left>
  private var weightLeft: Ring<Left>
  private var rightRing: Ring<Right>
  private var scoreRing: Ring<Acc>
  private var productRing: Ring<Acc>

  /// The encoded queries of the job whose scores are being made.
  private var queries: (slot: Ring<Left>.Slot, fed: Token)?

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
    for (index, job) in jobs.enumerated() {
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
    queryRing = try memory.ring("q", in: UB.self)
    encodedRing = try memory.ring("q_mx", in: UB.self)
    stagedRing = try memory.ring("q", in: L1.self)
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
    for job in emptyJobs { softmax.finishEmpty(job, &p) }
  }

  /// Stages chunks a window ahead, with a task of the softmax after each piece; returns the next one.
  private mutating func nextChunk(_ p: inout ProgramBuilder) -> FlashCacheStream.Staged {
    while stream.wantsPiece {
      stream.emitPiece(&p)
      softmax.pump(&p)
    }
    return stream.next
  }

  // MARK: Scores

  private mutating func emitScores(_ index: Int, _ p: inout ProgramBuilder) {
    let step = steps[index]
    p.pushScope("scores", iteration: index)
    defer { p.popScope() }
    if step.isFirst { queries = loadQueries(step.job, &p) }
    guard let left = queries else { return }
    let acc = scoreRing.acquire()
    var last = left.fed
    for segment in step.job.segments(form) {
      var column = 0
      while column < step.keys.count {
        let count = min(rightColumns, step.keys.count - column)
        let chunk = nextChunk(&p)
        let right = rightRing.acquire()
        let tile = right.tile(rows: form.headDim, columns: count)
        let fed = p.emit(
          FeedRightTransposed(tile, from: chunk.slot.tile(rows: count)),
          after: [chunk.ready] + right.free)
        stream.release(after: fed)
        last = p.emit(
          Matmul(
            acc.tile(
              row: segment.rows.lowerBound, column: column, rows: segment.rows.count,
              columns: count),
            left: left.slot.tile(row: segment.rows.lowerBound, rows: segment.rows.count),
            right: tile, accumulate: false), after: [left.fed, fed] + acc.free)
        rightRing.release(right, after: last)
        column += count
      }
    }
    if step.isLast { queryLeft.release(left.slot, after: last) }
    let scores = softmax.acquireScores()
    let drained = p.emit(
      DrainUB(
        scores.tile(rows: step.job.rows, columns: step.keys.count),
        from: acc.tile(rows: step.job.rows, columns: step.keys.count)),
      after: [last] + scores.free)
    scoreRing.release(acc, after: drained)
    softmax.take(scores: scores, of: index, after: drained)
  }

  /// The queries of a job, encoded along d.
  private mutating func loadQueries(
    _ job: FlashDecodeJob, _ p: inout ProgramBuilder
  ) -> (slot: Ring<Left>.Slot, fed: Token)? {
    let values = queryRing.acquire()
    var loaded: [Token] = []
    for run in job.runs(form) {
      loaded = [
        p.emit(
          LoadUB(
            values.tile(row: run.row, rows: run.count),
            from: tensors.q.tile(row: run.tensorRow, rows: run.count)), after: values.free)
      ]
    }
    let encoded = encodedRing.acquire()
    let made = p.emit(
      EncodeMX(encoded.tile(rows: job.rows), values.tile(rows: job.rows)),
      after: loaded + encoded.free)
    queryRing.release(values, after: made)
    let staged = stagedRing.acquire()
    let stored = p.emit(
      StoreL1(staged.tile(rows: job.rows), from: encoded.tile(rows: job.rows)),
      after: [made] + staged.free)
    encodedRing.release(encoded, after: stored)
    let left = queryLeft.acquire()
    let fed = p.emit(
      FeedLeft(left.tile(rows: job.rows), from: staged.tile(rows: job.rows)),
      after: [stored] + left.free)
    stagedRing.release(staged, after: fed)
    return (left, fed)
  }

  // MARK: Product

  private mutating func emitProduct(_ index: Int, _ p: inout ProgramBuilder) {
    let step = steps[index]
    p.pushScope("product", iteration: index)
    defer { p.popScope() }
    guard let weights = softmax.weights(of: index, &p) else { return }
    let rows = step.job.rows
    let keys = step.keys.count
    let left = weightLeft.acquire()
    let fedLeft = p.emit(
      FeedLeft(
        left.tile(rows: rows, columns: keys), from: weights.slot.tile(rows: rows, columns: keys)),
      after: [weights.stored] + left.free)
    softmax.release(weightsOf: index, after: fedLeft)
    let acc = productRing.acquire()
    var last = fedLeft
    for segment in step.job.segments(form) {
      let chunk = nextChunk(&p)
      var fed = fedLeft
      for column in stride(from: 0, to: form.headDim, by: rightColumns) {
        let count = min(rightColumns, form.headDim - column)
        let right = rightRing.acquire()
        let tile = right.tile(rows: keys, columns: count)
        fed = p.emit(
          FeedRight(tile, from: chunk.slot.tile(column: column, rows: keys, columns: count)),
          after: [chunk.ready] + right.free)
        last = p.emit(
          Matmul(
            acc.tile(
              row: segment.rows.lowerBound, column: column, rows: segment.rows.count,
              columns: count),
            left: left.tile(
              row: segment.rows.lowerBound, rows: segment.rows.count, columns: keys),
            right: tile, accumulate: false), after: [fedLeft, fed] + acc.free)
        rightRing.release(right, after: last)
      }
      stream.release(after: fed)
    }
    weightLeft.release(left, after: last)
    let product = softmax.acquireProduct()
    let drained = p.emit(
      DrainUB(product.tile(rows: rows), from: acc.tile(rows: rows)), after: [last] + product.free)
    productRing.release(acc, after: drained)
    softmax.take(product: product, of: index, after: drained)
  }
}
