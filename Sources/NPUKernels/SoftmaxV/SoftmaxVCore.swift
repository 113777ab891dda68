import NPUSim

/// Emits the jobs of one core, software-pipelined: loads of v run a ring ahead of their matmuls, and
/// the exponentials of the next kv tile are made while the matrix unit works on this one.
struct SoftmaxVCore {
  private let kernel: SoftmaxV
  private let plan: SoftmaxVSchedule
  private let tensors: SoftmaxVTensors

  private let vRing: Ring<L1>
  private let pRing: Ring<L1>
  private let leftRing: Ring<Left>
  private var rightRing: Ring<Right>
  private let accRing: Ring<Acc>
  private var scoreRing: Ring<UB>
  private var expRing: Ring<UB>
  private var encodedRing: Ring<UB>
  private let partialRing: Ring<UB>
  private let inverseRing: Ring<UB>
  private let maximumRing: Ring<UB>
  private let sumRing: Ring<UB>
  private var scaledRing: Ring<UB>
  private var outRing: Ring<UB>

  /// A kv tile of a job.
  private struct Step {
    /// The number of the job.
    var number: Int
    var job: SoftmaxVJob
    var tile: Int
  }

  /// The use of one group's tile of v in a step.
  private struct Visit {
    var step: Step
    /// The group, counted in the job.
    var position: Int
  }

  init(
    _ kernel: SoftmaxV, tensors: SoftmaxVTensors, core: Int, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.kernel = kernel
    self.tensors = tensors
    plan = kernel.plan
    p.begin(core: core)
    let memory = try p.allocate(kernel.buffers)
    vRing = try memory.ring("v", in: L1.self)
    pRing = try memory.ring("p", in: L1.self)
    leftRing = try memory.ring("left", in: Left.self)
    rightRing = try memory.ring("right", in: Right.self)
    accRing = try memory.ring("acc", in: Acc.self)
    scoreRing = try memory.ring("scores", in: UB.self)
    expRing = try memory.ring("exp", in: UB.self)
    encodedRing = try memory.ring("exp_mx", in: UB.self)
    partialRing = try memory.ring("partials", in: UB.self)
    inverseRing = try memory.ring("inv", in: UB.self)
    sumRing = try memory.ring("sum", in: UB.self)
    maximumRing = try memory.ring("max", in: UB.self)
    scaledRing = try memory.ring("scaled_v", in: UB.self)
    outRing = try memory.ring("out", in: UB.self)
  }

  private var kvTiles: Int { (kernel.kv + plan.tileKV - 1) / plan.tileKV }

  private func width(_ tile: Int) -> Int {
    min(plan.tileKV, kernel.kv - tile * plan.tileKV)
  }

  mutating func emit(_ jobs: [SoftmaxVJob], _ p: inout ProgramBuilder) {
    let steps = jobs.enumerated().flatMap { number, job in
      (0..<kvTiles).map { Step(number: number, job: job, tile: $0) }
    }
    let visits = steps.flatMap { step in
      (0..<step.job.groups.count).map { Visit(step: step, position: $0) }
    }
    // With one slot there is nothing to run ahead in.
    let ahead = plan.stages > 1 ? 1 : 0
    var encoded = 0
    var loaded = 0
    var used = 0
    for (turn, step) in steps.enumerated() {
      while encoded <= min(turn + ahead, steps.count - 1) {
        encode(steps[encoded], to: pRing[encoded], &p)
        encoded += 1
      }
      let job = step.job
      p.pushScope("job", iteration: step.number)
      p.pushScope("kv", iteration: step.tile)
      let left = leftRing[turn].tile(rows: job.rows, columns: width(step.tile))
      p.emit(
        FeedLeft(left, from: pRing[turn].tile(rows: job.rows, columns: width(step.tile))))
      for (position, group) in job.groups.enumerated() {
        p.pushScope("group", iteration: group)
        while loaded < min(used + plan.vStages, visits.count) {
          load(visits[loaded], to: vRing[loaded], &p)
          loaded += 1
        }
        multiply(Visit(step: step, position: position), left: left, v: vRing[used], &p)
        used += 1
        if step.tile == kvTiles - 1 {
          for part in parts(job) where part.upperBound == position + 1 { finish(step, part, &p) }
        }
        p.popScope()
      }
      p.popScope()
      p.popScope()
    }
  }

  /// The groups of a job, counted in it, that leave the accumulators together.
  private func parts(_ job: SoftmaxVJob) -> [Range<Int>] {
    var start = 0
    return plan.chunks(groups: job.groups.count).map { count in
      defer { start += count }
      return start..<start + count
    }
  }

  /// Loads one tile of v.
  private func load(_ visit: Visit, to slot: Ring<L1>.Slot, _ p: inout ProgramBuilder) {
    let (step, columns) = (visit.step, visit.step.job.columns)
    let rows = width(step.tile)
    p.emit(
      LoadL1(
        slot.tile(rows: rows, columns: columns.count),
        from: tensors.v.tile(
          slot: step.job.groups.lowerBound + visit.position, row: step.tile * plan.tileKV,
          column: columns.lowerBound, rows: rows, columns: columns.count)))
  }

  /// Scores to MXINT8 exponentials in `l1`, and to the row sums.
  private mutating func encode(
    _ step: Step, to slot: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    p.pushScope("job", iteration: step.number)
    p.pushScope("exp", iteration: step.tile)
    let job = step.job
    let (rows, columns) = (job.rows, width(step.tile))
    let (row, column) = (job.firstRow, step.tile * plan.tileKV)
    let maximum = maximumRing[step.number].tile(rows: rows)
    if kernel.isStable && kvTiles > 1 && step.tile == 0 { scanMaximum(job, maximum, &p) }
    let scores = loadScores(job, step.tile, &p)
    if kernel.isStable {
      if kvTiles == 1 { p.emit(RowMax(maximum, scores, start: true)) }
      p.emit(RowBroadcast<SubRule>(scores, scores, maximum))
    }
    let exps = expRing.next().tile(rows: rows, columns: columns)
    p.emit(Special<ExpRule>(exps, scores))
    p.tap(exps, tensor: tensors.exps, row: row, column: column)
    let encoded = encodedRing.next().tile(rows: rows, columns: columns)
    p.emit(EncodeMX(encoded, exps))
    p.tap(encoded, tensor: tensors.encoded, row: row, column: column)
    let lanes = min(kernel.machine.vector.lanes, step.tile == 0 ? columns : kernel.kv)
    let partials = partialRing[step.number].tile(rows: rows, columns: lanes)
    p.emit(RowSum(partials, exps, start: step.tile == 0))
    if step.tile == kvTiles - 1 { invert(step, partials, &p) }
    p.emit(StoreL1(slot.tile(rows: rows, columns: columns), from: encoded))
    p.popScope()
    p.popScope()
  }

  private mutating func loadScores(
    _ job: SoftmaxVJob, _ tile: Int, _ p: inout ProgramBuilder
  ) -> Tile<UB> {
    let scores = scoreRing.next().tile(rows: job.rows, columns: width(tile))
    p.emit(
      LoadUB(
        scores,
        from: tensors.scores.tile(
          row: job.firstRow, column: tile * plan.tileKV, rows: job.rows, columns: width(tile))))
    return scores
  }

  /// The maximum of each row over all kv tiles.
  private mutating func scanMaximum(
    _ job: SoftmaxVJob, _ maximum: Tile<UB>, _ p: inout ProgramBuilder
  ) {
    for tile in 0..<kvTiles {
      let scores = loadScores(job, tile, &p)
      p.emit(RowMax(maximum, scores, start: tile == 0))
    }
  }

  /// Row sums and their reciprocals.
  private mutating func invert(_ step: Step, _ partials: Tile<UB>, _ p: inout ProgramBuilder) {
    let job = step.job
    let sums = sumRing[step.number].tile(rows: job.rows)
    p.emit(RowFinish(sums, partials))
    p.tap(sums, tensor: tensors.sums, row: job.firstRow)
    let inverses = inverseRing[step.number].tile(rows: job.rows)
    p.emit(Special<ReciprocalRule>(inverses, sums))
    p.tap(inverses, tensor: tensors.inverses, row: job.firstRow)
  }

  /// The product of one group's exponentials with its tile of v, column tile by column tile.
  private mutating func multiply(
    _ visit: Visit, left: Tile<Left>, v: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    let (step, job) = (visit.step, visit.step.job)
    let rows = width(step.tile)
    let row = visit.position * job.rowsPerGroup
    for columns in RowTile.pieces(0..<job.columns.count, plan.tileColumns) {
      let right = rightRing.next().tile(rows: rows, columns: columns.count)
      p.emit(
        FeedRight(
          right, from: v.tile(column: columns.lowerBound, rows: rows, columns: columns.count)))
      p.emit(
        Matmul(
          accRing[step.number].tile(
            row: row, column: columns.lowerBound, rows: job.rowsPerGroup, columns: columns.count),
          left: left.rows(row..<row + job.rowsPerGroup), right: right,
          accumulate: step.tile > 0))
    }
  }

  /// Drains the rows of some groups, scales them by the reciprocals, and stores them.
  private mutating func finish(
    _ step: Step, _ positions: Range<Int>, _ p: inout ProgramBuilder
  ) {
    let (number, job) = (step.number, step.job)
    let rows = positions.count * job.rowsPerGroup
    let columns = job.columns
    let row = positions.lowerBound * job.rowsPerGroup
    let scaled = scaledRing.next().tile(rows: rows, columns: columns.count)
    p.emit(
      DrainUB(scaled, from: accRing[number].tile(row: row, rows: rows, columns: columns.count)))
    p.tap(scaled, tensor: tensors.scaled, row: job.firstRow + row, column: columns.lowerBound)
    let out = outRing.next().tile(rows: rows, columns: columns.count)
    p.emit(RowBroadcast<MulRule>(out, scaled, inverseRing[number].tile(row: row, rows: rows)))
    p.emit(
      StoreHBM(
        tensors.out.tile(
          row: job.firstRow + row, column: columns.lowerBound, rows: rows, columns: columns.count),
        from: out))
  }
}
