import NPUSim

/// Emits the jobs of one core of the decode rungs: scores of a kv tile, their softmax, their product.
struct FlashDecodeCore {
  private let form: FlashShape
  private let plan: FlashSchedule
  private let tensors: FlashTensors
  private let rightColumns: Int
  private let steps: [FlashSoftmax.Step]
  private let emptyJobs: [FlashDecodeJob]
  private var stream: FlashCacheStream
  private let softmax: FlashSoftmax
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
    _ memory: PlacedBuffers, _ epilogue: FlashEpilogue, _ p: inout ProgramBuilder
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
    stream = try FlashCacheStream(kernel, tensors, memory, &p)
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

  mutating func emit(_ p: inout ProgramBuilder) {
    // k of the next tile comes before v of this one: the softmax takes place while they stream.
    let ahead = min(steps.count, plan.stages > 1 ? 1 : 0)
    for index in 0..<ahead { emitScores(index, &p) }
    for index in steps.indices {
      if index + ahead < steps.count { emitScores(index + ahead, &p) }
      emitProduct(index, weights: softmax.weigh(index, &p), &p)
      softmax.addProduct(of: index, &p)
    }
    softmax.finishEmpty(emptyJobs, &p)
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
      for keys in RowTile.pieces(step.keys, rightColumns) {
        let (column, count) = (keys.lowerBound - step.keys.lowerBound, keys.count)
        let key = stream.bring(
          FlashCacheStream.Chunk(.key, group: segment.group, keys: keys), &p)
        let right = rightRing.next().tile(rows: form.headDim, columns: count)
        p.emit(FeedRightTransposed(right, from: key.tile(rows: count)))
        p.emit(
          Matmul(
            acc.tile(
              row: segment.rows.lowerBound, column: column, rows: segment.rows.count, columns: count
            ), left: left.tile(row: segment.rows.lowerBound, rows: segment.rows.count),
            right: right, accumulate: false))
      }
    }
    p.emit(
      DrainUB(
        softmax.scores(of: index), from: acc.tile(rows: step.job.rows, columns: step.keys.count)))
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

  private mutating func emitProduct(
    _ index: Int, weights: Tile<L1>, _ p: inout ProgramBuilder
  ) {
    let step = steps[index]
    p.pushScope("product", iteration: index)
    defer { p.popScope() }
    let rows = step.job.rows
    let keys = step.keys.count
    let left = weightLeft[index]
    p.emit(FeedLeft(left.tile(rows: rows, columns: keys), from: weights))
    let acc = productRing[index]
    for segment in step.job.segments(form) {
      let value = stream.bring(
        FlashCacheStream.Chunk(.value, group: segment.group, keys: step.keys), &p)
      for column in stride(from: 0, to: form.headDim, by: rightColumns) {
        let count = min(rightColumns, form.headDim - column)
        let right = rightRing.next().tile(rows: keys, columns: count)
        p.emit(FeedRight(right, from: value.tile(column: column, rows: keys, columns: count)))
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
  }
}
