import NPUSim

/// Emits the jobs of one core, software-pipelined: loads of v run a ring ahead of their matmuls, and
/// the exponentials of the next kv tile are made while the matrix unit works on this one.
struct SoftmaxVCore {
  private let kernel: SoftmaxV
  private let plan: SoftmaxVSchedule
  private let tensors: SoftmaxVTensors

  private var vRing: Ring<L1>
  private var pRing: Ring<L1>
  private var leftRing: Ring<Left>
  private var rightRing: Ring<Right>
  private var accRing: Ring<Acc>
  private var scoreRing: Ring<UB>
  private var expRing: Ring<UB>
  private var encodedRing: Ring<UB>
  private var partialRing: Ring<UB>
  private var columnRing: Ring<UB>
  private var maximumRing: Ring<UB>
  private var sumRing: Ring<UB>
  private var scaledRing: Ring<UB>
  private var outRing: Ring<UB>

  /// A kv tile of a job, and what is ready for its matmuls.
  private struct Step {
    var job: Int
    var tile: Int
    var isFirst: Bool
    var isLast: Bool
  }

  /// The exponentials of a step, in `l1`.
  private struct Encoded {
    var slot: Ring<L1>.Slot
    var stored: Token
  }

  /// 1 / sum for the rows of a job.
  private struct Inverse {
    var slot: Ring<UB>.Slot
    var ready: Token
  }

  private struct VLoad {
    var slot: Ring<L1>.Slot
    var loaded: Token
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
    columnRing = try memory.ring("inv", in: UB.self)
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
    var steps: [Step] = []
    for job in jobs.indices {
      for tile in 0..<kvTiles {
        steps.append(
          Step(job: job, tile: tile, isFirst: tile == 0, isLast: tile == kvTiles - 1))
      }
    }
    var loads: [VLoad] = []
    var nextLoad = (step: 0, group: 0)
    var consumed = 0
    var encoded: [Encoded] = []
    var inverses: [Inverse] = []
    var partials: Ring<UB>.Slot?
    var maximum: Ring<UB>.Slot?
    var acc: Ring<Acc>.Slot?
    var drains: [Token] = []

    for (index, step) in steps.enumerated() {
      // With one slot there is nothing to run ahead in.
      let ahead = plan.stages > 1 ? 1 : 0
      while encoded.count <= min(index + ahead, steps.count - 1) {
        let next = steps[encoded.count]
        encoded.append(
          exponentials(next, jobs[next.job], &partials, &maximum, &inverses, &p))
      }
      let job = jobs[step.job]
      p.pushScope("job", iteration: step.job)
      p.pushScope("kv", iteration: step.tile)
      let left = leftRing.acquire()
      let p1 = encoded[index]
      let fedLeft = p.emit(
        FeedLeft(
          left.tile(rows: job.rows, columns: width(step.tile)),
          from: p1.slot.tile(rows: job.rows, columns: width(step.tile))),
        after: [p1.stored] + left.free)
      pRing.release(p1.slot, after: fedLeft)
      if step.isFirst {
        acc = accRing.acquire()
        drains = []
      }
      guard let target = acc else { return }
      let chunks = plan.chunks(groups: job.groups.count)
      var drained = 0
      var lastMatmul = fedLeft
      for (position, group) in job.groups.enumerated() {
        p.pushScope("group", iteration: group)
        while loads.count < consumed + plan.vStages && nextLoad.step < steps.count {
          loads.append(loadV(steps[nextLoad.step], jobs, group: nextLoad.group, &p))
          nextLoad.group += 1
          if nextLoad.group == jobs[steps[nextLoad.step].job].groups.count {
            nextLoad = (nextLoad.step + 1, 0)
          }
        }
        lastMatmul = multiply(
          step, job, position, v: loads[consumed], left: left, fedLeft: fedLeft, acc: target, &p)
        consumed += 1
        if step.isLast, position + 1 == drained + chunks[drains.count] {
          drains.append(
            finish(
              job, drained..<(position + 1), acc: target, after: lastMatmul,
              inverse: inverses[step.job], &p))
          drained = position + 1
        }
        p.popScope()
      }
      leftRing.release(left, after: lastMatmul)
      if step.isLast { accRing.release(target, after: drains) }
      p.popScope()
      p.popScope()
    }
  }

  /// Loads one tile of v.
  private mutating func loadV(
    _ step: Step, _ jobs: [SoftmaxVJob], group: Int, _ p: inout ProgramBuilder
  ) -> VLoad {
    let job = jobs[step.job]
    let slot = vRing.acquire()
    let rows = width(step.tile)
    let columns = job.columns
    let loaded = p.emit(
      LoadL1(
        slot.tile(rows: rows, columns: columns.count),
        from: tensors.v.tile(
          slot: job.groups.lowerBound + group, row: step.tile * plan.tileKV,
          column: columns.lowerBound, rows: rows, columns: columns.count)), after: slot.free)
    return VLoad(slot: slot, loaded: loaded)
  }

  /// Scores to MXINT8 exponentials in `l1`, and to the row sums.
  private mutating func exponentials(
    _ step: Step, _ job: SoftmaxVJob, _ partials: inout Ring<UB>.Slot?,
    _ maximum: inout Ring<UB>.Slot?, _ inverses: inout [Inverse], _ p: inout ProgramBuilder
  ) -> Encoded {
    p.pushScope("job", iteration: step.job)
    p.pushScope("exp", iteration: step.tile)
    defer {
      p.popScope()
      p.popScope()
    }
    let rows = job.rows
    let columns = width(step.tile)
    if step.isFirst && kernel.isStable {
      maximum = maximumRing.acquire()
      if kvTiles > 1, let maximum { scanMaximum(job, maximum, &p) }
    }
    let scores = scoreRing.acquire()
    let loaded = p.emit(
      LoadUB(
        scores.tile(rows: rows, columns: columns),
        from: tensors.scores.tile(
          row: job.firstRow, column: step.tile * plan.tileKV, rows: rows, columns: columns)),
      after: scores.free)
    let source = scores.tile(rows: rows, columns: columns)
    if kernel.isStable, let maximum {
      let limit = maximum.tile(rows: rows)
      if kvTiles == 1 { p.emit(RowMax(limit, source, start: true), after: [loaded] + maximum.free) }
      p.emit(RowBroadcast<SubRule>(source, source, limit), after: loaded)
    }
    let exps = expRing.acquire()
    let expTile = exps.tile(rows: rows, columns: columns)
    let made = p.emit(Special<ExpRule>(expTile, source), after: [loaded] + exps.free)
    scoreRing.release(scores, after: made)
    p.tap(
      expTile, after: made, tensor: tensors.exps, row: job.firstRow,
      column: step.tile * plan.tileKV)

    let encoded = encodedRing.acquire()
    let encodedTile = encoded.tile(rows: rows, columns: columns)
    let packed = p.emit(EncodeMX(encodedTile, expTile), after: encoded.free)
    p.tap(
      encodedTile, after: packed, tensor: tensors.encoded, row: job.firstRow,
      column: step.tile * plan.tileKV)
    if step.isFirst { partials = partialRing.acquire() }
    if let partials {
      let lanes = min(kernel.machine.vector.lanes, step.isFirst ? columns : kernel.kv)
      let summed = p.emit(
        RowSum(partials.tile(rows: rows, columns: lanes), expTile, start: step.isFirst),
        after: step.isFirst ? partials.free : [])
      expRing.release(exps, after: [packed, summed])
      if step.isLast { inverses.append(invert(job, partials, lanes: lanes, &p)) }
    }
    let target = pRing.acquire()
    let stored = p.emit(
      StoreL1(target.tile(rows: rows, columns: columns), from: encodedTile),
      after: [packed] + target.free)
    encodedRing.release(encoded, after: stored)
    return Encoded(slot: target, stored: stored)
  }

  /// The maximum of each row over all kv tiles.
  private mutating func scanMaximum(
    _ job: SoftmaxVJob, _ maximum: Ring<UB>.Slot, _ p: inout ProgramBuilder
  ) {
    for tile in 0..<kvTiles {
      let scores = scoreRing.acquire()
      let source = scores.tile(rows: job.rows, columns: width(tile))
      let loaded = p.emit(
        LoadUB(
          source,
          from: tensors.scores.tile(
            row: job.firstRow, column: tile * plan.tileKV, rows: job.rows, columns: width(tile))),
        after: scores.free)
      let taken = p.emit(
        RowMax(maximum.tile(rows: job.rows), source, start: tile == 0),
        after: [loaded] + (tile == 0 ? maximum.free : []))
      scoreRing.release(scores, after: taken)
    }
  }

  /// Row sums and their reciprocals.
  private mutating func invert(
    _ job: SoftmaxVJob, _ partials: Ring<UB>.Slot, lanes: Int, _ p: inout ProgramBuilder
  ) -> Inverse {
    let sum = sumRing.acquire()
    let sumTile = sum.tile(rows: job.rows)
    let summed = p.emit(
      RowFinish(sumTile, partials.tile(rows: job.rows, columns: lanes)), after: sum.free)
    partialRing.release(partials, after: summed)
    p.tap(sumTile, after: summed, tensor: tensors.sums, row: job.firstRow)
    let column = columnRing.acquire()
    let inverse = column.tile(rows: job.rows)
    let ready = p.emit(Special<ReciprocalRule>(inverse, sumTile), after: column.free)
    sumRing.release(sum, after: ready)
    p.tap(inverse, after: ready, tensor: tensors.inverses, row: job.firstRow)
    return Inverse(slot: column, ready: ready)
  }

  /// The product of one group's exponentials with its tile of v, column tile by column tile.
  private mutating func multiply(
    _ step: Step, _ job: SoftmaxVJob, _ position: Int, v: VLoad, left: Ring<Left>.Slot,
    fedLeft: Token, acc: Ring<Acc>.Slot, _ p: inout ProgramBuilder
  ) -> Token {
    let rows = width(step.tile)
    let row = position * job.rowsPerGroup
    var last = fedLeft
    var fed = fedLeft
    var start = 0
    while start < job.columns.count {
      let count = min(plan.tileColumns, job.columns.count - start)
      let right = rightRing.acquire()
      fed = p.emit(
        FeedRight(
          right.tile(rows: rows, columns: count),
          from: v.slot.tile(column: start, rows: rows, columns: count)),
        after: [v.loaded] + right.free)
      last = p.emit(
        Matmul(
          acc.tile(row: row, column: start, rows: job.rowsPerGroup, columns: count),
          left: left.tile(row: row, rows: job.rowsPerGroup, columns: rows),
          right: right.tile(rows: rows, columns: count), accumulate: !step.isFirst),
        after: [fedLeft, fed] + (step.isFirst ? acc.free : []))
      rightRing.release(right, after: last)
      start += count
    }
    vRing.release(v.slot, after: fed)
    return last
  }

  /// Drains the rows of some groups, scales them by the reciprocals, and stores them.
  private mutating func finish(
    _ job: SoftmaxVJob, _ positions: Range<Int>, acc: Ring<Acc>.Slot, after matmul: Token,
    inverse: Inverse, _ p: inout ProgramBuilder
  ) -> Token {
    let rows = positions.count * job.rowsPerGroup
    let columns = job.columns.count
    let row = positions.lowerBound * job.rowsPerGroup
    let scaled = scaledRing.acquire()
    let scaledTile = scaled.tile(rows: rows, columns: columns)
    let drained = p.emit(
      DrainUB(scaledTile, from: acc.tile(row: row, rows: rows, columns: columns)),
      after: [matmul] + scaled.free)
    p.tap(
      scaledTile, after: drained, tensor: tensors.scaled, row: job.firstRow + row,
      column: job.columns.lowerBound)
    let out = outRing.acquire()
    let outTile = out.tile(rows: rows, columns: columns)
    let multiplied = p.emit(
      RowBroadcast<MulRule>(outTile, scaledTile, inverse.slot.tile(row: row, rows: rows)),
      after: [drained, inverse.ready] + out.free)
    scaledRing.release(scaled, after: multiplied)
    columnRing.release(inverse.slot, after: multiplied)
    let stored = p.emit(
      StoreHBM(
        tensors.out.tile(
          row: job.firstRow + row, column: job.columns.lowerBound, rows: rows, columns: columns),
        from: outTile), after: multiplied)
    outRing.release(out, after: stored)
    return drained
  }
}
