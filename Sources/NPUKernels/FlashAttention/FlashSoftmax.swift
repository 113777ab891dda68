import NPUSim

/// The vector unit's part of the online softmax on one core, as a list of small tasks in order.
///
/// Tasks are emitted one at a time between other vector work, so that the queue does not stand still
/// for the latency of each: the next one's operands are visible by then.
struct FlashSoftmax {
  /// The rows of a job as the vector unit carries them from tile to tile.
  struct Carried {
    var l: Ring<UB>.Slot
    /// From the first product on.
    var o: Ring<UB>.Slot?
    /// What wrote O last.
    var written: Token?
    /// The maximum so far, scaled; of the last tile.
    var scaled: Ring<UB>.Slot?
    /// The maximum so far as S has it.
    var maximum: Ring<UB>.Slot?
  }

  /// A kv tile of a job.
  struct Step {
    var job: FlashDecodeJob
    /// Position of the job on the core.
    var jobIndex: Int
    var keys: Range<Int>
    var isFirst: Bool
    var isLast: Bool
  }

  private enum Task {
    case maximum(Int), join(Int), scale(Int), weights(Int), encode(Int), factor(Int), sum(Int)
    case finishSum(Int), rescaleSum(Int), rescaleOutput(Int), finish(Int)
  }

  /// What a step has in flight.
  struct InFlight {
    var scores: Ring<UB>.Slot
    var drained: Token
    var previous: Ring<UB>.Slot?
    var maximum: Ring<UB>.Slot?
    var scaled: Ring<UB>.Slot?
    var factor: Ring<UB>.Slot?
    var product: Ring<UB>.Slot?
    var multiplied: Token?
  }

  let form: FlashShape
  let lanes: Int
  let steps: [Step]
  var scoreRing: Ring<UB>
  let weightTile: BufferHandle<UB>
  var encodedRing: Ring<UB>
  var targetRing: Ring<L1>
  let partialTile: BufferHandle<UB>
  var maximumRing: Ring<UB>
  var scaledRing: Ring<UB>
  var factorRing: Ring<UB>
  let sumTile: BufferHandle<UB>
  var lRing: Ring<UB>
  var oRing: Ring<UB>
  var productRing: Ring<UB>
  var epilogue: FlashEpilogue

  private var tasks: [Task] = []
  private var nextTask = 0
  var inFlight: [Int: InFlight] = [:]
  var carried: [Int: Carried] = [:]
  /// The encoded weights of steps in `l1`, until they are fed.
  var encoded: [Int: (slot: Ring<L1>.Slot, stored: Token)] = [:]

  init(
    _ kernel: FlashAttention, steps: [Step], _ memory: PlacedBuffers, _ epilogue: FlashEpilogue
  ) throws(NPUError) {
    form = kernel.form
    lanes = kernel.machine.vector.lanes
    self.steps = steps
    self.epilogue = epilogue
    scoreRing = try memory.ring("scores", in: UB.self)
    weightTile = try memory.buffer("p", in: UB.self)
    encodedRing = try memory.ring("p_mx", in: UB.self)
    targetRing = try memory.ring("p", in: L1.self)
    partialTile = try memory.buffer("partials", in: UB.self)
    maximumRing = try memory.ring("max", in: UB.self)
    scaledRing = try memory.ring("m", in: UB.self)
    factorRing = try memory.ring("alpha", in: UB.self)
    sumTile = try memory.buffer("sum", in: UB.self)
    lRing = try memory.ring("l", in: UB.self)
    oRing = try memory.ring("o", in: UB.self)
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

  // MARK: What the matrix unit hands over

  /// A slot for the scores of a step.
  mutating func acquireScores() -> Ring<UB>.Slot { scoreRing.acquire() }

  /// Takes on the drained scores of a step.
  mutating func take(scores: Ring<UB>.Slot, of step: Int, after drained: Token) {
    inFlight[step] = InFlight(scores: scores, drained: drained)
    tasks += [.maximum(step)]
    if !steps[step].isFirst { tasks.append(.join(step)) }
    tasks += [.scale(step), .weights(step), .encode(step)]
    if !steps[step].isFirst { tasks.append(.factor(step)) }
    tasks += [.sum(step), .finishSum(step)]
    if !steps[step].isFirst { tasks.append(.rescaleSum(step)) }
  }

  /// A slot for the product of a step's weights with v.
  mutating func acquireProduct() -> Ring<UB>.Slot { productRing.acquire() }

  /// Takes on the drained product of a step.
  mutating func take(product: Ring<UB>.Slot, of step: Int, after drained: Token) {
    inFlight[step]?.product = product
    inFlight[step]?.multiplied = drained
    tasks.append(.rescaleOutput(step))
    if steps[step].isLast { tasks.append(.finish(step)) }
  }

  /// The weights of a step in `l1`; its tasks are emitted as far as needed.
  mutating func weights(
    of step: Int, _ p: inout ProgramBuilder
  ) -> (slot: Ring<L1>.Slot, stored: Token)? {
    while encoded[step] == nil, nextTask < tasks.count { pump(&p) }
    return encoded[step]
  }

  /// Frees the weights of a step once the feed of `token` has read them.
  mutating func release(weightsOf step: Int, after token: Token) {
    if let slot = encoded[step]?.slot { targetRing.release(slot, after: token) }
    encoded[step] = nil
  }

  /// Gives a job whose rows see no key its results; nothing else may be in flight.
  mutating func finishEmpty(_ job: FlashDecodeJob, _ p: inout ProgramBuilder) {
    let l = lRing.acquire()
    let o = oRing.acquire()
    let m = scaledRing.acquire()
    p.emit(Fill(l.tile(rows: job.rows), 0), after: l.free)
    p.emit(Fill(m.tile(rows: job.rows), -.infinity), after: m.free)
    let filled = p.emit(Fill(o.tile(rows: job.rows), 0), after: o.free)
    finish(job, Carried(l: l, o: o, written: filled, scaled: m), &p)
  }

  /// Emits what is left.
  mutating func flush(_ p: inout ProgramBuilder) {
    while nextTask < tasks.count { pump(&p) }
  }

  // MARK: Tasks

  /// Emits the next task, if there is one.
  mutating func pump(_ p: inout ProgramBuilder) {
    guard nextTask < tasks.count else { return }
    let task = tasks[nextTask]
    nextTask += 1
    if nextTask > 1024 {
      tasks.removeFirst(nextTask)
      nextTask = 0
    }
    switch task {
    case .maximum(let step): maximum(step, &p)
    case .join(let step): join(step, &p)
    case .scale(let step): scale(step, &p)
    case .weights(let step): weigh(step, &p)
    case .encode(let step): encode(step, &p)
    case .factor(let step): factor(step, &p)
    case .sum(let step): sum(step, &p)
    case .finishSum(let step): finishSum(step, &p)
    case .rescaleSum(let step): rescaleSum(step, &p)
    case .rescaleOutput(let step): rescaleOutput(step, &p)
    case .finish(let step): finish(step, &p)
    }
  }
}
