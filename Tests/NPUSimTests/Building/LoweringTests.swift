import NPUSim
import Testing

@Suite struct LoweringTests {
  /// hbm → ub, vector, ub → hbm for `count` tiles through rings of `slots` slots.
  static func pipeline(count: Int, slots: Int, machine: MachineConfiguration) throws -> Program {
    try sequence(count: count, slots: slots, machine: machine).lowered()
  }

  /// The same before it is lowered.
  static func sequence(
    count: Int, slots: Int, machine: MachineConfiguration
  ) throws -> SequentialProgram {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: count, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, rows: count, columns: 64, role: .output)
    var input = try p.ring("in", in: UB.self, .bf16, slots: slots, rows: 1, columns: 64)
    var output = try p.ring("out", in: UB.self, .bf16, slots: slots, rows: 1, columns: 64)
    for i in 0..<count {
      p.pushScope("tile", iteration: i)
      let a = input.next()
      let b = output.next()
      p.emit(LoadUB(a.tile(), from: x.tile(row: i, rows: 1)))
      p.emit(Special<ExpRule>(b.tile(), a.tile()))
      p.emit(StoreHBM(y.tile(row: i, rows: 1), from: b.tile()))
      p.popScope()
    }
    return p.sequential()
  }

  @Test func `more events on their way than there are IDs are ordered on a machine without limit`()
    throws
  {
    let count = 70_000
    let machine = TestMachine.small(depth: nil, eventsPerPair: nil, memory: 1 << 23)
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: count, columns: 16, role: .input)
    let y = try p.tensor("y", .bf16, rows: count, columns: 16, role: .output)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: count, columns: 16)
    for row in 0..<count {
      p.emit(LoadUB(a.tile(row: row, rows: 1), from: x.tile(row: row, rows: 1)))
    }
    for row in 0..<count {
      let tile = a.tile(row: row, rows: 1)
      p.emit(Special<ExpRule>(tile, tile))
      p.emit(StoreHBM(y.tile(row: row, rows: 1), from: tile))
    }
    let program = p.build()
    #expect(Checker.check(program).isClean)
    #expect(try TimingEngine.run(program).cycles > 0)
  }

  @Test func `a token becomes one set after its producer and one wait before its consumer`()
    throws
  {
    let program = try Self.pipeline(count: 1, slots: 1, machine: TestMachine.small())
    #expect(
      program.cores[0].map { program.mnemonic($0) } == [
        "load.ub", "sync.set", "sync.wait", "vector.exp", "sync.set", "sync.wait", "store.hbm",
      ])
    #expect(program.defects.isEmpty)
  }

  @Test func `a second load into a one-slot ring waits for the first reader`() throws {
    let program = try Self.pipeline(count: 2, slots: 1, machine: TestMachine.small())
    let text = program.cores[0].map {
      "\(program.mnemonic($0)) \(program.catalogue[$0.opcode].describe($0, program).joined())"
    }
    #expect(text.contains("sync.wait vector->load:0"))
  }

  @Test func `a steady pipeline reuses event IDs`() throws {
    let program = try Self.pipeline(count: 40, slots: 2, machine: TestMachine.small())
    let ids = Set(program.cores[0].filter { $0.kind == .set }.map(\.event))
    #expect(ids.count <= 8)
    #expect(program.defects.isEmpty)
  }

  /// Cycles of `count` tiles that run through rings of `slots` slots on a machine with so many IDs.
  private func cycles(count: Int, slots: Int, events: Int?) throws -> Int64 {
    let program = try Self.pipeline(
      count: count, slots: slots, machine: TestMachine.small(eventsPerPair: events))
    #expect(program.defects.isEmpty)
    #expect(Checker.check(program).isClean, "\(slots) slots, \(events ?? 0) IDs")
    let ids = program.cores[0].filter { $0.kind == .set }.map { Int($0.event.id) }
    #expect((ids.max() ?? 0) < events ?? .max)
    return try TimingEngine.run(program).cycles
  }

  @Test func `rings deeper than the machine has IDs are ordered with acknowledgements`() throws {
    for slots in [1, 2, 3, 5, 8, 13] {
      let free = try cycles(count: 40, slots: slots, events: nil)
      for events in [1, 2, 3, 4, 8] {
        let taken = try cycles(count: 40, slots: slots, events: events)
        if events >= slots {
          #expect(taken == free, "\(slots) slots, \(events) IDs")
        }
      }
    }
  }

  @Test func `many results that wait at once share an event`() throws {
    var p = ProgramBuilder(
      machine: TestMachine.small(eventsPerPair: 1), catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 8, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, rows: 8, columns: 64, role: .output)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: 8, rows: 1, columns: 64)
    for i in 0..<8 { p.emit(LoadUB(a.tile(slot: i), from: x.tile(row: i, rows: 1))) }
    for i in 0..<8 { p.emit(Special<ExpRule>(a.tile(slot: i), a.tile(slot: i))) }
    for i in 0..<8 { p.emit(StoreHBM(y.tile(row: i, rows: 1), from: a.tile(slot: i))) }
    let program = p.build()
    #expect(Checker.check(program).isClean)
    // The first set takes the ID; the second wait cannot have another, and is behind the last load.
    #expect(
      program.cores[0].filter { $0.kind.isOfEvent || $0.kind.joinsQueues }.map {
        "\(program.mnemonic($0)) \(program.catalogue[$0.opcode].describe($0, program).joined())"
      }.count <= 8)
  }

  @Test func `a barrier takes the place of an event that the machine does not have`() throws {
    var machine = TestMachine.small()
    machine.eventPairs = QueuePairs(
      QueuePairs.all.list.filter { $0.source != .queue(.load) || $0.target != .queue(.vector) })
    let program = try Self.pipeline(count: 3, slots: 2, machine: machine)
    #expect(Checker.check(program).isClean)
    #expect(program.cores[0].filter { $0.kind == .barrierAll }.count == 3)
  }
}
