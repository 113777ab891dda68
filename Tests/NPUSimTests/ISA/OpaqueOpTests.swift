import NPUSim
import Testing

/// Instructions of other machines: bytes and time, and nothing else.
@Suite struct OpaqueOpTests {
  private static func builder(
    _ machine: MachineConfiguration = TestMachine.small()
  ) throws -> (ProgramBuilder, x: BufferHandle<HBM>, y: BufferHandle<HBM>, a: BufferHandle<UB>) {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 8, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, rows: 8, columns: 64, role: .output)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: 2, rows: 8, columns: 64)
    return (p, x, y, a)
  }

  @Test func `a record keeps its forty bytes`() {
    #expect(MemoryLayout<OpRecord>.size == 40)
  }

  @Test func `what one writes is written, and what it reads must be`() throws {
    var (p, x, y, a) = try Self.builder()
    let load = p.emit(
      OpaqueOp("In", on: .load, results: [a.tile().ref], sources: [x.tile().ref], cycles: 4))
    let store = OpaqueOp(
      "Out", on: .matrix, results: [y.tile().ref], sources: [a.tile().ref], cycles: 4)
    p.emit(store, after: load)
    #expect(Checker.check(p.build()).isClean)

    (p, x, y, a) = try Self.builder()
    p.emit(store)
    let codes = Set(Checker.check(p.build()).findings.map(\.code))
    #expect(codes == [.I001])

    (p, x, y, a) = try Self.builder()
    p.emit(OpaqueOp("In", on: .load, results: [a.tile().ref], sources: [x.tile().ref], cycles: 4))
    #expect(Checker.check(p.build()).findings.contains { $0.code == .I002 })
    p.emit(store)
    let race = Checker.check(p.build()).findings.first { $0.code == .H001 }
    #expect(race?.message.hasPrefix("matrix.Out #") == true)
  }

  @Test func `it takes the stated cycles, its latency, and no bandwidth of HBM`() throws {
    var machine = TestMachine.small()
    machine.hbm.rate = try #require(Rate(1, over: 100))
    var (p, x, y, a) = try Self.builder(machine)
    let read = p.emit(
      OpaqueOp(
        "In", on: .load, results: [a.tile().ref], sources: [x.tile().ref], cycles: 50, latency: 7))
    p.emit(
      OpaqueOp("Out", on: .store, results: [y.tile().ref], sources: [a.tile().ref], cycles: 20),
      after: read)
    let program = p.build()
    let result = try TimingEngine.run(program)
    #expect(result.cores[0].queues[Queue.load.index].busy == 51)
    #expect(result.cores[0].queues[Queue.store.index].busy == 21)
    let least = 50 + 7 + 20
    let spare = Int(machine.eventPropagation) + 12
    #expect((least...(least + spare)).contains(Int(result.cycles)), "\(result.cycles)")
    #expect(TrafficSummary(program).hbmRead == 0)
    #expect(try Bounds.of(program).serialSum >= result.cycles)
  }

  @Test func `nothing is forwarded to it or from it`() throws {
    for interlock in [Interlock.none, .stream, .full] {
      var machine = TestMachine.small()
      machine.interlocks[Queue.vector.index] = interlock
      var (p, _, _, a) = try Self.builder(machine)
      for _ in 0..<2 {
        p.emit(OpaqueOp("Set", on: .vector, results: [a.tile().ref], sources: [], cycles: 900))
      }
      let barriers = p.build().cores[0].filter { $0.kind == .barrierQueue }
      #expect(barriers.count == (interlock == .full ? 0 : 1), "\(interlock)")
    }
  }

  @Test func `a result may be the very tile of a source, and shares no byte with it otherwise`()
    throws
  {
    for (source, isLegal) in [(0, true), (1, false), (4, true)] {
      var (p, _, _, a) = try Self.builder()
      p.emit(Fill(a.tile(), 0))
      p.emit(
        OpaqueOp(
          "Step", on: .vector, results: [a.tile(rows: 4).ref],
          sources: [a.tile(row: source, rows: 4).ref], cycles: 1))
      let codes = Checker.check(p.build()).findings.filter { $0.code == .M007 }
      #expect(codes.isEmpty == isLegal, "row \(source)")
    }
  }

  @Test(arguments: [
    (7, 1, 0, "found 7 tiles, needed at most 6: state it in two parts"),
    (1, 0, 0, "found 0 cycles, needed 1 or more"),
    (1, 1, -1, "found a latency of -1 cycles, needed 0 or more"),
  ])
  func `what it cannot be is a defect`(tiles: Int, cycles: Int, latency: Int, message: String)
    throws
  {
    var (p, x, _, _) = try Self.builder()
    p.emit(
      OpaqueOp(
        "Odd", on: .feed, results: [], sources: Array(repeating: x.tile().ref, count: tiles),
        cycles: cycles, latency: latency))
    #expect(p.build().defects.map(\.message) == ["feed.Odd: " + message])
  }

  @Test func `a tile outside of its buffer is named with the word of the micro-op`() throws {
    var (p, x, _, _) = try Self.builder()
    p.emit(
      OpaqueOp(
        "Far", on: .drain, results: [], sources: [x.tile(row: 7, rows: 2).ref], cycles: 1))
    let message = p.build().defects.first?.message ?? ""
    #expect(message.hasPrefix("drain.Far names x[7 +: 2, 0 +: 64]"), "\(message)")
  }

  @Test func `values are refused before anything is executed`() throws {
    var (p, x, _, a) = try Self.builder()
    p.emit(LoadUB(a.tile(), from: x.tile()))
    p.emit(OpaqueOp("Add", on: .vector, results: [a.tile().ref], sources: [], cycles: 1))
    let program = p.build()
    #expect(program.firstOpaque == .init(core: 0, op: program.cores[0].count - 1))
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(program, state: MachineState(program))
    }
    #expect(error?.message.hasPrefix("op vector.Add has no values") == true)
    #expect(error?.hint?.contains("--no-values") == true)
  }
}
