import NPUSim

/// Random programs that are written one micro-op after another, without a word about order: every
/// queue, chains on accumulators, unit flags, blocks that are filled up, gathers and scatters, buffers
/// that share bytes, taps, several cores.
struct SequentialPrograms {
  /// One program; ``isolated`` is the same with a barrier on all queues behind every micro-op, so that
  /// nothing is left to order.
  struct Made {
    var sequence: SequentialProgram
    var isolated: Program
    var inputs: [UInt32]
    var outputs: [UInt32]
  }

  private var random: SeededGenerator
  private var p: ProgramBuilder
  private let isIsolated: Bool
  private var inputs: [UInt32] = []
  private var outputs: [UInt32] = []
  private var tensors: Tensors?
  private var taps = 0

  private struct Tensors {
    let x: BufferHandle<HBM>
    let xm: BufferHandle<HBM>
    let w: BufferHandle<HBM>
    /// Each core has a slot of its own, and reads those of others behind a barrier.
    let z: BufferHandle<HBM>
    let lists: [UInt32]
    let tap: Int
  }

  private struct Memory {
    let y: BufferHandle<HBM>
    let ub: BufferHandle<UB>
    /// Shares bytes with `ub`, at another pitch.
    let alias: BufferHandle<UB>?
    let mx: BufferHandle<UB>
    /// Lies within `mx`, on whole blocks or on what fills them up.
    let over: BufferHandle<UB>?
    let l1: BufferHandle<L1>
    /// Shares bytes and scales with `l1`.
    let l1Alias: BufferHandle<L1>?
    let l1W: BufferHandle<L1>
    let left: BufferHandle<Left>
    let right: BufferHandle<Right>
    let acc: BufferHandle<Acc>
  }

  private static let mostTaps = 6

  static func machine(_ random: inout SeededGenerator) -> MachineConfiguration {
    var interlocks: [Bool] = []
    for _ in Queue.allCases { interlocks.append(random.below(3) > 0) }
    let identifiers = [1, 1, 2, 8][random.below(4)]
    var machine = TestMachine.small(
      cores: [1, 1, 1, 2, 3][random.below(5)], depth: 1 + random.below(8),
      eventsPerPair: identifiers, propagation: Int64(random.below(4)), interlocks: interlocks)
    if random.below(2) == 0 { machine.drawRules(&random) }
    if random.below(3) == 0 {
      machine.eventPairs = QueuePairs(
        QueuePairs.all.list.filter { _ in random.below(4) > 0 })
    }
    return machine
  }

  /// - Parameter steps: micro-ops of each core, beside those that give every byte a value.
  static func make(seed: UInt64, steps: Int) throws -> Made {
    func maker(_ isIsolated: Bool) throws -> SequentialPrograms {
      var maker = SequentialPrograms(seed: seed, isIsolated: isIsolated)
      try maker.emitAll(steps)
      return maker
    }
    let plain = try maker(false)
    let isolated = try maker(true)
    return Made(
      sequence: plain.p.sequential(), isolated: isolated.p.build(), inputs: plain.inputs,
      outputs: plain.outputs)
  }

  private init(seed: UInt64, isIsolated: Bool) {
    random = SeededGenerator(seed: seed)
    p = ProgramBuilder(machine: Self.machine(&random), catalogue: .standard)
    self.isIsolated = isIsolated
  }

  private mutating func chance(_ oneIn: Int) -> Bool { random.below(oneIn) == 0 }

  private mutating func emitAll(_ steps: Int) throws {
    let cores = p.machine.cores
    let x = try p.tensor("x", .f32, rows: 8, columns: 64, role: .input)
    let xm = try p.tensor("xm", .mxint8, rows: 4, columns: 64, role: .input)
    let w = try p.tensor("w", .mxint8, rows: 64, columns: 32, axis: .alongRows, role: .input)
    let z = try p.tensor("z", .f32, slots: cores, rows: 4, columns: 64, role: .inputOutput)
    inputs = [x.id, xm.id, w.id, z.id]
    outputs = [z.id]
    let tensors = Tensors(
      x: x, xm: xm, w: w, z: z,
      lists: [p.indexList([5, 0, 1, 7, 3, 2]), p.indexList([2, 6, 4, 0])],
      tap: try p.tapTensor("tap", .f32, slots: Self.mostTaps * cores, rows: 4, columns: 64))
    self.tensors = tensors
    let phases = cores == 1 ? 1 : 1 + random.below(3)
    for core in 0..<cores {
      p.begin(core: core)
      let memory = try memory(core)
      begin(memory)
      taps = 0
      for phase in 0..<phases {
        if phase > 0 { p.emit(ChipBarrier()) }
        for _ in 0..<steps / phases { step(memory, core, isShared: phase % 2 == 1) }
      }
    }
  }

  private mutating func memory(_ core: Int) throws -> Memory {
    let y = try p.tensor("y\(core)", .f32, rows: 8, columns: 64, role: .inputOutput)
    inputs.append(y.id)
    outputs.append(y.id)
    let ub = try p.buffer("ub\(core)", in: UB.self, .f32, slots: 2, rows: 4, columns: 64)
    let hasAliases = chance(3)
    let alias =
      hasAliases
      ? try p.buffer(
        "alias\(core)", in: UB.self, .f32, rows: 2, columns: 32, at: 16 * random.below(100)) : nil
    return Memory(
      y: y, ub: ub, alias: alias,
      mx: try p.buffer("mx\(core)", in: UB.self, .mxint8, slots: 2, rows: 4, columns: 64),
      over: hasAliases
        ? try p.buffer(
          "over\(core)", in: UB.self, .f32, rows: 1, columns: 4,
          at: ub.rows * ub.columns * ub.slots * 4 + 16 * random.below(32)) : nil,
      l1: try p.buffer("l1\(core)", in: L1.self, .mxint8, slots: 2, rows: 4, columns: 64),
      l1Alias: hasAliases
        ? try p.buffer(
          "l1Alias\(core)", in: L1.self, .mxint8, rows: 2, columns: 96, at: 32 * random.below(10))
        : nil,
      l1W: try p.buffer(
        "l1W\(core)", in: L1.self, .mxint8, rows: 64, columns: 32, axis: .alongRows),
      left: try p.buffer("left\(core)", in: Left.self, .mxint8, slots: 2, rows: 4, columns: 64),
      right: try p.buffer(
        "right\(core)", in: Right.self, .mxint8, slots: 2, rows: 64, columns: 32,
        axis: .alongRows),
      acc: try p.buffer("acc\(core)", in: Acc.self, .bf16, slots: 2, rows: 4, columns: 32))
  }

  private mutating func emit(_ op: some MicroOp) {
    p.emit(op)
    if isIsolated { p.emit(CoreBarrier()) }
  }

  /// Gives every byte of every memory a value.
  private mutating func begin(_ m: Memory) {
    guard let t = tensors else { return }
    emit(LoadL1(m.l1W.tile(), from: t.w.tile()))
    for slot in 0..<2 {
      emit(LoadUB(m.ub.tile(slot: slot), from: t.x.tile(row: 4 * slot, rows: 4)))
      emit(EncodeMX(m.mx.tile(slot: slot), m.ub.tile(slot: slot)))
      emit(LoadL1(m.l1.tile(slot: slot), from: t.xm.tile()))
      emit(FeedLeft(m.left.tile(slot: slot), from: m.l1.tile(slot: slot)))
      emit(FeedRight(m.right.tile(slot: slot), from: m.l1W.tile()))
      emit(
        Matmul(
          m.acc.tile(slot: slot), left: m.left.tile(slot: slot), right: m.right.tile(slot: slot),
          accumulate: false))
    }
  }

  /// First and count of some of `total` lines, the first a multiple of `step`.
  private mutating func part(_ total: Int, step: Int = 1) -> (first: Int, count: Int) {
    let first = step * random.below((total - 1) / step + 1)
    return (first, 1 + random.below(total - first))
  }

  private mutating func step(_ m: Memory, _ core: Int, isShared: Bool) {
    if chance(24) { p.emit(QueueBarrier(Queue.allCases[random.below(Queue.count)])) }
    if chance(40) { p.emit(CoreBarrier()) }
    p.pushScope("step")
    switch random.below(12) {
    case 0, 1, 2: load(m, core, isShared: isShared)
    case 3: feed(m)
    case 4, 5: multiply(m)
    case 6: drain(m)
    case 7, 8: store(m, core, isShared: isShared)
    default: vector(m)
    }
    p.popScope()
    if taps < Self.mostTaps && chance(12) { tap(m, core) }
  }

  /// A tap of more than its micro-op wrote.
  private mutating func tap(_ m: Memory, _ core: Int) {
    let slot = random.below(2)
    let tile = m.ub.tile(slot: slot, row: 1, rows: 1)
    p.emit(WithScalar<AddRule>(tile, tile, 1))
    p.tap(
      m.ub.tile(slot: slot), tensor: tensors?.tap ?? 0, slot: Self.mostTaps * core + taps)
    if isIsolated { p.emit(CoreBarrier()) }
    taps += 1
  }

  private mutating func load(_ m: Memory, _ core: Int, isShared: Bool) {
    guard let t = tensors else { return }
    let (rows, columns) = (part(4), part(64, step: 4))
    let slot = random.below(2)
    let target = m.ub.tile(
      slot: slot, row: rows.first, column: columns.first, rows: rows.count, columns: columns.count)
    switch random.below(8) {
    case 0:
      emit(
        LoadL1(
          m.l1.tile(slot: slot, row: rows.first, rows: rows.count),
          from: t.xm.tile(row: 4 - rows.count, rows: rows.count)))
    case 1 where m.l1Alias != nil:
      if let alias = m.l1Alias {
        let width = 1 + random.below(40)
        emit(
          LoadL1(
            alias.tile(row: slot, column: 32 * slot, rows: 1, columns: width),
            from: t.xm.tile(rows: 1, columns: width)))
      }
    case 1: emit(LoadL1(m.l1W.tile(row: 32 * slot, rows: 32), from: t.w.tile(rows: 32)))
    case 2, 3:
      let list = random.below(2)
      emit(
        GatherUB(
          target,
          from: m.y.gathered(
            t.lists[list], first: random.below(4 - rows.count + 1), rows: rows.count,
            column: columns.first, columns: columns.count)))
    case 4:
      emit(
        LoadUB(
          target,
          from: t.z.tile(
            slot: isShared ? random.below(p.machine.cores) : core, row: rows.first,
            column: columns.first, rows: rows.count, columns: columns.count)))
    case 5 where m.alias != nil:
      if let alias = m.alias {
        emit(LoadUB(alias.tile(rows: 1, columns: 20), from: t.x.tile(rows: 1, columns: 20)))
      }
    case 5, 6:
      emit(
        LoadUB(
          target,
          from: m.y.tile(
            row: random.below(8 - rows.count + 1), column: columns.first, rows: rows.count,
            columns: columns.count)))
    default:
      emit(
        LoadUB(
          target,
          from: t.x.tile(
            row: random.below(8 - rows.count + 1), column: columns.first, rows: rows.count,
            columns: columns.count)))
    }
  }

  private mutating func feed(_ m: Memory) {
    let rows = part(4)
    let (from, to) = (random.below(2), random.below(2))
    switch random.below(4) {
    case 0: emit(FeedRight(m.right.tile(slot: to, rows: 32), from: m.l1W.tile(rows: 32)))
    case 1:
      emit(
        FeedRightTransposed(
          m.right.tile(slot: to, column: 16 * from, rows: 64, columns: rows.count),
          from: m.l1.tile(slot: from, row: rows.first, rows: rows.count)))
    default:
      let columns = [64, 40, 32][random.below(3)]
      emit(
        FeedLeft(
          m.left.tile(slot: to, row: rows.first, rows: rows.count, columns: columns),
          from: m.l1.tile(slot: from, row: rows.first, rows: rows.count, columns: columns)))
    }
  }

  private mutating func multiply(_ m: Memory) {
    let rows = part(4)
    let columns = 8 * (1 + random.below(4))
    let slot = random.below(2)
    let flagged = chance(4)
    let sum =
      flagged
      ? m.acc.tile(slot: slot, rows: 4, columns: 8)
      : m.acc.tile(slot: slot, row: rows.first, rows: rows.count, columns: columns)
    let count = 1 + random.below(4)
    for step in 0..<count {
      let depth = [64, 40, 32][random.below(3)]
      let (left, right) = (random.below(2), random.below(2))
      emit(
        Matmul(
          sum,
          left: flagged
            ? m.left.tile(slot: left, columns: depth)
            : m.left.tile(slot: left, row: rows.first, rows: rows.count, columns: depth),
          right: m.right.tile(slot: right, rows: depth, columns: flagged ? 8 : columns),
          accumulate: step > 0 || chance(3),
          unit: flagged ? step == count - 1 ? .release : .hold : .none))
    }
    guard flagged else { return }
    let target = 4 * random.below(4)
    if chance(2) {
      emit(
        DrainUB(
          m.ub.tile(slot: random.below(2), column: target, columns: 8), from: sum, unit: true))
    } else {
      emit(DrainHBM(m.y.tile(rows: 4, columns: 8), from: sum, unit: true))
    }
  }

  private mutating func drain(_ m: Memory) {
    let rows = part(4)
    let source = m.acc.tile(slot: random.below(2), row: rows.first, rows: rows.count, columns: 16)
    if chance(2) {
      emit(
        DrainUB(
          m.ub.tile(
            slot: random.below(2), row: rows.first, column: 4 * random.below(12),
            rows: rows.count, columns: 16), from: source))
    } else {
      emit(
        DrainHBM(
          m.y.tile(row: random.below(5), column: 16, rows: rows.count, columns: 16), from: source))
    }
  }

  private mutating func store(_ m: Memory, _ core: Int, isShared: Bool) {
    guard let t = tensors else { return }
    let (rows, columns) = (part(4), part(64, step: 4))
    let slot = random.below(2)
    let source = m.ub.tile(
      slot: slot, row: rows.first, column: columns.first, rows: rows.count, columns: columns.count)
    switch random.below(6) {
    case 0, 1:
      let depth = 1 + random.below(64)
      emit(
        StoreL1(
          m.l1.tile(slot: random.below(2), row: rows.first, rows: rows.count, columns: depth),
          from: m.mx.tile(slot: slot, row: rows.first, rows: rows.count, columns: depth)))
    case 2:
      emit(
        StoreScatter(
          m.y.gathered(
            t.lists[random.below(2)], first: random.below(4 - rows.count + 1), rows: rows.count,
            column: columns.first, columns: columns.count), from: source))
    case 3 where m.over != nil:
      if let over = m.over { emit(StoreHBM(m.y.tile(rows: 1, columns: 4), from: over.tile())) }
    case 3 where !isShared:
      emit(
        StoreHBM(
          t.z.tile(
            slot: core, row: rows.first, column: columns.first, rows: rows.count,
            columns: columns.count), from: source))
    default:
      emit(
        StoreHBM(
          m.y.tile(
            row: random.below(8 - rows.count + 1), column: columns.first, rows: rows.count,
            columns: columns.count), from: source))
    }
  }

  private mutating func vector(_ m: Memory) {
    let (rows, columns) = (part(4), part(64, step: 4))
    let slot = random.below(2)
    let result = m.ub.tile(
      slot: slot, row: rows.first, column: columns.first, rows: rows.count, columns: columns.count)
    var sources: [Tile<UB>] = []
    for _ in 0..<2 {
      let other = m.ub.tile(
        slot: 1 - slot, row: random.below(4 - rows.count + 1), column: columns.first,
        rows: rows.count, columns: columns.count)
      sources.append(chance(3) ? result : other)
    }
    switch random.below(8) {
    case 0: emit(Fill(m.over?.tile() ?? result, Float(random.below(9))))
    case 1: emit(Fill(m.alias?.tile(row: slot, rows: 1) ?? result, 3))
    case 2, 3: emit(WithScalar<AddRule>(result, sources[0], 1))
    case 4, 5:
      let width = 1 + random.below(64)
      emit(
        EncodeMX(
          m.mx.tile(slot: random.below(2), row: rows.first, rows: rows.count, columns: width),
          m.ub.tile(slot: slot, row: rows.first, rows: rows.count, columns: width)))
    default: emit(Elementwise<AddRule>(result, sources[0], sources[1]))
    }
  }

  /// The words of all outputs and taps after running, from inputs that are the same for every order.
  static func words(_ made: Made, _ program: Program, order: [OrderStep]? = nil) throws -> [[UInt8]]
  {
    let state = MachineState(program)
    var random = SeededGenerator(seed: 7)
    for id in made.inputs {
      let buffer = program.buffers[Int(id)]
      if buffer.format == .f32 {
        try state.fill(
          id, floats: (0..<buffer.payloadExtent / 4).map { _ in Float(random.below(2000)) / 128 })
      } else {
        let payload = (0..<buffer.payloadExtent).map { _ in UInt8(random.below(256)) }
        let scales = (0..<buffer.scaleExtent).map { _ in UInt8(118 + random.below(6)) }
        try state.fill(id, bytes: payload, scales: scales)
      }
    }
    let outputs = { made.outputs.map { state.readTensor($0).payload } }
    if let order {
      _ = try FunctionalEngine.run(program, state: state, order: order)
      return outputs()
    }
    let result = try FunctionalEngine.run(program, state: state)
    return outputs() + result.taps.map(\.payload)
  }
}
