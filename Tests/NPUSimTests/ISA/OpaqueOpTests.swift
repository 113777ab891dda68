import NPUSim
import Testing

/// Instructions of other machines: bytes and time, and nothing else.
@Suite struct OpaqueOpTests {
  private static func builder(
    _ machine: MachineConfiguration = TestMachine.small(), isExplicit: Bool = false
  ) throws -> (ProgramBuilder, x: BufferHandle<HBM>, y: BufferHandle<HBM>, a: BufferHandle<UB>) {
    var p = ProgramBuilder(
      machine: machine, catalogue: .standard, isExplicit: isExplicit)
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
    p.emit(
      OpaqueOp("In", on: .load, results: [a.tile().ref], sources: [x.tile().ref], cycles: 4))
    let store = OpaqueOp(
      "Out", on: .matrix, results: [y.tile().ref], sources: [a.tile().ref], cycles: 4)
    p.emit(store)
    #expect(Checker.check(p.build()).isClean)

    (p, x, y, a) = try Self.builder()
    p.emit(store)
    let codes = Set(Checker.check(p.build()).findings.map(\.code))
    #expect(codes == [.I001])

    (p, x, y, a) = try Self.builder(isExplicit: true)
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
    p.emit(
      OpaqueOp(
        "In", on: .load, results: [a.tile().ref], sources: [x.tile().ref], cycles: 50, latency: 7))
    p.emit(
      OpaqueOp("Out", on: .store, results: [y.tile().ref], sources: [a.tile().ref], cycles: 20))
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

  @Test func `two that work element by element stream where neither can overtake`() throws {
    // Cycles of each, and the latency of the first, where the unit's longest latency is 4.
    let cases = [
      (4, 4, 0, true), (4, 4, 4, true), (3, 4, 0, false), (4, 3, 0, false), (9, 9, 5, false),
    ]
    for (first, second, latency, streams) in cases {
      for interlock in [Interlock.none, .stream, .full] {
        var machine = TestMachine.small()
        machine.interlocks[Queue.vector.index] = interlock
        var (p, _, _, a) = try Self.builder(machine)
        p.emit(
          OpaqueOp(
            "Set", on: .vector, results: [a.tile().ref], sources: [], cycles: first,
            latency: latency, streams: true))
        p.emit(
          OpaqueOp(
            "Exp", on: .vector, results: [a.tile(slot: 1).ref], sources: [a.tile().ref],
            cycles: second, streams: true))
        let program = p.build()
        let barriers = program.cores[0].filter { $0.kind == .barrierQueue }.count
        let needed = interlock == .none || interlock == .stream && !streams ? 1 : 0
        #expect(barriers == needed, "\(interlock), \(first), \(second), \(latency)")
        #expect(Checker.check(program).findings.allSatisfy { $0.code == .I002 })
      }
    }
  }

  @Test func `one on tiles of two extents does not stream, nor behind one that says nothing`()
    throws
  {
    for (rows, says) in [(8, false), (4, true)] {
      var machine = TestMachine.small()
      machine.interlocks[Queue.vector.index] = .stream
      var (p, _, _, a) = try Self.builder(machine)
      p.emit(
        OpaqueOp(
          "Set", on: .vector, results: [a.tile().ref], sources: [], cycles: 9, streams: says))
      p.emit(
        OpaqueOp(
          "Exp", on: .vector, results: [a.tile(slot: 1, rows: rows).ref], sources: [a.tile().ref],
          cycles: 9, streams: true))
      #expect(p.build().cores[0].filter { $0.kind == .barrierQueue }.count == 1, "\(rows) rows")
    }
  }

  @Test func `a matmul that streams forwards to the next from as many unit tiles on`() throws {
    // 4 × 4 sums of 4 bytes fill a unit tile: rows of the accumulator, and tiles that the unit asks for.
    let cases: [(rows: Int, least: Int?, adds: Bool, forwards: Bool)] = [
      (8, 2, true, true), (4, 2, true, false), (5, 2, true, true), (8, nil, true, false),
      (8, 1, false, false),
    ]
    for (rows, least, adds, forwards) in cases {
      var machine = TestMachine.small()
      machine.interlocks[Queue.matrix.index] = .none
      machine.matrix.forwardTiles = least
      var (p, _, _, _) = try Self.builder(machine)
      let c = try p.buffer("c", in: Acc.self, .f32, rows: 8, columns: 4)
      let tile = c.tile(rows: rows).ref
      for step in 0..<2 {
        p.emit(
          OpaqueOp(
            "Mul", on: .matrix, results: [tile], sources: step > 0 && adds ? [tile] : [],
            cycles: 3, latency: 9, streams: true))
      }
      let barriers = p.build().cores[0].filter { $0.kind == .barrierQueue }.count
      #expect(barriers == (forwards ? 0 : 1), "\(rows) rows of \(least ?? 0), \(adds)")
    }
  }

  @Test func `a unit flag hands its tile over as that of a matmul does`() throws {
    var (p, _, y, _) = try Self.builder(isExplicit: true)
    let c = try p.buffer("c", in: Acc.self, .f32, rows: 4, columns: 4)
    func chain(_ p: inout ProgramBuilder, _ flag: UnitFlag) {
      let tile = c.tile().ref
      p.emit(OpaqueOp("Mul", on: .matrix, results: [tile], sources: [], cycles: 1, unit: flag))
      p.emit(
        OpaqueOp(
          "Fix", on: .drain, results: [y.tile(rows: 4, columns: 4).ref], sources: [tile], cycles: 1,
          unit: flag == .none ? .none : .release))
    }
    chain(&p, .release)
    chain(&p, .release)
    let codes = Set(Checker.check(p.build()).findings.map(\.code))
    #expect(codes.isDisjoint(with: [.H001, .H002, .H003, .D002]), "\(codes)")
    (p, _, y, _) = try Self.builder(isExplicit: true)
    _ = try p.buffer("c", in: Acc.self, .f32, rows: 4, columns: 4)
    chain(&p, .none)
    #expect(Checker.check(p.build()).findings.contains { $0.code == .H001 })
    (p, _, y, _) = try Self.builder(isExplicit: true)
    _ = try p.buffer("c", in: Acc.self, .f32, rows: 4, columns: 4)
    chain(&p, .hold)
    #expect(Checker.check(p.build()).findings.contains { $0.code == .D002 })
  }

  @Test(arguments: [
    (
      Queue.load, true, UnitFlag.none, 0,
      "load.Odd: found stream on the load queue, needed the vector or the matrix queue"
    ),
    (
      .matrix, true, .none, 0,
      "matrix.Odd: found stream with 0 tiles in acc, needed one that it adds to"
    ),
    (
      .vector, false, .hold, 1,
      "vector.Odd: found a unit flag on the vector queue, needed matrix or drain"
    ),
    (
      .drain, false, .hold, 1,
      "drain.Odd: found a unit flag that holds on a drain, needed one that releases"
    ),
    (
      .matrix, false, .release, 0,
      "matrix.Odd: found a unit flag with 0 tiles in acc, needed one: the flag is that tile's"
    ),
    (
      .matrix, false, .hold, 2,
      "matrix.Odd: found a unit flag with 2 tiles in acc, needed one: the flag is that tile's"
    ),
    (
      .matrix, false, .hold, 6,
      "matrix.Odd: found 6 tiles and a unit flag, needed at most 5: state it in two parts"
    ),
  ])
  func `what it cannot say is a defect`(
    queue: Queue, streams: Bool, unit: UnitFlag, tiles: Int, message: String
  ) throws {
    var (p, _, _, _) = try Self.builder()
    let c = try p.buffer("c", in: Acc.self, .f32, slots: 6, rows: 4, columns: 4)
    p.emit(
      OpaqueOp(
        "Odd", on: queue, results: [], sources: (0..<tiles).map { c.tile(slot: $0).ref }, cycles: 1,
        streams: streams, unit: unit))
    #expect(p.build().defects.map(\.message) == [message])
  }

  @Test func `nothing is forwarded to one that says nothing, or from it`() throws {
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
