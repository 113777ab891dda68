import NPUSim

/// Random small machines and random small programs with explicit events, for the timing suites.
///
/// Programs are legal in layout; most end, some deadlock. They may race: time does not mind.
struct RandomTimedPrograms {
  var random: SeededGenerator
  /// Unit flags have draws of their own; a third of the programs carry them.
  private var units: SeededGenerator
  private let hasUnits: Bool
  /// By slot of the accumulator: releases less drains.
  private var released = [0, 0]

  /// So have opaque micro-ops.
  private var opaque: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    units = SeededGenerator(seed: seed ^ 0xF1A6)
    hasUnits = units.below(3) == 0
    opaque = SeededGenerator(seed: ~seed)
  }

  private mutating func pick(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  private mutating func chance(_ percent: Int) -> Bool { random.below(100) < percent }

  private mutating func rate() -> Rate {
    if chance(8) { return .unlimited }
    return Rate(Int64(pick(5...97)), over: Int64(pick(1...4))) ?? .unlimited
  }

  private mutating func hbm() -> MachineConfiguration.HBMSpec {
    let shares = [(1, 1), (9, 10), (7, 8), (3, 4), (1, 2)].compactMap { Rate($0, over: $1) }
    let alone = pick(0...4)
    return .init(
      rate: rate(), burst: [1, 8, 32, 48, 64][pick(0...4)], readEfficiency: shares[alone],
      mixedEfficiency: shares[pick(alone...4)])
  }

  mutating func machine() -> MachineConfiguration {
    let memories = Space.allCases.map { space in
      MachineConfiguration.MemorySpec(
        bytes: 1 << 20, alignment: space == .hbm ? 1 : 1 << pick(0...5))
    }
    var machine = MachineConfiguration(
      name: "random", summary: "", clockHz: 1_000_000_000, cores: pick(1...3),
      coreBarrier: Int64(pick(0...9)),
      matrix: .init(
        kind: chance(25) ? .systolic : .cube, m0: 1 << pick(1...3), k0: 32, n0: 1 << pick(1...4),
        accumulator: .bf16,
        cyclesPerTile: Int64(pick(0...2)), overhead: Int64(pick(0...3)),
        latency: Int64(pick(0...6)), forwardTiles: [1, 1, 2, 4, nil][pick(0...4)],
        array: SystolicArray(
          [.outputStationary, .weightStationary, .inputStationary][pick(0...2)], rows: pick(1...6),
          columns: pick(1...6), foldOverlap: Int64(pick(0...12)))),
      vector: .init(
        lanes: 1 << pick(0...4), minimumOccupancy: Int64(pick(0...3)),
        slopes: VectorClass.allCases.map { _ in Int64(pick(0...2)) },
        latencies: VectorClass.allCases.map { _ in Int64(pick(0...6)) }),
      sfuMode: .correctlyRounded, memories: memories,
      paths: TransferPath.allCases.map { _ in .init(rate: rate(), latency: Int64(pick(0...6))) },
      hbm: hbm(),
      queueDepth: chance(20) ? nil : pick(1...4),
      interlocks: (0..<Queue.count).map { _ in
        chance(70) ? .full : chance(50) ? .stream : .none
      }, eventsPerPair: nil,
      eventPropagation: Int64(pick(0...5)))
    for path in machine.paths.indices {
      if chance(30) { machine.paths[path].rowCycles = Int64(pick(1...9)) }
      if chance(20) { machine.paths[path].issueCycles = Int64(pick(1...9)) }
    }
    if chance(30) { machine.vector.widthBytes = [4, 6, 16, 64][pick(0...3)] }
    if chance(50) { machine.vector.nativeFormats = [[.f32], [.f16, .f32], []][pick(0...2)] }
    if chance(30) { machine.vector.units = pick(1...3) }
    for pair in QueuePairs.all.list where chance(10) {
      machine.propagationBetween[pair.source, pair.target] = Int64(pick(0...9))
    }
    return machine
  }

  private struct Buffers {
    var input: BufferHandle<HBM>
    var output: BufferHandle<HBM>
    var weights: BufferHandle<HBM>
    var l1: BufferHandle<L1>
    var left: BufferHandle<Left>
    var right: BufferHandle<Right>
    var acc: BufferHandle<Acc>
    var sums: BufferHandle<L1>
    var ub: BufferHandle<UB>
    var encoded: BufferHandle<UB>
    var alignment: Int
  }

  /// A program of 5 to `most` micro-ops on each core of `machine`.
  mutating func program(_ machine: MachineConfiguration, most: Int = 40) throws -> Program {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let input = try p.tensor("x", .bf16, rows: 12, columns: 40, role: .input)
    let weights = try p.tensor("w", .mxint8, rows: 12, columns: 72, role: .input)
    let output = try p.tensor("y", .bf16, rows: 12, columns: 40, role: .output)
    let joins = chance(30) ? pick(0...2) : 0
    for core in 0..<machine.cores {
      p.begin(core: core)
      let buffers = Buffers(
        input: input, output: output, weights: weights,
        l1: try p.buffer("l1", in: L1.self, .mxint8, rows: 12, columns: 72),
        left: try p.buffer("left", in: Left.self, .mxint8, rows: 12, columns: 72),
        right: try p.buffer(
          "right", in: Right.self, .mxint8, slots: 2, rows: 64, columns: 32, axis: .alongRows),
        acc: try p.buffer("acc", in: Acc.self, .bf16, slots: 2, rows: 12, columns: 32),
        sums: try p.buffer("sums", in: L1.self, .bf16, rows: 4, columns: 8),
        ub: try p.buffer("ub", in: UB.self, .bf16, rows: 12, columns: 40),
        encoded: try p.buffer("mx", in: UB.self, .mxint8, rows: 12, columns: 72),
        alignment: 16)
      released = [0, 0]
      emit(&p, buffers, pick(5...most), joins: joins)
    }
    var program = p.build()
    program.addCoreEvents(&random)
    return program
  }

  /// Emits micro-ops; sets and waits come in pairs, mostly in the order that ends.
  private mutating func emit(
    _ p: inout ProgramBuilder, _ buffers: Buffers, _ count: Int, joins: Int
  ) {
    var open: [Event] = []
    var ahead: [Event] = []
    for index in 0..<count {
      if joins > 0 && index % (count / joins + 1) == count / (joins + 1) { p.emit(ChipBarrier()) }
      switch pick(0...99) {
      case 0..<14:
        let event = randomEvent()
        if chance(event.target == .sequencer ? 1 : 4) {
          // The wait comes first; only another queue can set it.
          p.emit(WaitEvent(event))
          ahead.append(event)
        } else {
          p.emit(SetEvent(event))
          open.append(event)
        }
      case 14..<28:
        if !open.isEmpty {
          p.emit(WaitEvent(open.remove(at: random.below(open.count))))
        }
        if !ahead.isEmpty && chance(60) { p.emit(SetEvent(ahead.removeFirst())) }
      case 28..<31: p.emit(QueueBarrier(Queue.allCases[random.below(Queue.count)]))
      case 31..<32: p.emit(CoreBarrier())
      default: data(&p, buffers)
      }
      if hasUnits && units.below(3) == 0 { flagged(&p, buffers) }
    }
    for slot in released.indices where units.below(8) > 0 {
      while released[slot] != 0 { flagged(&p, buffers, slot, releases: released[slot] < 0) }
    }
    // Joins are counted alike on every core: make up for those that did not fit.
    let made =
      joins == 0 ? 0 : (0..<count).count { $0 % (count / joins + 1) == count / (joins + 1) }
    for _ in 0..<max(0, 3 - made) where joins > 0 { p.emit(ChipBarrier()) }
    for event in ahead { p.emit(SetEvent(event)) }
    if chance(80) { for event in open { p.emit(WaitEvent(event)) } }
  }

  private mutating func randomEvent() -> Event {
    let source = random.below(Queue.count)
    let target = (source + 1 + random.below(Queue.count - 1)) % Queue.count
    var event = Event(
      from: Queue.allCases[source], to: Queue.allCases[target], id: UInt16(pick(0...1)))
    if chance(12) { event.target = .sequencer } else if chance(10) { event.source = .sequencer }
    return event
  }

  /// First and count of a part of `total` elements that starts on a multiple of `step`.
  private mutating func part(_ total: Int, step: Int = 1) -> (first: Int, count: Int) {
    let first = step * random.below((total - 1) / step + 1)
    return (first, 1 + random.below(total - first))
  }

  private mutating func data(_ p: inout ProgramBuilder, _ b: Buffers) {
    let rows = part(12)
    let columns = part(40, step: b.alignment)
    let blocks = part(72, step: 32)
    if opaque.below(6) == 0 {
      let tiles = [b.input.tile().ref, b.output.tile().ref, b.ub.tile().ref, b.acc.tile().ref]
      if opaque.below(3) == 0 {
        let even = [b.ub.tile().ref, b.ub.tile().ref, b.ub.tile(rows: 1).ref]
        return p.emit(
          OpaqueOp(
            "Even", on: .vector, results: [even[opaque.below(3)]], sources: [even[opaque.below(3)]],
            cycles: 1 + opaque.below(9), latency: opaque.below(8), streams: true))
      }
      p.emit(
        OpaqueOp(
          "Any", on: Queue.allCases[opaque.below(Queue.count)],
          results: [tiles[1 + opaque.below(3)]], sources: [tiles[opaque.below(4)]],
          cycles: 1 + opaque.below(30), latency: opaque.below(8)))
      return
    }
    switch pick(0...10) {
    case 0, 1:
      p.emit(
        LoadUB(
          b.ub.tile(
            row: rows.first, column: columns.first, rows: rows.count, columns: columns.count),
          from: b.input.tile(
            row: rows.first, column: random.below(41 - columns.count), rows: rows.count,
            columns: columns.count)))
    case 2:
      p.emit(
        LoadL1(
          b.l1.tile(row: rows.first, column: blocks.first, rows: rows.count, columns: blocks.count),
          from: b.weights.tile(
            row: rows.first, column: blocks.first, rows: rows.count, columns: blocks.count)))
    case 3:
      p.emit(
        FeedLeft(
          b.left.tile(
            row: rows.first, column: blocks.first, rows: rows.count, columns: blocks.count),
          from: b.l1.tile(
            row: rows.first, column: blocks.first, rows: rows.count, columns: blocks.count)))
    case 4:
      let k = min(blocks.count, 64)
      p.emit(
        FeedRightTransposed(
          b.right.tile(slot: random.below(2), column: 0, rows: k, columns: rows.count),
          from: b.l1.tile(row: rows.first, column: 0, rows: rows.count, columns: k)))
    case 5, 6:
      let k = 1 + random.below(64)
      let n = 1 + random.below(32)
      p.emit(
        Matmul(
          b.acc.tile(slot: random.below(2), row: rows.first, rows: rows.count, columns: n),
          left: b.left.tile(row: rows.first, rows: rows.count, columns: k),
          right: b.right.tile(slot: random.below(2), rows: k, columns: n), accumulate: chance(60)))
      if chance(50) { repeatMatmul(&p, b) }
    case 7:
      let n = min(columns.count, 32)
      p.emit(
        DrainUB(
          b.ub.tile(row: rows.first, column: columns.first, rows: rows.count, columns: n),
          from: b.acc.tile(slot: random.below(2), row: rows.first, rows: rows.count, columns: n)))
    case 8:
      p.emit(
        StoreHBM(
          b.output.tile(
            row: rows.first, column: random.below(41 - columns.count), rows: rows.count,
            columns: columns.count),
          from: b.ub.tile(
            row: rows.first, column: columns.first, rows: rows.count, columns: columns.count)))
    case 9:
      p.emit(
        EncodeMX(
          b.encoded.tile(row: rows.first, rows: rows.count, columns: columns.count),
          b.ub.tile(
            row: rows.first, column: columns.first, rows: rows.count, columns: columns.count)))
    default: vector(&p, b)
    }
  }

  /// A matmul or a drain with a unit flag; now and then the drain comes first.
  private mutating func flagged(_ p: inout ProgramBuilder, _ b: Buffers) {
    let slot = units.below(2)
    let isDue = units.below(8) > 0
    flagged(&p, b, slot, releases: released[slot] > 0 ? !isDue : isDue)
  }

  private mutating func flagged(
    _ p: inout ProgramBuilder, _ b: Buffers, _ slot: Int, releases: Bool
  ) {
    let tile = b.acc.tile(slot: slot, rows: 4, columns: 8)
    if releases {
      let holds = units.below(3) == 0
      p.emit(
        Matmul(
          tile, left: b.left.tile(rows: 4, columns: 32), right: b.right.tile(rows: 32, columns: 8),
          accumulate: holds, unit: holds ? .hold : .release))
      if !holds { released[slot] += 1 }
    } else {
      if units.below(2) == 0 {
        p.emit(DrainUB(b.ub.tile(rows: 4, columns: 8), from: tile, unit: true))
      } else {
        p.emit(DrainL1(b.sums.tile(), from: tile, unit: true))
      }
      released[slot] -= 1
    }
  }

  /// A chain of matmuls on one accumulator tile.
  private mutating func repeatMatmul(_ p: inout ProgramBuilder, _ b: Buffers) {
    for step in 0..<pick(2...4) {
      p.emit(
        Matmul(
          b.acc.tile(rows: 4, columns: 8), left: b.left.tile(rows: 4, columns: 32),
          right: b.right.tile(rows: 32, columns: 8), accumulate: step > 0))
    }
  }

  private mutating func vector(_ p: inout ProgramBuilder, _ b: Buffers) {
    let rows = 1 + random.below(4)
    let columns = 1 + random.below(8)
    func tile(_ random: inout SeededGenerator) -> Tile<UB> {
      b.ub.tile(
        row: random.below(9), column: b.alignment * random.below(3), rows: rows, columns: columns)
    }
    let result = tile(&random)
    let first = tile(&random)
    let second = tile(&random)
    switch pick(0...2) {
    case 0: p.emit(Elementwise<AddRule>(result, first, second))
    case 1: p.emit(Special<ExpRule>(result, first))
    default: p.emit(WithScalar<MulRule>(result, first, 2))
    }
  }
}
