import NPUSim
import Testing

/// One small program for each class of synchronisation bug that is known from published kernels:
/// the right form is proved, the wrong form is reported.
@Suite struct BugClassTests {
  typealias Bench = CheckerCaseTests.Bench

  /// A double-buffered loop of load, exp and store with explicit events. Each defect is one slip.
  enum Slip {
    case none
    /// The event that frees an input slot is set once, before the loop, instead of in each turn.
    case hoistedEvent
    /// The reader uses slot 0 in every turn.
    case lostSelector
    /// The writer does not wait for the reader of its slot.
    case droppedBackEdge
    /// The reader frees its slot before it has read it.
    case earlyRelease
    /// Only whole pairs of turns free their slots; a last odd turn is forgotten.
    case evenTurnsOnly
  }

  static func loop(turns: Int, _ slip: Slip) throws -> Program {
    var t = try Bench()
    for turn in 0..<turns {
      let slot = turn % 2
      let id = UInt16(slot)
      t.p.pushScope("turn", iteration: turn)
      if turn >= 2 {
        let isSkipped =
          slip == .droppedBackEdge || (slip == .hoistedEvent && turn > 2)
        if !isSkipped { t.wait(.vector, .load, id) }
      }
      t.load(slot, row: turn)
      t.set(.load, .vector, id)
      t.wait(.load, .vector, id)
      if turn >= 2 { t.wait(.store, .vector, id) }
      let frees =
        turn + 2 < turns && slip != .droppedBackEdge && (slip != .hoistedEvent || turn == 0)
      if frees && slip == .earlyRelease { t.set(.vector, .load, id) }
      let source = slip == .lostSelector ? 0 : slot
      t.p.emit(Special<ExpRule>(t.b.tile(slot: slot), t.a.tile(slot: source)))
      if frees && slip != .earlyRelease { t.set(.vector, .load, id) }
      if !(slip == .evenTurnsOnly && turn == turns - 1 && turns % 2 == 1) {
        t.sync(.vector, .store, id)
      }
      t.store(slot, row: turn)
      if turn + 2 < turns { t.set(.store, .vector, id) }
      t.p.popScope()
    }
    return t.p.build()
  }

  private func codes(_ program: Program) -> Set<FindingCode> {
    Set(Checker.check(program).findings.map(\.code))
  }

  @Test func `the double-buffered loop itself is proved, for odd and even trip counts`() throws {
    for turns in 1...7 {
      let result = Checker.check(try Self.loop(turns: turns, .none), CheckOptions(lints: true))
      #expect(result.findings.isEmpty, "\(turns) turns")
    }
  }

  @Test func `an event hoisted out of a loop`() throws {
    #expect(codes(try Self.loop(turns: 5, .hoistedEvent)).contains(.H002))
  }

  @Test func `a ping-pong selector lost`() throws {
    #expect(codes(try Self.loop(turns: 5, .lostSelector)).contains(.H002))
  }

  @Test func `the dropped write-after-read back edge of a double-buffered loop`() throws {
    #expect(codes(try Self.loop(turns: 5, .droppedBackEdge)).contains(.H002))
  }

  @Test func `a slot released before it is read`() throws {
    #expect(codes(try Self.loop(turns: 5, .earlyRelease)).contains(.H002))
  }

  @Test func `odd trip counts: the last turn of an unrolled pair lacks its event`() throws {
    #expect(codes(try Self.loop(turns: 6, .evenTurnsOnly)).isEmpty)
    #expect(codes(try Self.loop(turns: 5, .evenTurnsOnly)).contains(.H001))
  }

  @Test func `a scratch buffer reused too early`() throws {
    // Two stages of one queue share a scratch row; the store of the first has not read it yet.
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.exp()
    t.sync(.vector, .store)
    t.store()
    t.p.emit(Fill(t.b.tile(slot: 0), 0))
    #expect(codes(t.p.build()) == [.H002])
  }

  /// A load, a function and a store whose scratch rows lie at given addresses.
  private static func overlaid(second address: Int, _ machine: MachineConfiguration) throws
    -> Program
  {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 2, columns: 32, role: .input)
    let y = try p.tensor("y", .bf16, rows: 2, columns: 32, role: .output)
    let first = try p.buffer("first", in: UB.self, .bf16, rows: 1, columns: 32, at: 0)
    let second = try p.buffer("second", in: UB.self, .bf16, rows: 1, columns: 32, at: address)
    p.emit(LoadUB(first.tile(), from: x.tile(row: 0, rows: 1)))
    p.emit(CoreBarrier())
    p.emit(LoadUB(second.tile(), from: x.tile(row: 1, rows: 1)))
    p.emit(CoreBarrier())
    p.emit(StoreHBM(y.tile(row: 0, rows: 1), from: first.tile()))
    p.emit(StoreHBM(y.tile(row: 1, rows: 1), from: second.tile()))
    return p.build()
  }

  @Test func `slot dtype width: a second slot placed as if elements were a byte wide`() throws {
    // 32 elements of two bytes: the second slot belongs at 64, not at 32.
    let machine = TestMachine.small()
    #expect(codes(try Self.overlaid(second: 64, machine)).isEmpty)
    let wrong = Checker.check(try Self.overlaid(second: 32, machine))
    #expect(wrong.findings.map(\.code) == [.M004])
    #expect(wrong.findings[0].message.contains("first (bytes 0 to 63 of ub) is still in use"))
    #expect(codes(try Self.overlaid(second: 48, machine)) == [.M004])
  }

  @Test func `buffers on the same bytes one after the other are sound`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 2, columns: 32, role: .input)
    let y = try p.tensor("y", .bf16, rows: 2, columns: 32, role: .output)
    for (row, name) in ["first", "second"].enumerated() {
      let buffer = try p.buffer(name, in: UB.self, .bf16, rows: 1, columns: 32, at: 0)
      p.emit(LoadUB(buffer.tile(), from: x.tile(row: row, rows: 1)))
      p.emit(CoreBarrier())
      p.emit(StoreHBM(y.tile(row: row, rows: 1), from: buffer.tile()))
      p.emit(CoreBarrier())
    }
    #expect(codes(p.build()).isEmpty)
  }

  @Test func `an event ID reused across overlapping fences`() throws {
    // Two loads in flight, both announced by ID 0.
    var t = try Bench()
    t.load(0)
    t.set(.load, .vector)
    t.load(1, row: 1)
    t.set(.load, .vector)
    t.wait(.load, .vector)
    t.exp(0)
    t.wait(.load, .vector)
    t.exp(1)
    #expect(codes(t.p.build()) == [.S004])
  }

  @Test func `a missing vector barrier`() throws {
    var interlocks = [Bool](repeating: true, count: Queue.count)
    interlocks[Queue.vector.index] = false
    for hasBarrier in [true, false] {
      var t = try Bench(TestMachine.small(interlocks: interlocks))
      t.load()
      t.sync(.load, .vector)
      t.exp()
      if hasBarrier { t.p.emit(QueueBarrier(.vector)) }
      t.p.emit(Special<ExpRule>(t.b.tile(slot: 1), t.b.tile(slot: 0)))
      #expect(codes(t.p.build()) == (hasBarrier ? [] : [.H001]))
    }
  }

  @Test func `signal ahead of data`() throws {
    var t = try Bench()
    t.set(.load, .vector)
    t.load()
    t.wait(.load, .vector)
    t.exp()
    #expect(codes(t.p.build()).contains(.H001))
  }

  @Test func `capacity deadlock of a full queue`() throws {
    // The sequencer stands before the vector queue, whose head waits for a load behind it.
    for count in [4, 5] {
      var t = try Bench(TestMachine.small(depth: 4))
      t.wait(.load, .vector)
      for _ in 1..<count { t.p.emit(Fill(t.b.tile(slot: 1), 0)) }
      t.load()
      t.set(.load, .vector)
      #expect(codes(t.p.build()) == (count > 4 ? [.D003] : []), "\(count) micro-ops")
    }
  }

  @Test func `a slot above the upper bound of a cache`() throws {
    var t = try Bench()
    let list = t.p.indexList([0, 8])
    var target = t.y.tile(rows: 1)
    target.ref.indexList = list
    target.ref.row = 1
    t.load()
    t.sync(.load, .vector)
    t.exp()
    t.sync(.vector, .store)
    t.p.emit(StoreScatter(target, from: t.b.tile(slot: 0)))
    let result = Checker.check(t.p.build())
    #expect(result.findings.map(\.code) == [.M006])
    #expect(result.findings[0].message.contains("list0[1] is 8, but y has rows 0 to 7"))
    #expect(!result.proof.isProved)
  }

  @Test func `scattered rows conflict only where they meet`() throws {
    for (second, expected) in [([2, 3], []), ([3, 5], [FindingCode.H003])]
      as [([Int32], [FindingCode])]
    {
      var t = try Bench(TestMachine.small(cores: 2))
      let lists = [t.p.indexList([1, 5]), t.p.indexList(second)]
      for core in 0..<2 {
        t.p.begin(core: core)
        let c = try t.p.buffer("c", in: UB.self, .bf16, rows: 2, columns: 64)
        t.p.emit(LoadUB(c.tile(), from: t.x.tile(rows: 2)))
        t.sync(.load, .store)
        var target = t.y.tile(rows: 2)
        target.ref.indexList = lists[core]
        t.p.emit(StoreScatter(target, from: c.tile()))
      }
      #expect(t.codes() == expected)
    }
  }

  @Test func `neighbouring blocks share neither payload nor scale bytes`() throws {
    // The set stands before the second load, so only the first one is ordered before the feed.
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .mxint8, rows: 64, columns: 32, axis: .alongRows, role: .input)
    let a = try p.buffer("a", in: L1.self, .mxint8, rows: 64, columns: 32, axis: .alongRows)
    let r = try p.buffer("r", in: Right.self, .mxint8, rows: 32, columns: 32, axis: .alongRows)
    p.emit(LoadL1(a.tile(rows: 32), from: x.tile(rows: 32)))
    p.emit(SetEvent(Event(from: .load, to: .feed, id: 0)))
    p.emit(LoadL1(a.tile(row: 32, rows: 32), from: x.tile(row: 32, rows: 32)))
    p.emit(WaitEvent(Event(from: .load, to: .feed, id: 0)))
    p.emit(FeedRight(r.tile(), from: a.tile(rows: 32)))
    #expect(codes(p.build()).isEmpty)
  }

  @Test func `the filled part of a last block counts as written`() throws {
    // 40 columns fill 64; a tile at column 32 overlaps only what is filled.
    for columns in [32, 40] {
      var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
      let x = try p.tensor("x", .mxint8, rows: 1, columns: 128, role: .input)
      let a = try p.buffer("a", in: L1.self, .mxint8, rows: 1, columns: 128)
      let l = try p.buffer("l", in: Left.self, .mxint8, rows: 1, columns: 128)
      p.emit(LoadL1(a.tile(column: 32, columns: 96), from: x.tile(column: 32, columns: 96)))
      p.emit(SetEvent(Event(from: .load, to: .feed, id: 0)))
      p.emit(WaitEvent(Event(from: .load, to: .feed, id: 0)))
      p.emit(FeedLeft(l.tile(column: 32, columns: 96), from: a.tile(column: 32, columns: 96)))
      p.emit(LoadL1(a.tile(columns: columns), from: x.tile(columns: columns)))
      #expect(codes(p.build()) == (columns == 32 ? [] : [.H002]))
    }
  }

  @Test func `a chain of matmuls on one tile forwards, one on part of it does not`() throws {
    var interlocks = Array(repeating: true, count: Queue.count)
    interlocks[Queue.matrix.index] = false
    for rows in [4, 2] {
      var p = ProgramBuilder(
        machine: TestMachine.small(interlocks: interlocks), catalogue: .standard)
      let x = try p.tensor("x", .mxint8, rows: 4, columns: 32, role: .input)
      let w = try p.tensor("w", .mxint8, rows: 32, columns: 8, axis: .alongRows, role: .input)
      let la = try p.buffer("la", in: L1.self, .mxint8, rows: 4, columns: 32)
      let lb = try p.buffer("lb", in: L1.self, .mxint8, rows: 32, columns: 8, axis: .alongRows)
      let left = try p.buffer("left", in: Left.self, .mxint8, rows: 4, columns: 32)
      let right = try p.buffer(
        "right", in: Right.self, .mxint8, rows: 32, columns: 8, axis: .alongRows)
      let acc = try p.buffer("acc", in: Acc.self, .bf16, rows: 4, columns: 8)
      p.emit(LoadL1(la.tile(), from: x.tile()))
      p.emit(LoadL1(lb.tile(), from: w.tile()))
      p.emit(CoreBarrier())
      p.emit(FeedLeft(left.tile(), from: la.tile()))
      p.emit(FeedRight(right.tile(), from: lb.tile()))
      p.emit(CoreBarrier())
      p.emit(Matmul(acc.tile(), left: left.tile(), right: right.tile(), accumulate: false))
      p.emit(
        Matmul(
          acc.tile(rows: rows), left: left.tile(rows: rows), right: right.tile(), accumulate: true))
      // Lowering puts a barrier on matrix where it is needed; without it the two race.
      let program = p.build()
      let barriers = program.cores[0].indices.filter {
        program.cores[0][$0].kind == .barrierQueue
      }
      #expect(barriers.count == (rows == 4 ? 0 : 1))
      #expect(codes(program).isEmpty)
      #expect(
        codes(program.removingMicroOps(barriers, core: 0))
          == (rows == 4 ? [] : [.H001]))
    }
  }
}
