import NPUSim
import Synchronization
import Testing

@Suite struct FunctionalEngineTests {
  /// One row of four FP32 elements in HBM and `ub`, with explicit events.
  struct Bench {
    var p: ProgramBuilder
    let x: BufferHandle<HBM>
    let y: BufferHandle<HBM>
    let a: BufferHandle<UB>
    let b: BufferHandle<UB>

    init(cores: Int = 1) throws {
      p = ProgramBuilder(machine: TestMachine.small(cores: cores), catalogue: .standard)
      x = try p.tensor("x", .f32, rows: cores, columns: 4, role: .input)
      y = try p.tensor("y", .f32, rows: cores, columns: 4, role: .output)
      a = try p.buffer("a", in: UB.self, .f32, rows: 1, columns: 4)
      b = try p.buffer("b", in: UB.self, .f32, rows: 1, columns: 4)
    }

    func row(_ tensor: BufferHandle<HBM>, _ row: Int = 0) -> Tile<HBM> {
      tensor.tile(row: row, rows: 1)
    }
  }

  static let loaded = Event(from: .load, to: .vector, id: 0)
  static let done = Event(from: .vector, to: .store, id: 0)

  static func run(_ program: Program, x: BufferHandle<HBM>, _ values: [Float]) throws -> (
    MachineState, FunctionalResult
  ) {
    let state = MachineState(program)
    try state.fill(x.id, floats: values)
    return (state, try FunctionalEngine.run(program, state: state))
  }

  @Test func `a program in list order gives its values`() throws {
    var bench = try Bench()
    bench.p.emit(LoadUB(bench.a.tile(), from: bench.row(bench.x)))
    bench.p.emit(SetEvent(Self.loaded))
    bench.p.emit(WaitEvent(Self.loaded))
    bench.p.emit(WithScalar<AddRule>(bench.b.tile(), bench.a.tile(), 1))
    bench.p.emit(SetEvent(Self.done))
    bench.p.emit(WaitEvent(Self.done))
    bench.p.emit(StoreHBM(bench.row(bench.y), from: bench.b.tile()))
    let (state, _) = try Self.run(bench.p.build(), x: bench.x, [1, 2, 3, 4])
    #expect(state.floats(bench.y.id) == [2, 3, 4, 5])
    #expect(state.isWritten(bench.y.id))
  }

  @Test func `a wait before its set in the list runs after it`() throws {
    var bench = try Bench()
    bench.p.emit(WaitEvent(Self.done))
    bench.p.emit(StoreHBM(bench.row(bench.y), from: bench.b.tile()))
    bench.p.emit(WaitEvent(Self.loaded))
    bench.p.emit(WithScalar<AddRule>(bench.b.tile(), bench.a.tile(), 1))
    bench.p.emit(SetEvent(Self.done))
    bench.p.emit(LoadUB(bench.a.tile(), from: bench.row(bench.x)))
    bench.p.emit(SetEvent(Self.loaded))
    let (state, _) = try Self.run(bench.p.build(), x: bench.x, [1, 2, 3, 4])
    #expect(state.floats(bench.y.id) == [2, 3, 4, 5])
  }

  @Test func `among ready micro-ops the lowest index runs first`() throws {
    // Unordered: the fill on vector (index 1) comes before the load (index 3) only by its index,
    // and after the micro-op that a wait holds back (index 2).
    var bench = try Bench()
    let back = Event(from: .store, to: .vector, id: 0)
    bench.p.emit(WaitEvent(back))
    bench.p.emit(Fill(bench.a.tile(), 7))
    bench.p.emit(LoadUB(bench.a.tile(), from: bench.row(bench.x)))
    bench.p.emit(SetEvent(back))
    bench.p.emit(StoreHBM(bench.row(bench.y), from: bench.a.tile()))
    let (state, _) = try Self.run(bench.p.build(), x: bench.x, [1, 2, 3, 4])
    // load, set, fill, store: the fill is ready when the store is, and has the lower index.
    #expect(state.floats(bench.y.id) == [7, 7, 7, 7])
  }

  @Test func `nothing passes a barrier on all queues`() throws {
    var bench = try Bench()
    bench.p.emit(LoadUB(bench.a.tile(), from: bench.row(bench.x)))
    bench.p.emit(CoreBarrier())
    bench.p.emit(WithScalar<MulRule>(bench.b.tile(), bench.a.tile(), 2))
    bench.p.emit(CoreBarrier())
    bench.p.emit(StoreHBM(bench.row(bench.y), from: bench.b.tile()))
    let (state, _) = try Self.run(bench.p.build(), x: bench.x, [1, 2, 3, 4])
    #expect(state.floats(bench.y.id) == [2, 4, 6, 8])
  }

  @Test func `a set behind a barrier that its wait precedes is a deadlock that names the queues`()
    throws
  {
    var bench = try Bench()
    bench.p.emit(WaitEvent(Self.loaded))
    bench.p.emit(Fill(bench.a.tile(), 7))
    bench.p.emit(CoreBarrier())
    bench.p.emit(SetEvent(Self.loaded))
    let program = bench.p.build()
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(program, state: MachineState(program))
    }
    #expect(error?.category == .program)
    #expect(
      error?.message == "core 0 is deadlocked: vector at micro-op 0 waits for set 1 of event 0 "
        + "from load")
  }

  @Test func `the second wait needs the second set`() throws {
    var bench = try Bench()
    bench.p.emit(SetEvent(Self.loaded))
    bench.p.emit(WaitEvent(Self.loaded))
    bench.p.emit(WaitEvent(Self.loaded))
    let program = bench.p.build()
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(program, state: MachineState(program))
    }
    #expect(error?.message.contains("waits for set 2 of event 0") == true)
  }

  @Test func `reading a byte that was never written names reader, tile, byte and buffer`() throws {
    var bench = try Bench()
    bench.p.pushScope("tile", iteration: 3)
    bench.p.emit(Fill(bench.a.tile(columns: 2), 1))
    bench.p.emit(CoreBarrier())
    bench.p.emit(WithScalar<AddRule>(bench.b.tile(), bench.a.tile(), 1))
    let program = bench.p.build()
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(program, state: MachineState(program))
    }
    #expect(
      error?.message == "I001 uninitialised read: core 0 micro-op 2 (vector.add_scalar) in tile[3] "
        + "reads ub byte 8 of a[0 +: 1, 0 +: 4], buffer a, which was never written")
  }

  @Test func `a program with a defect is refused`() throws {
    var bench = try Bench()
    bench.p.emit(LoadUB(bench.a.tile(columns: 3), from: bench.row(bench.x)))
    let program = bench.p.build()
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(program, state: MachineState(program))
    }
    #expect(error?.message.contains("M005") == true)
  }

  @Test func `memories of another program are refused`() throws {
    var bench = try Bench()
    bench.p.emit(Fill(bench.a.tile(), 1))
    let program = bench.p.build()
    let other = MachineState(Program(machine: TestMachine.small(), catalogue: .standard))
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(program, state: other)
    }
    #expect(error?.message == "the memories were made for another program")
  }

  @Test func `numeric findings name the first producer and count`() throws {
    var bench = try Bench()
    bench.p.emit(LoadUB(bench.a.tile(), from: bench.row(bench.x)))
    bench.p.emit(CoreBarrier())
    bench.p.emit(WithScalar<DivRule>(bench.b.tile(), bench.a.tile(), 0))
    let program = bench.p.build()
    let (_, result) = try Self.run(program, x: bench.x, [0, 1, -1, 2])
    #expect(result.numerics.health.nans == 1)
    #expect(result.numerics.health.infinities == 3)
    #expect(result.numerics.firstNonFinite == Finding.Site(core: 0, op: 2))
    let findings = result.findings(program)
    #expect(findings.map(\.code) == [.N001])
    #expect(
      findings.first?.message == "1 NaN and 3 infinite results; the first from core 0 micro-op 2 "
        + "(vector.div_scalar)")
  }

  @Test func `progress adds up to the data micro-ops`() throws {
    var bench = try Bench()
    for _ in 0..<9000 { bench.p.emit(Fill(bench.a.tile(), 1)) }
    let program = bench.p.build()
    let counter = Mutex(0)
    _ = try FunctionalEngine.run(
      program, state: MachineState(program),
      options: .init(progress: { count in counter.withLock { $0 += count } }))
    #expect(counter.withLock { $0 } == 9000)
  }
}
