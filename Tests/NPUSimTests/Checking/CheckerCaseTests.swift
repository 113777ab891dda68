import NPUSim
import Testing

/// Small programs whose verdict is known, by name.
@Suite struct CheckerCaseTests {
  /// A core with one 64-wide row of input and output, a ring between, and explicit events.
  struct Bench {
    var p: ProgramBuilder
    let x: BufferHandle<HBM>
    let y: BufferHandle<HBM>
    let a: BufferHandle<UB>
    let b: BufferHandle<UB>

    init(_ machine: MachineConfiguration = TestMachine.small()) throws {
      p = ProgramBuilder(machine: machine, catalogue: .standard, isExplicit: true)
      x = try p.tensor("x", .bf16, rows: 8, columns: 64, role: .input)
      y = try p.tensor("y", .bf16, rows: 8, columns: 64, role: .scratch)
      a = try p.buffer("a", in: UB.self, .bf16, slots: 2, rows: 1, columns: 64)
      b = try p.buffer("b", in: UB.self, .bf16, slots: 2, rows: 1, columns: 64)
    }

    mutating func load(_ slot: Int = 0, row: Int = 0) {
      p.emit(LoadUB(a.tile(slot: slot), from: x.tile(row: row, rows: 1)))
    }
    mutating func exp(_ slot: Int = 0) {
      p.emit(Special<ExpRule>(b.tile(slot: slot), a.tile(slot: slot)))
    }
    mutating func store(_ slot: Int = 0, row: Int = 0) {
      p.emit(StoreHBM(y.tile(row: row, rows: 1), from: b.tile(slot: slot)))
    }
    mutating func set(_ from: Queue, _ to: Queue, _ id: UInt16 = 0) {
      p.emit(SetEvent(Event(from: from, to: to, id: id)))
    }
    mutating func wait(_ from: Queue, _ to: Queue, _ id: UInt16 = 0) {
      p.emit(WaitEvent(Event(from: from, to: to, id: id)))
    }
    mutating func sync(_ from: Queue, _ to: Queue, _ id: UInt16 = 0) {
      set(from, to, id)
      wait(from, to, id)
    }
    consuming func codes(_ options: CheckOptions = CheckOptions()) -> [FindingCode] {
      Checker.check(p.build(), options).findings.map(\.code)
    }
  }

  @Test func `a load, a function and a store in order are proved`() throws {
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.exp()
    t.sync(.vector, .store)
    t.store()
    let result = Checker.check(t.p.build())
    #expect(result.findings.isEmpty)
    #expect(result.proof.isProved)
    #expect(result.proof.events == 2)
    #expect(result.proof.microOps == 7)
  }

  @Test func `a read without an event is H001, and names the edge it needs`() throws {
    var t = try Bench()
    t.load()
    t.exp()
    let result = Checker.check(t.p.build())
    let race = try #require(result.findings.first)
    #expect(race.code == .H001)
    #expect(race.sites.map(\.op) == [0, 1])
    #expect(race.missing == "an event load->vector between #0 and #1")
    #expect(race.message.contains("a[0][0 +: 1, 0 +: 64]"))
    #expect(race.message.contains("load.ub #0"))
    // Nothing else initialises what it reads: mended with the race, it is no finding of its own.
    #expect(result.findings.map(\.code) == [.H001])
    #expect(!result.proof.isProved)
  }

  @Test func `a write without an event after a read is H002`() throws {
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.exp()
    t.load(0, row: 1)
    #expect(t.codes() == [.H002])
  }

  @Test func `two queues that write the same bytes are H003`() throws {
    var t = try Bench()
    t.load()
    t.p.emit(CopyUB(t.a.tile(slot: 0), t.b.tile(slot: 1)))
    #expect(t.codes() == [.H003, .I001])
  }

  @Test func `signal ahead of data: a set before the write orders nothing`() throws {
    var t = try Bench()
    t.set(.load, .vector)
    t.load()
    t.wait(.load, .vector)
    t.exp()
    #expect(t.codes() == [.H001])
  }

  @Test func `a missing vector barrier is found on a queue that does not interlock`() throws {
    var interlocks = Array(repeating: true, count: Queue.count)
    for isBarred in [false, true] {
      interlocks[Queue.vector.index] = false
      var t = try Bench(TestMachine.small(interlocks: interlocks))
      t.load()
      t.sync(.load, .vector)
      t.exp()
      if isBarred { t.p.emit(QueueBarrier(.vector)) }
      t.p.emit(Special<ExpRule>(t.b.tile(slot: 1), t.b.tile(slot: 0)))
      #expect(t.codes() == (isBarred ? [] : [.H001]))
    }
  }

  @Test func `a round trip through another queue shows a queue its own results`() throws {
    var interlocks = Array(repeating: true, count: Queue.count)
    interlocks[Queue.vector.index] = false
    var t = try Bench(TestMachine.small(interlocks: interlocks))
    t.load()
    t.sync(.load, .vector)
    t.exp()
    t.sync(.vector, .store)
    t.sync(.store, .vector)
    t.p.emit(Special<ExpRule>(t.b.tile(slot: 1), t.b.tile(slot: 0)))
    #expect(t.codes() == [])
  }

  @Test func `the dropped write-after-read back edge of a loop is found from the second turn`()
    throws
  {
    var t = try Bench()
    for turn in 0..<4 {
      t.load(0, row: turn)
      t.sync(.load, .vector)
      t.exp()
      t.sync(.vector, .store)
      t.store(0, row: turn)
      t.sync(.store, .vector)
    }
    let result = Checker.check(t.p.build())
    // Nothing tells load when a turn is over: not for the slot, nor for the event it sets again.
    #expect(Set(result.findings.map(\.code)) == [.H002, .S008])
    // Each load races with the reads of all earlier turns.
    #expect(result.raceCount == 6)
  }

  @Test func `an event ID reused before its wait is S004`() throws {
    var t = try Bench()
    t.load(0)
    t.set(.load, .vector)
    t.load(1, row: 1)
    t.set(.load, .vector)
    t.wait(.load, .vector)
    t.exp(0)
    t.wait(.load, .vector)
    t.exp(1)
    #expect(t.codes() == [.S004])
  }

  @Test func `events with an ID each are no reuse`() throws {
    var t = try Bench()
    t.load(0)
    t.set(.load, .vector, 0)
    t.load(1, row: 1)
    t.set(.load, .vector, 1)
    t.wait(.load, .vector, 0)
    t.exp(0)
    t.wait(.load, .vector, 1)
    t.exp(1)
    #expect(t.codes() == [])
  }

  @Test func `unpaired, leftover and surplus events have codes of their own`() throws {
    var unpaired = try Bench()
    unpaired.set(.load, .vector)
    #expect(unpaired.codes() == [.S001])

    var leftover = try Bench()
    leftover.sync(.load, .vector)
    leftover.sync(.vector, .load)
    leftover.set(.load, .vector)
    #expect(leftover.codes() == [.S003])

    var surplus = try Bench()
    surplus.sync(.load, .vector)
    surplus.wait(.load, .vector)
    #expect(surplus.codes() == [.S002, .D002])
  }

  @Test func `an event ID that the machine does not have is S005`() throws {
    var t = try Bench()
    t.sync(.load, .vector, 7)
    #expect(t.codes() == [])
    var u = try Bench()
    u.sync(.load, .vector, 8)
    #expect(u.codes() == [.S005])
  }

  @Test func `two queues that wait for each other first are a cycle, with a line each`() throws {
    var t = try Bench()
    t.wait(.vector, .load)
    t.set(.load, .vector)
    t.wait(.load, .vector)
    t.set(.vector, .load)
    let result = Checker.check(t.p.build())
    let cycle = try #require(result.findings.first { $0.code == .D001 })
    #expect(cycle.message.split(separator: "\n").count == 3)
    #expect(cycle.sites.count == 2)
    #expect(!result.proof.isProved)
    #expect(result.proof.outside.count == 1)
  }

  @Test func `a wait before its set is no deadlock by itself`() throws {
    var t = try Bench()
    t.wait(.load, .vector)
    t.exp()
    t.load()
    t.set(.load, .vector)
    #expect(t.codes() == [])
  }

  @Test func `a set behind a barrier on all that its wait stands before is a cycle`() throws {
    var t = try Bench()
    t.wait(.load, .vector)
    t.p.emit(CoreBarrier())
    t.set(.load, .vector)
    #expect(t.codes() == [.D001])
  }

  @Test func `capacity deadlock of a full queue, exactly at the depth`() throws {
    for depth in 1...4 {
      var t = try Bench(TestMachine.small(depth: depth))
      t.wait(.load, .vector)
      // The wait holds one slot; two more micro-ops fit from a depth of three.
      t.exp()
      t.p.emit(CopyUB(t.b.tile(slot: 1), t.b.tile(slot: 0)))
      t.load()
      t.set(.load, .vector)
      #expect(t.codes() == (depth < 3 ? [.D003] : []))
    }
  }

  @Test func `uninitialised bytes of a partly written tile are found`() throws {
    var t = try Bench()
    t.p.emit(LoadUB(t.a.tile(slot: 0, columns: 56), from: t.x.tile(rows: 1, columns: 56)))
    t.sync(.load, .vector)
    t.exp()
    #expect(t.codes() == [.I001])
  }

  @Test func `an output tensor that is read before it is written is uninitialised`() throws {
    var t = try Bench()
    t.p.emit(LoadUB(t.a.tile(slot: 0), from: t.y.tile(rows: 1)))
    #expect(t.codes() == [.I001])
  }

  @Test func `defects of the layout become findings with their codes`() throws {
    var t = try Bench()
    t.p.emit(LoadUB(t.a.tile(slot: 2), from: t.x.tile(rows: 1)))
    let result = Checker.check(t.p.build())
    #expect(result.findings.map(\.code) == [.M001])
    #expect(!result.proof.isProved)
  }

  @Test func `a micro-op on another core's memory is illegal`() throws {
    var t = try Bench(TestMachine.small(cores: 2))
    t.p.begin(core: 1)
    t.p.emit(LoadUB(t.a.tile(slot: 0), from: t.x.tile(rows: 1)))
    #expect(t.codes() == [.M005])
  }

  @Test func `cores race on HBM between two barriers over the cores`() throws {
    for isBarred in [false, true] {
      var t = try Bench(TestMachine.small(cores: 2))
      t.load()
      t.p.emit(CopyUB(t.b.tile(slot: 0), t.b.tile(slot: 0)))
      t.p.emit(CoreBarrier())
      t.exp()
      t.p.emit(CoreBarrier())
      t.store()
      if isBarred { t.p.emit(ChipBarrier()) }
      t.p.begin(core: 1)
      let c = try t.p.buffer("c", in: UB.self, .bf16, rows: 1, columns: 64)
      if isBarred { t.p.emit(ChipBarrier()) }
      t.p.emit(LoadUB(c.tile(), from: t.y.tile(rows: 1)))
      let codes = t.codes()
      #expect(codes == (isBarred ? [.I001] : [.H001, .I001]))
    }
  }

  @Test func `a barrier over the cores that one core lacks starves the others`() throws {
    var t = try Bench(TestMachine.small(cores: 2))
    t.p.emit(ChipBarrier())
    t.p.begin(core: 1)
    t.p.emit(
      LoadUB(
        try t.p.buffer("c", in: UB.self, .bf16, rows: 1, columns: 64).tile(),
        from: t.x.tile(rows: 1)))
    #expect(t.codes() == [.D002])
  }

  @Test func `a cycle behind a wait that is never answered is left out, and the proof says so`()
    throws
  {
    var t = try Bench()
    t.wait(.store, .vector)
    t.wait(.load, .vector)
    t.set(.vector, .load)
    t.wait(.vector, .load)
    t.set(.load, .vector)
    let result = Checker.check(t.p.build())
    #expect(result.findings.map(\.code) == [.S002, .D002])
    #expect(result.proof.outside.count == 1)
    #expect(!result.proof.isProved)
  }

  @Test func `a core that ends before a barrier over the cores starves one, whoever else is stuck`()
    throws
  {
    var t = try Bench(TestMachine.small(cores: 3))
    t.p.emit(ChipBarrier())
    t.p.begin(core: 1)
    t.wait(.vector, .load)
    t.set(.load, .vector)
    t.wait(.load, .vector)
    t.set(.vector, .load)
    t.p.emit(ChipBarrier())
    t.p.begin(core: 2)
    #expect(Set(t.codes()) == [.D001, .D002])
  }

  @Test func `an empty program is proved`() {
    let program = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard).build()
    let result = Checker.check(program)
    #expect(result.proof.isProved)
    #expect(result.proof.statement.contains("0 micro-ops"))
  }
}
