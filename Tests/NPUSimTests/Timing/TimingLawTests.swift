import NPUSim
import Testing

/// Each rule of time at its exact edge: not a cycle before, not a cycle after.
@Suite struct TimingLawTests {
  /// A core's queues with one `ub` buffer and a pair of tensors, on the small test machine:
  /// HBM paths 8 B a cycle, HBM 12.8 B a cycle, others 16; `exp` of 4 elements takes 2 cycles and is
  /// visible 4 later; a 4 × 32 × 4 matmul takes 2 and is visible 3 later.
  struct Bench {
    var p: ProgramBuilder
    let ub: BufferHandle<UB>
    let input: BufferHandle<HBM>
    let output: BufferHandle<HBM>

    init(_ machine: MachineConfiguration = TestMachine.small()) throws {
      p = ProgramBuilder(machine: machine, catalogue: .standard)
      input = try p.tensor("x", .bf16, rows: 16, columns: 128, role: .input)
      output = try p.tensor("y", .bf16, rows: 16, columns: 128, role: .output)
      ub = try p.buffer("ub", in: UB.self, .bf16, rows: 16, columns: 128)
    }

    /// `exp` of `count` elements of row `from` into row `to`.
    mutating func exp(_ to: Int, from: Int, count: Int = 4) {
      p.emit(
        Special<ExpRule>(
          ub.tile(row: to, rows: 1, columns: count), ub.tile(row: from, rows: 1, columns: count)))
    }

    /// The instants of core 0.
    consuming func instants(_ options: TimingOptions = .init()) throws -> [OpInstants] {
      var options = options
      options.timeline = true
      let program = p.build()
      #expect(program.defects.isEmpty)
      return try TimingEngine.run(program, options).timeline?[0] ?? []
    }
  }

  static let vectorToStore = Event(from: .vector, to: .store, id: 0)

  @Test func `a slot is free in the cycle in which its micro-op starts`() throws {
    var bench = try Bench(TestMachine.small(depth: 2))
    for row in 0..<4 { bench.exp(row + 8, from: row, count: 40) }
    let instants = try bench.instants()
    #expect(instants.map(\.start) == [0, 10, 20, 30])
    #expect(instants.map(\.dispatch) == [0, 1, 2, 10])
  }

  @Test func `the sequencer dispatches one micro-op a cycle, and one may start at once`() throws {
    var bench = try Bench()
    bench.exp(8, from: 0)
    bench.p.emit(SetEvent(Event(from: .load, to: .feed, id: 0)))
    bench.p.emit(SetEvent(Event(from: .drain, to: .feed, id: 0)))
    let instants = try bench.instants()
    #expect(instants.map(\.dispatch) == [0, 1, 2])
    #expect(instants.map(\.start) == [0, 1, 2])
  }

  @Test(arguments: [0, 1, 2, 15])
  func `a wait passes exactly the propagation after its set fires`(propagation: Int64) throws {
    var bench = try Bench(TestMachine.small(propagation: propagation))
    bench.exp(8, from: 0)
    bench.p.emit(SetEvent(Self.vectorToStore))
    bench.p.emit(WaitEvent(Self.vectorToStore))
    let instants = try bench.instants()
    #expect(instants[0].visible == 6)
    // The set leaves its queue at once and fires when the exp is visible.
    #expect(instants[1] == OpInstants(dispatch: 1, start: 2, free: 3, visible: 3))
    #expect(instants[2].start == 6 + propagation)
  }

  @Test func `a set with nothing before it fires at the end of its cycle`() throws {
    var bench = try Bench()
    bench.p.emit(SetEvent(Self.vectorToStore))
    bench.p.emit(WaitEvent(Self.vectorToStore))
    #expect(try bench.instants()[1].start == 3)
  }

  @Test func `an interlocking queue waits for the result it reads or writes, and for no other`()
    throws
  {
    var reads = try Bench()
    reads.exp(8, from: 0)
    reads.exp(9, from: 8)
    #expect(try reads.instants()[1].start == 6)
    var writes = try Bench()
    writes.exp(8, from: 0)
    writes.exp(8, from: 1)
    #expect(try writes.instants()[1].start == 6)
    var neither = try Bench()
    neither.exp(8, from: 0)
    neither.exp(0, from: 9)
    // Overwriting what was read needs no more than its end.
    #expect(try neither.instants()[1].start == 2)
    var without = try Bench(
      TestMachine.small(interlocks: Array(repeating: false, count: Queue.count)))
    without.exp(8, from: 0)
    without.exp(9, from: 8)
    // With explicit events the program is kept as written: no barrier is placed.
    without.p.emit(SetEvent(Self.vectorToStore))
    #expect(try without.instants()[1].start == 2)
  }

  @Test func `a queue barrier starts when the last result of its queue is visible`() throws {
    var bench = try Bench()
    bench.exp(8, from: 0)
    bench.p.emit(QueueBarrier(.vector))
    bench.exp(9, from: 1)
    let instants = try bench.instants()
    #expect(instants.map(\.start) == [0, 6, 7])
  }

  @Test func `a barrier on all starts once everything is visible and stops dispatch until then`()
    throws
  {
    var bench = try Bench()
    bench.exp(8, from: 0)
    bench.p.emit(CoreBarrier())
    bench.p.emit(SetEvent(Event(from: .load, to: .feed, id: 0)))
    let program = bench.p.build()
    let result = try TimingEngine.run(program, TimingOptions(timeline: true))
    let instants = try #require(result.timeline?[0])
    #expect(instants[1] == OpInstants(dispatch: 1, start: 6, free: 7, visible: 7))
    #expect(instants[2].dispatch == 6)
    #expect(instants[2].start == 7)
    #expect(result.cycles == 8)
    for queue in Queue.allCases where queue != .vector && queue != .load {
      let timing = result.cores[0].queues[queue.index]
      #expect(timing.ops == 1)
      #expect(timing.busy == 1)
      #expect(timing[.dispatch] == 1)
      #expect(timing[.barrier] == 5)
      #expect(timing[.drained] == 1)
    }
  }

  @Test func `a matmul forwards to the next one on exactly its accumulator tile`() throws {
    var bench = try Bench()
    let acc = try bench.p.buffer("acc", in: Acc.self, .bf16, rows: 8, columns: 8)
    let left = try bench.p.buffer("left", in: Left.self, .mxint8, rows: 8, columns: 32)
    let right = try bench.p.buffer(
      "right", in: Right.self, .mxint8, rows: 32, columns: 8, axis: .alongRows)
    func matmul(_ rows: Int, accumulate: Bool) -> Matmul {
      Matmul(
        acc.tile(rows: rows, columns: 4), left: left.tile(rows: rows),
        right: right.tile(columns: 4), accumulate: accumulate)
    }
    bench.p.emit(matmul(4, accumulate: false))
    bench.p.emit(matmul(4, accumulate: true))
    // Another extent of the same accumulators does not forward.
    bench.p.emit(matmul(3, accumulate: true))
    // A new chain on the tile waits like any write.
    bench.p.emit(matmul(3, accumulate: false))
    let instants = try bench.instants()
    #expect(instants.map(\.start) == [0, 2, 7, 12])
  }

  /// `load` 256 bytes (32 cycles of the port, 20 of HBM) and `store` as many.
  private func transfers(_ bench: inout Bench) {
    bench.p.emit(LoadUB(bench.ub.tile(row: 0, rows: 1), from: bench.input.tile(row: 0, rows: 1)))
    bench.p.emit(
      StoreHBM(bench.output.tile(row: 1, rows: 1), from: bench.ub.tile(row: 1, rows: 1)))
  }

  @Test func `two queues share HBM in the order of their starts`() throws {
    var bench = try Bench()
    transfers(&bench)
    let result = try TimingEngine.run(bench.p.build(), TimingOptions(timeline: true))
    let instants = try #require(result.timeline?[0])
    #expect(instants[0] == OpInstants(dispatch: 0, start: 0, free: 32, visible: 42))
    // 20 + 20 cycles of HBM end 7 cycles after the store's own port.
    #expect(instants[1] == OpInstants(dispatch: 1, start: 1, free: 40, visible: 43))
    #expect(result.stall(.hbmShare, .store, core: 0) == 7)
    #expect(result.cores[0].queues[Queue.store.index].busy == 32)
    #expect(result.stall(.hbmShare, .load, core: 0) == 0)
  }

  /// Queues without a depth take micro-ops by 64: what is left of a list may be the sequencer's alone.
  @Test(arguments: [61, 62, 63, 126], [1, 2, 7])
  func `a list may end with the sequencer's own micro-ops, however long it is`(
    count: Int, own: Int
  ) throws {
    var bench = try Bench()
    for _ in 0..<count { bench.exp(8, from: 0) }
    let events = (0..<UInt16(own)).map {
      Event(source: .queue(.vector), target: .sequencer, id: $0)
    }
    for event in events { bench.p.emit(SetEvent(event)) }
    for event in events { bench.p.emit(WaitEvent(event)) }
    let instants = try bench.instants(TimingOptions(uncontended: true))
    let contended = try bench.instants()
    #expect(instants.count == count + 2 * own)
    #expect(instants.last?.free == contended.last?.free)
    #expect(instants.last.map(\.free) ?? 0 > instants[count].start)
  }

  @Test func `without contention each transfer has HBM to itself`() throws {
    var bench = try Bench()
    transfers(&bench)
    let instants = try bench.instants(TimingOptions(uncontended: true))
    #expect(instants.map(\.free) == [32, 33])
  }

  @Test func `two cores share HBM, the lower core first`() throws {
    var bench = try Bench(TestMachine.small(cores: 2))
    bench.p.emit(LoadUB(bench.ub.tile(row: 0, rows: 1), from: bench.input.tile(row: 0, rows: 1)))
    bench.p.begin(core: 1)
    let other = try bench.p.buffer("ub", in: UB.self, .bf16, rows: 16, columns: 128)
    bench.p.emit(LoadUB(other.tile(row: 0, rows: 1), from: bench.input.tile(row: 1, rows: 1)))
    let result = try TimingEngine.run(bench.p.build(), TimingOptions(timeline: true))
    #expect(result.timeline?[0][0].free == 32)
    #expect(result.timeline?[1][0].free == 40)
    #expect(result.stall(.hbmShare, .load, core: 1) == 8)
    #expect(
      result.services == [
        MemoryService(site: OpSite(core: 0, op: 0), begin: nil),
        MemoryService(site: OpSite(core: 1, op: 0), begin: 20),
      ])
  }

  @Test func `cores join at the latest of them plus the cost of joining`() throws {
    var bench = try Bench(TestMachine.small(cores: 2))
    bench.exp(8, from: 0, count: 40)
    bench.p.emit(ChipBarrier())
    bench.p.begin(core: 1)
    bench.p.emit(ChipBarrier())
    let result = try TimingEngine.run(bench.p.build(), TimingOptions(timeline: true))
    // The exp is visible at 14; joining costs 5.
    #expect(result.timeline?[0][1].start == 19)
    #expect(result.timeline?[1][0].start == 19)
    #expect(result.stall(.barrier, .matrix, core: 1) == 19)
    #expect(result.cycles == 20)
  }

  @Test func `a deadlock is an error that names every blocked queue`() throws {
    var bench = try Bench()
    bench.p.emit(WaitEvent(Self.vectorToStore))
    bench.p.emit(CoreBarrier())
    let program = bench.p.build()
    let error = #expect(throws: NPUError.self) { try TimingEngine.run(program) }
    #expect(error?.category == .program)
    #expect(error?.message.contains("core 0 store: #0 sync.wait waits for vector->store:0") == true)
    #expect(error?.message.contains("core 0 matrix: #1 sync.barrier_all") == true)
  }

  @Test func `a core that misses a barrier over the cores is a deadlock`() throws {
    var bench = try Bench(TestMachine.small(cores: 2))
    bench.p.emit(ChipBarrier())
    bench.p.begin(core: 1)
    let program = bench.p.build()
    #expect(throws: NPUError.self) { try TimingEngine.run(program) }
  }

  @Test func `a program with defects is refused`() throws {
    var bench = try Bench()
    bench.p.emit(
      LoadUB(bench.ub.tile(row: 15, rows: 2), from: bench.input.tile(row: 0, rows: 2)))
    let program = bench.p.build()
    let error = #expect(throws: NPUError.self) { try TimingEngine.run(program) }
    #expect(error?.message.contains("M001") == true)
  }

  @Test func `prices beyond what can be counted are refused`() throws {
    var machine = TestMachine.small()
    machine.vector.latencies = machine.vector.latencies.map { _ in Int64.max / 2 }
    var bench = try Bench(machine)
    bench.exp(8, from: 0)
    let program = bench.p.build()
    let error = #expect(throws: NPUError.self) { try TimingEngine.run(program) }
    #expect(error?.category == .limit)
  }

  @Test func `an empty program takes no time`() throws {
    let program = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard).build()
    #expect(try TimingEngine.run(program).cycles == 0)
  }
}
