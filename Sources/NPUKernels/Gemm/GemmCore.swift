import NPUSim

/// Emits the matmuls of one core, software-pipelined: loads are emitted as soon as their slot is
/// free, a piece or two before each matmul, so that the sequencer never stands before a full feed
/// queue with a load behind it.
struct GemmCore {
  private let problem: GemmProblem
  private let plan: GemmSchedule
  private let tensors: GemmTensors
  private var input: GemmStaging
  private var other: GemmStaging
  private var leftRing: Ring<Left>
  private var rightRing: Ring<Right>
  private var accRing: Ring<Acc>

  /// Chunks that are staged, by load.
  private var staged: [GemmStaging.Chunk?] = []

  init(_ problem: GemmProblem, tensors: GemmTensors, _ p: inout ProgramBuilder) throws(NPUError) {
    self.problem = problem
    self.tensors = tensors
    plan = problem.plan
    let memory = try p.allocate(problem.buffers)
    input = try GemmStaging(.input, problem.model, tensor: tensors.input, memory)
    other = try GemmStaging(.other, problem.model, tensor: tensors.other, memory)
    leftRing = try memory.ring("left", in: Left.self)
    rightRing = try memory.ring("right", in: Right.self)
    accRing = try memory.ring("acc", in: Acc.self)
  }

  mutating func emit(_ work: GemmWork, _ p: inout ProgramBuilder) {
    staged = Array(repeating: nil, count: work.loads.count)
    input.begin(work)
    other.begin(work)
    let pieces = work.loads.reduce(0) { $0 + self.pieces($1) }
    let ahead = max(1, (2 * pieces + work.steps.count - 1) / work.steps.count)
    var acc: Ring<Acc>.Slot?
    for (index, step) in work.steps.enumerated() where !p.hasOverflowed {
      p.pushScope("step", iteration: index)
      while let needed = input.next, needed <= step.inputLoad { stage(.input, needed, work, &p) }
      while let needed = other.next, needed <= step.otherLoad { stage(.other, needed, work, &p) }
      for _ in 0..<ahead { stageAhead(work, &p) }
      guard let a = staged[step.inputLoad], let b = staged[step.otherLoad] else { return }
      let left = leftRing.acquire()
      let right = rightRing.acquire()
      let (fedInput, fedOther) = feed(step, a, b, left, right, &p)
      input.read(a, at: step.depth.lowerBound - a.depth.lowerBound, by: fedInput)
      other.read(b, at: step.depth.lowerBound - b.depth.lowerBound, by: fedOther)
      if step.releasesInput {
        staged[step.inputLoad] = nil
        input.release(a)
      }
      if step.releasesOther {
        staged[step.otherLoad] = nil
        other.release(b)
      }
      let isFirst = step.depth.lowerBound == 0
      if isFirst { acc = accRing.acquire() }
      guard let target = acc else { return }
      let rows = plan.isTransposed ? step.columns.count : step.rows.count
      let columns = plan.isTransposed ? 1 : step.columns.count
      let tile = target.tile(rows: rows, columns: columns)
      let product = p.emit(
        Matmul(
          tile, left: left.tile(rows: rows, columns: step.depth.count),
          right: right.tile(rows: step.depth.count, columns: columns), accumulate: !isFirst),
        after: fedInput, fedOther, and: isFirst ? target.free : [])
      leftRing.release(left, after: product)
      rightRing.release(right, after: product)
      if step.depth.upperBound == problem.k {
        let drained = p.emit(
          DrainHBM(
            tensors.output.tile(
              row: plan.isTransposed ? step.columns.lowerBound : step.rows.lowerBound,
              column: plan.isTransposed ? 0 : step.columns.lowerBound, rows: rows,
              columns: columns), from: tile), after: product)
        accRing.release(target, after: drained)
      }
      p.popScope()
    }
  }

  private func pieces(_ load: GemmLoad) -> Int {
    load.operand == .input ? input.pieces(load) : other.pieces(load)
  }

  /// Emits the piece that is needed first of those that have room: where one operand's ring is full,
  /// the other one's loads go ahead.
  private mutating func stageAhead(_ work: GemmWork, _ p: inout ProgramBuilder) {
    let first = input.hasRoom ? input.next : nil
    let second = other.hasRoom ? other.next : nil
    if let first, first < second ?? .max {
      stage(.input, first, work, &p)
    } else if let second {
      stage(.other, second, work, &p)
    }
  }

  /// Emits the next piece of an operand's next load.
  private mutating func stage(
    _ operand: GemmOperand, _ index: Int, _ work: GemmWork, _ p: inout ProgramBuilder
  ) {
    let chunk =
      operand == .input
      ? input.emitPiece(of: work.loads[index], &p) : other.emitPiece(of: work.loads[index], &p)
    if let chunk { staged[index] = chunk }
  }

  /// Feeds both operands; the second one as `right`, or transposed as `left`.
  private func feed(
    _ step: GemmStep, _ a: GemmStaging.Chunk, _ b: GemmStaging.Chunk, _ left: Ring<Left>.Slot,
    _ right: Ring<Right>.Slot, _ p: inout ProgramBuilder
  ) -> (input: Token, other: Token) {
    let depth = step.depth.count
    let (rows, columns) = (step.rows.count, step.columns.count)
    let (fromA, fromB) = (
      step.depth.lowerBound - a.depth.lowerBound, step.depth.lowerBound - b.depth.lowerBound
    )
    let source = a.slot.tile(column: fromA, rows: rows, columns: depth)
    if plan.isTransposed {
      let fedOther = p.emit(
        FeedLeftTransposed(
          left.tile(rows: columns, columns: depth),
          from: b.slot.tile(row: fromB, rows: depth, columns: columns)),
        after: b.ready, and: left.free)
      let fedInput = p.emit(
        FeedRightTransposed(right.tile(rows: depth, columns: 1), from: source),
        after: a.ready, and: right.free)
      return (fedInput, fedOther)
    }
    let fedInput = p.emit(
      FeedLeft(left.tile(rows: rows, columns: depth), from: source), after: a.ready, and: left.free)
    let target = right.tile(rows: depth, columns: columns)
    let fedOther =
      problem.n == 1
      ? p.emit(
        FeedRightTransposed(target, from: b.slot.tile(column: fromB, rows: 1, columns: depth)),
        after: b.ready, and: right.free)
      : p.emit(
        FeedRight(target, from: b.slot.tile(row: fromB, rows: depth, columns: columns)),
        after: b.ready, and: right.free)
    return (fedInput, fedOther)
  }
}
