import NPUSim

/// Random small programs, most of them nearly right: in order, then damaged.
struct RandomPrograms {
  private var random: SeededGenerator
  /// Rules of the machine have draws of their own, and so have opaque micro-ops.
  private var rules: SeededGenerator
  /// So have unit flags, which a third of the programs carry.
  private var units: SeededGenerator
  private let hasUnits: Bool
  /// Slots of the accumulator that a flagged matmul has released.
  private var released: Set<Int> = []
  private var opaque: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    rules = SeededGenerator(seed: ~seed)
    units = SeededGenerator(seed: seed ^ 0xF1A6)
    hasUnits = units.below(3) == 0
    opaque = SeededGenerator(seed: seed ^ 0x0FA9_0E00)
  }

  private mutating func chance(_ oneIn: Int) -> Bool { random.below(oneIn) == 0 }

  private mutating func pick<T>(_ values: [T]) -> T { values[random.below(values.count)] }

  /// A pipeline of rings over two buffers, with further events that may or may not be needed, on a
  /// machine whose queues may not interlock. Mostly clean.
  mutating func cleanProgram() throws -> Program {
    var program = try pipeline(cutsTiles: false)
    for core in program.cores.indices { addEvents(&program, core) }
    if rules.below(4) == 0 {
      for core in program.cores.indices { addScalarEvents(&program, core) }
    }
    return program
  }

  /// In some programs, sets and waits of the sequencer, the wait mostly behind the set.
  private mutating func addScalarEvents(_ program: inout Program, _ core: Int) {
    guard rules.below(3) == 0 else { return }
    for _ in 0..<1 + rules.below(4) {
      let queue = EventEnd.queue(Queue.allCases[rules.below(Queue.count)])
      let isWait = rules.below(3) > 0
      let event = Event(
        source: isWait ? queue : .sequencer, target: isWait ? .sequencer : queue,
        id: UInt16(rules.below(2)))
      var places = [rules.below(program.cores[core].count + 1)]
      places.append(min(program.cores[core].count, places[0] + rules.below(5)))
      if rules.below(isWait ? 16 : 4) == 0 { places.swapAt(0, 1) }
      let (set, wait) = (places[0], places[1] + (places[1] >= places[0] ? 1 : 0))
      program.cores[core].insert(Self.record(event, isSet: true), at: set)
      program.cores[core].insert(Self.record(event, isSet: false), at: wait)
    }
  }

  private static func record(_ event: Event, isSet: Bool) -> OpRecord {
    let end = isSet ? event.source : event.target
    let kind: OpKind =
      end == .sequencer ? (isSet ? .sequencerSet : .sequencerWait) : isSet ? .set : .wait
    var record = OpRecord(
      opcode: isSet ? OpCatalogue.set : OpCatalogue.wait, queue: end.queue ?? .load, kind: kind)
    record.operandCount = 1
    record.words[0] = event.packed
    return record
  }

  /// The pipeline alone; with `cutsTiles` a slot is loaded in two parts now and then.
  mutating func pipeline(cutsTiles: Bool) throws -> Program {
    let interlocks = (0..<Queue.count).map { _ in random.below(3) > 0 }
    let cores = chance(4) ? 2 : 1
    var machine = TestMachine.small(
      cores: cores, depth: nil, eventsPerPair: nil, interlocks: interlocks)
    machine.drawRules(&rules)
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 16, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, slots: cores, rows: 16, columns: 64, role: .scratch)
    for core in 0..<cores {
      p.begin(core: core)
      var input = try p.ring(
        "in", in: UB.self, .bf16, slots: 1 + random.below(3), rows: 1, columns: 64)
      var output = try p.ring(
        "out", in: UB.self, .bf16, slots: 1 + random.below(3), rows: 1, columns: 64)
      let scratch = try p.buffer("scratch", in: UB.self, .bf16, rows: 1, columns: 64)
      for tile in 0..<(1 + random.below(5)) {
        let a = input.next()
        let b = output.next()
        let width = cutsTiles && chance(3) ? 32 : 64
        p.emit(
          LoadUB(
            a.tile(columns: width), from: x.tile(row: random.below(16), rows: 1, columns: width)))
        if width < 64 {
          p.emit(
            LoadUB(
              a.tile(column: width), from: x.tile(row: random.below(16), column: width, rows: 1)))
        }
        p.emit(Special<ExpRule>(chance(2) ? scratch.tile() : b.tile(), a.tile()))
        if chance(2) { p.emit(Elementwise<AddRule>(b.tile(), a.tile(), a.tile())) }
        p.emit(StoreHBM(y.tile(slot: core, row: tile, rows: 1), from: b.tile()))
        if chance(8) { p.emit(chance(2) ? QueueBarrier(.vector) : QueueBarrier(.store)) }
        if chance(12) { p.emit(CoreBarrier()) }
      }
      if cores > 1 { p.emit(ChipBarrier()) }
    }
    return p.build()
  }

  /// Sets and waits with IDs of their own, the wait at some distance behind the set; some IDs twice.
  private mutating func addEvents(_ program: inout Program, _ core: Int) {
    let queues: [Queue] = [.load, .vector, .store]
    for extra in 0..<random.below(4) {
      let source = pick(queues)
      let target = pick(queues.filter { $0 != source })
      let event = Event(from: source, to: target, id: UInt16(40 + extra))
      var at = random.below(program.cores[core].count)
      for _ in 0..<(chance(4) ? 2 : 1) where at < program.cores[core].count {
        var set = OpRecord(opcode: OpCatalogue.set, queue: source, kind: .set)
        set.operandCount = 1
        set.words[0] = event.packed
        program.cores[core].insert(set, at: at)
        at = min(program.cores[core].count, at + 1 + random.below(6))
        set.opcode = OpCatalogue.wait
        set.kind = .wait
        set.queue = target
        program.cores[core].insert(set, at: at)
        at += 1 + random.below(4)
      }
    }
  }

  /// Handles of one core's buffers.
  private struct Memory {
    var ub: [BufferHandle<UB>]
    var ubMX: BufferHandle<UB>
    var l1: BufferHandle<L1>
    var left: BufferHandle<Left>
    var right: BufferHandle<Right>
    var acc: BufferHandle<Acc>
    /// Results of products that go on to others; of programs with unit flags.
    var sums: BufferHandle<L1>?
  }

  mutating func program() throws -> Program {
    let cores = chance(3) ? 1 + random.below(3) : 1
    let interlocks = (0..<Queue.count).map { _ in random.below(3) > 0 }
    var machine = TestMachine.small(
      cores: cores, depth: chance(4) ? nil : 1 + random.below(chance(3) ? 32 : 8),
      eventsPerPair: 1 + random.below(8), interlocks: interlocks)
    machine.drawRules(&rules)
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 6, columns: 24, role: .input)
    let xm = try p.tensor("xm", .mxint8, rows: 4, columns: 40, role: .inputOutput)
    let wm = try p.tensor("wm", .mxint8, rows: 40, columns: 4, axis: .alongRows, role: .input)
    let y = try p.tensor("y", .bf16, rows: 6, columns: 24, role: pick([.output, .scratch]))
    let list = p.indexList([4, 0, 1, 5, 3])
    let explicit = chance(2)
    for core in 0..<cores {
      p.begin(core: core)
      let memory = try memory(&p, core)
      let count = 4 + random.below(explicit ? 16 : 22)
      var pending: [Event] = []
      var queues = Array(Queue.allCases.shuffled(using: &random).prefix(2 + random.below(5)))
      if hasUnits {
        queues = [.matrix, .drain] + queues.filter { $0 != .matrix && $0 != .drain }.prefix(2)
      }
      released = []
      for step in 0..<count {
        p.pushScope("step", iteration: step)
        if explicit {
          emitSynchronisation(&p, &pending, queues)
        } else if chance(16) {
          p.emit(QueueBarrier(pick(queues)))
        } else if chance(30) {
          p.emit(CoreBarrier())
        }
        if cores > 1 && step == count / 2 && !chance(4) { p.emit(ChipBarrier()) }
        emitData(&p, memory, x, xm, wm, y, list, queues)
        p.popScope()
      }
      if explicit {
        for event in pending where !chance(6) { p.emit(WaitEvent(event)) }
      }
    }
    var program = p.build()
    if !explicit {
      // Some that the order needs are forgotten.
      program = program.removing(program.eventPairs.filter { _ in chance(3) })
    }
    for core in program.cores.indices { addScalarEvents(&program, core) }
    program.addCoreEvents(&rules)
    damage(&program)
    return program
  }

  private mutating func memory(_ p: inout ProgramBuilder, _ core: Int) throws -> Memory {
    var ub = [try p.buffer("ring", in: UB.self, .bf16, slots: 2, rows: 3, columns: 24)]
    ub.append(try p.buffer("flat", in: UB.self, .bf16, rows: 3, columns: 24))
    if chance(2) {
      // Shares bytes with the ring at another pitch.
      ub.append(
        try p.buffer(
          "alias", in: UB.self, .bf16, rows: 3, columns: 32, at: 16 * random.below(16)))
    }
    return Memory(
      ub: ub, ubMX: try p.buffer("mx", in: UB.self, .mxint8, slots: 2, rows: 4, columns: 40),
      l1: try p.buffer("l1", in: L1.self, .mxint8, slots: 2, rows: 4, columns: 40),
      left: try p.buffer("left", in: Left.self, .mxint8, rows: 4, columns: 40),
      right: try p.buffer("right", in: Right.self, .mxint8, rows: 40, columns: 4, axis: .alongRows),
      acc: try p.buffer("acc", in: Acc.self, .bf16, slots: 2, rows: 4, columns: 8),
      sums: hasUnits ? try p.buffer("sums", in: L1.self, .bf16, rows: 2, columns: 8) : nil)
  }

  private mutating func emitSynchronisation(
    _ p: inout ProgramBuilder, _ pending: inout [Event], _ queues: [Queue]
  ) {
    for _ in 0..<random.below(3) {
      let source = pick(queues)
      let target = pick(queues.filter { $0 != source })
      let event = Event(from: source, to: target, id: UInt16(random.below(chance(4) ? 8 : 3)))
      if chance(20) {
        // The wait stands before its set.
        p.emit(WaitEvent(event))
        p.emit(SetEvent(event))
      } else if !pending.contains(event) || chance(8) {
        p.emit(SetEvent(event))
        pending.append(event)
      }
    }
    while !pending.isEmpty && !chance(3) {
      p.emit(WaitEvent(pending.remove(at: random.below(pending.count))))
    }
    if chance(14) { p.emit(QueueBarrier(pick(queues))) }
    if chance(24) { p.emit(CoreBarrier()) }
  }

  private mutating func ubTile(_ memory: Memory, rows: Int, columns: Int) -> Tile<UB> {
    let buffer = pick(memory.ub)
    return buffer.tile(
      slot: random.below(buffer.slots), row: random.below(buffer.rows - rows + 1),
      column: 8 * random.below((buffer.columns - columns) / 8 + 1), rows: rows, columns: columns)
  }

  private mutating func emitData(
    _ p: inout ProgramBuilder, _ memory: Memory, _ x: BufferHandle<HBM>, _ xm: BufferHandle<HBM>,
    _ wm: BufferHandle<HBM>, _ y: BufferHandle<HBM>, _ list: UInt32, _ queues: [Queue]
  ) {
    let rows = 1 + random.below(3)
    let columns = 8 * (1 + random.below(3))
    let slot = random.below(2)
    if opaque.below(5) == 0 { return emitOpaque(&p, memory, x, xm, wm, y, list, queues) }
    let queue = pick(queues)
    if hasUnits, emitFlagged(&p, memory, y, queue, slot) { return }
    switch queue {
    case .load:
      switch random.below(3) {
      case 0:
        p.emit(LoadL1(memory.l1.tile(slot: slot, rows: rows), from: xm.tile(rows: rows)))
      case 1:
        var source = y.tile(row: random.below(3), rows: rows, columns: columns)
        let target = ubTile(memory, rows: rows, columns: columns)
        if chance(2) {
          source.ref.indexList = list
          p.emit(GatherUB(target, from: source))
        } else {
          p.emit(LoadUB(target, from: source))
        }
      default:
        p.emit(
          LoadUB(
            ubTile(memory, rows: rows, columns: columns),
            from: x.tile(row: random.below(4), rows: rows, columns: columns)))
      }
    case .feed:
      if chance(2) {
        p.emit(FeedLeft(memory.left.tile(), from: memory.l1.tile(slot: slot)))
      } else {
        p.emit(FeedRightTransposed(memory.right.tile(), from: memory.l1.tile(slot: slot)))
      }
    case .matrix:
      let m = chance(3) ? 2 : 4
      p.emit(
        Matmul(
          memory.acc.tile(slot: slot, rows: m, columns: 4), left: memory.left.tile(rows: m),
          right: memory.right.tile(), accumulate: chance(2)))
    case .drain:
      let source = memory.acc.tile(slot: slot, rows: rows, columns: 8)
      if chance(3) {
        p.emit(DrainHBM(y.tile(rows: rows, columns: 8), from: source))
      } else {
        p.emit(DrainUB(ubTile(memory, rows: rows, columns: 8), from: source))
      }
    case .vector:
      switch random.below(3) {
      case 0:
        p.emit(
          EncodeMX(
            memory.ubMX.tile(slot: slot, rows: rows, columns: columns),
            ubTile(memory, rows: rows, columns: columns)))
      case 1:
        p.emit(
          Elementwise<AddRule>(
            ubTile(memory, rows: rows, columns: columns),
            ubTile(memory, rows: rows, columns: columns),
            ubTile(memory, rows: rows, columns: columns)))
      default:
        p.emit(
          Special<ExpRule>(
            ubTile(memory, rows: rows, columns: columns),
            ubTile(memory, rows: rows, columns: columns)))
      }
    case .store:
      switch random.below(3) {
      case 0:
        p.emit(
          StoreL1(
            memory.l1.tile(slot: slot, rows: rows), from: memory.ubMX.tile(slot: slot, rows: rows)))
      case 1:
        p.emit(StoreHBM(xm.tile(rows: rows), from: memory.ubMX.tile(slot: slot, rows: rows)))
      default:
        var target = y.tile(row: random.below(3), rows: rows, columns: columns)
        let source = ubTile(memory, rows: rows, columns: columns)
        if chance(2) {
          target.ref.indexList = list
          p.emit(StoreScatter(target, from: source))
        } else {
          p.emit(StoreHBM(target, from: source))
        }
      }
    }
  }

  /// A matmul or a drain of one tile of an accumulator, most of them with the flag that is due; false
  /// for what is to be drawn without.
  private mutating func emitFlagged(
    _ p: inout ProgramBuilder, _ memory: Memory, _ y: BufferHandle<HBM>, _ queue: Queue,
    _ slot: Int
  ) -> Bool {
    guard queue == .matrix || queue == .drain, units.below(8) > 0 else { return false }
    let rows = units.below(12) == 0 ? 1 : 2
    let tile = memory.acc.tile(slot: slot, rows: rows, columns: 4)
    let isOpaque = units.below(5) == 0
    let isDue = released.contains(slot) == (queue == .drain)
    let flags = isDue ? units.below(8) > 0 : units.below(10) == 0
    if queue == .drain {
      if flags { released.remove(slot) }
      if isOpaque {
        p.emit(
          OpaqueOp(
            "Fix", on: .drain, results: [y.tile(rows: rows, columns: 4).ref], sources: [tile.ref],
            cycles: 1 + units.below(4), unit: flags ? .release : .none))
      } else if let sums = memory.sums, units.below(3) == 0 {
        p.emit(DrainL1(sums.tile(rows: rows, columns: 4), from: tile, unit: flags))
      } else if units.below(3) == 0 {
        p.emit(DrainHBM(y.tile(rows: rows, columns: 4), from: tile, unit: flags))
      } else {
        p.emit(DrainUB(memory.ub[1].tile(rows: rows, columns: 4), from: tile, unit: flags))
      }
      return true
    }
    let unit: UnitFlag = !flags ? .none : units.below(3) == 0 ? .hold : .release
    if unit == .release { released.insert(slot) }
    if isOpaque {
      let (adds, streams) = (units.below(2) == 0, units.below(2) == 0)
      p.emit(
        OpaqueOp(
          streams ? "Sum" : "Mul", on: .matrix, results: [tile.ref],
          sources: [memory.left.tile(rows: rows).ref, memory.right.tile().ref]
            + (adds ? [tile.ref] : []), cycles: 1 + units.below(4), streams: streams, unit: unit))
    } else {
      p.emit(
        Matmul(
          tile, left: memory.left.tile(rows: rows), right: memory.right.tile(),
          accumulate: units.below(3) == 0, unit: unit))
    }
    return true
  }

  /// An instruction of another machine: tiles of any memory and format on any queue, now and then one
  /// that is read and written.
  private mutating func emitOpaque(
    _ p: inout ProgramBuilder, _ memory: Memory, _ x: BufferHandle<HBM>, _ xm: BufferHandle<HBM>,
    _ wm: BufferHandle<HBM>, _ y: BufferHandle<HBM>, _ list: UInt32, _ queues: [Queue]
  ) {
    var listed = y.tile(columns: 8).ref
    listed.indexList = list
    listed.rows = 3
    let slot = opaque.below(2)
    let written = [
      memory.ub[0].tile(slot: slot).ref, memory.ub[1].tile(row: 1, rows: 2).ref,
      memory.ub[opaque.below(memory.ub.count)].tile(columns: 16).ref, memory.ubMX.tile().ref,
      memory.l1.tile(slot: slot, rows: 2).ref, memory.left.tile(rows: 2).ref,
      memory.right.tile(columns: 2).ref, memory.acc.tile(slot: slot).ref,
      memory.acc.tile(rows: 1, columns: 4).ref, y.tile(row: opaque.below(4), rows: 2).ref,
      xm.tile(rows: 3).ref, listed,
    ]
    let read = written + [x.tile(row: 2, rows: 3).ref, wm.tile(columns: 2).ref]
    if opaque.below(4) == 0, queues.contains(.vector) {
      // Element by element: mostly on tiles of one extent, for about as long as they need.
      let even = [
        memory.ub[0].tile(slot: slot).ref, memory.ub[0].tile(slot: 1 - slot).ref,
        memory.ub[opaque.below(memory.ub.count)].tile(row: 1, rows: 2).ref,
      ]
      let tiles = (0..<(1 + opaque.below(3))).map { _ in even[min(opaque.below(6) / 2, 2)] }
      p.emit(
        OpaqueOp(
          "Even", on: .vector, results: [tiles[0]], sources: Array(tiles.dropFirst()),
          cycles: 2 + opaque.below(6), latency: opaque.below(6), streams: true))
      return
    }
    let results = (0..<opaque.below(3)).map { _ in written[opaque.below(written.count)] }
    var sources = (0..<opaque.below(4)).map { _ in read[opaque.below(read.count)] }
    if let first = results.first, opaque.below(4) == 0 { sources.append(first) }
    p.emit(
      OpaqueOp(
        ["Add", "Move", "two words"][opaque.below(3)], on: queues[opaque.below(queues.count)],
        results: results, sources: sources, cycles: 1 + opaque.below(9), latency: opaque.below(3)))
  }

  /// Deletes or exchanges a few records.
  private mutating func damage(_ program: inout Program) {
    for core in program.cores.indices {
      for _ in 0..<pick([0, 0, 1, 1, 2, 4]) where program.cores[core].count > 3 {
        let events = program.cores[core].indices.filter { program.cores[core][$0].kind != .data }
        switch random.below(3) {
        case 0:
          if let victim = events.randomElement(using: &random) {
            program.cores[core].remove(at: victim)
          }
        case 1:
          // A set together with its wait.
          let records = program.cores[core]
          let sets = events.filter { records[$0].kind == .set }
          guard let set = sets.randomElement(using: &random) else { continue }
          let waits = events.filter {
            records[$0].kind == .wait && records[$0].event == records[set].event && $0 > set
          }
          guard let wait = waits.first else { continue }
          program.cores[core].remove(at: wait)
          program.cores[core].remove(at: set)
        default:
          let a = random.below(program.cores[core].count - 1)
          program.cores[core].swapAt(a, a + 1)
        }
      }
    }
  }
}
