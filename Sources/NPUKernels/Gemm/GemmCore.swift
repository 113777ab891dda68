import NPUSim

/// Emits the matmuls of one core, software-pipelined: loads are emitted as soon as their slot is
/// free, a piece or two before each matmul, so that the sequencer never stands before a full feed
/// queue with a load behind it.
struct GemmCore {
  private let problem: GemmProblem
  private let plan: GemmSchedule
  private let work: GemmWork
  private let tensors: GemmTensors
  private var input: GemmStaging
  private var other: GemmStaging
  private var leftRing: Ring<Left>
  private var rightRing: Ring<Right>
  private let accRing: Ring<Acc>

  init(
    _ problem: GemmProblem, _ work: GemmWork, tensors: GemmTensors, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.problem = problem
    self.work = work
    self.tensors = tensors
    plan = problem.plan
    let model = problem.model
    let memory = try p.allocate(problem.buffers)
    input = try GemmStaging(.input, of: work, model, tensor: tensors.input, memory)
    other = try GemmStaging(.other, of: work, model, tensor: tensors.other, memory)
    leftRing = try memory.ring("left", in: Left.self)
    rightRing = try memory.ring("right", in: Right.self)
    accRing = try memory.ring("acc", in: Acc.self)
  }

  mutating func emit(_ p: inout ProgramBuilder) {
    let pieces = work.loads.reduce(0) { $0 + self.pieces($1) }
    let ahead = max(1, (2 * pieces + work.steps.count - 1) / work.steps.count)
    var outputs = 0
    for (index, step) in work.steps.enumerated() where !p.hasOverflowed {
      p.pushScope("step", iteration: index)
      while let needed = input.next, needed <= step.inputLoad { stage(.input, needed, &p) }
      while let needed = other.next, needed <= step.otherLoad { stage(.other, needed, &p) }
      for _ in 0..<ahead { stageAhead(&p) }
      let place =
        plan.isTransposed
        ? RowTile(rows: step.columns, columns: 0..<1)
        : RowTile(rows: step.rows, columns: step.columns)
      let (rows, columns) = (place.rows.count, place.columns.count)
      let left = leftRing.next().tile(rows: rows, columns: step.depth.count)
      let right = rightRing.next().tile(rows: step.depth.count, columns: columns)
      feed(step, left, right, &p)
      if step.releasesInput { input.release() }
      if step.releasesOther { other.release() }
      let product = accRing[outputs].tile(rows: rows, columns: columns)
      p.emit(Matmul(product, left: left, right: right, accumulate: step.depth.lowerBound > 0))
      if step.depth.upperBound == problem.k {
        p.emit(DrainHBM(tensors.output.tile(place), from: product))
        outputs += 1
      }
      p.popScope()
    }
  }

  private func pieces(_ load: GemmLoad) -> Int {
    load.operand == .input ? input.pieces(load) : other.pieces(load)
  }

  /// Emits the piece that is needed first of those that have room: where one operand's ring is full,
  /// the other one's loads go ahead.
  private mutating func stageAhead(_ p: inout ProgramBuilder) {
    let first = input.hasRoom ? input.next : nil
    let second = other.hasRoom ? other.next : nil
    if let first, first < second ?? .max {
      stage(.input, first, &p)
    } else if let second {
      stage(.other, second, &p)
    }
  }

  /// Emits the next piece of an operand's next load.
  private mutating func stage(_ operand: GemmOperand, _ index: Int, _ p: inout ProgramBuilder) {
    switch operand {
    case .input: input.emitPiece(of: work.loads[index], &p)
    case .other: other.emitPiece(of: work.loads[index], &p)
    }
  }

  /// Feeds both operands; the second one as `right`, or transposed as `left`.
  private func feed(
    _ step: GemmStep, _ left: Tile<Left>, _ right: Tile<Right>, _ p: inout ProgramBuilder
  ) {
    let depth = step.depth.count
    let (rows, columns) = (step.rows.count, step.columns.count)
    let fromA = step.depth.lowerBound - work.loads[step.inputLoad].depth.lowerBound
    let fromB = step.depth.lowerBound - work.loads[step.otherLoad].depth.lowerBound
    let a = input.slot(ofLoad: step.inputLoad).tile(column: fromA, rows: rows, columns: depth)
    let b = other.slot(ofLoad: step.otherLoad)
    if plan.isTransposed {
      p.emit(FeedLeftTransposed(left, from: b.tile(row: fromB, rows: depth, columns: columns)))
      p.emit(FeedRightTransposed(right, from: a))
    } else if problem.n == 1 {
      p.emit(FeedLeft(left, from: a))
      p.emit(FeedRightTransposed(right, from: b.tile(column: fromB, rows: 1, columns: depth)))
    } else {
      p.emit(FeedLeft(left, from: a))
      p.emit(FeedRight(right, from: b.tile(row: fromB, rows: depth, columns: columns)))
    }
  }
}
