import NPUSim
import Testing

/// The rules that vendors publish, each at its edge: what forwards, what streams, what needs a fence.
@Suite struct PublishedRuleTests {
  private func codes(_ program: Program) -> [FindingCode] {
    Checker.check(program).findings.map(\.code)
  }

  /// Places of the barriers of a kind on core 0.
  private func barriers(_ program: Program, _ kind: OpKind) -> [Int] {
    program.cores[0].indices.filter { program.cores[0][$0].kind == kind }
  }

  // MARK: Forwarding

  /// Two matmuls on one accumulator of `rows × columns`, the second of which goes on.
  private func chain(
    rows: Int, columns: Int, tiles: Int?, interlock: Interlock
  ) throws -> Program {
    var machine = TestMachine.small()
    machine.interlocks[Queue.matrix.index] = interlock
    machine.matrix.forwardTiles = tiles
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .mxint8, rows: rows, columns: 32, role: .input)
    let w = try p.tensor("w", .mxint8, rows: 32, columns: columns, axis: .alongRows, role: .input)
    let a = try p.buffer("a", in: L1.self, .mxint8, rows: rows, columns: 32)
    let b = try p.buffer("b", in: L1.self, .mxint8, rows: 32, columns: columns, axis: .alongRows)
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: rows, columns: 32)
    let right = try p.buffer(
      "right", in: Right.self, .mxint8, rows: 32, columns: columns, axis: .alongRows)
    let acc = try p.buffer("acc", in: Acc.self, .bf16, rows: rows, columns: columns)
    p.emit(LoadL1(a.tile(), from: x.tile()))
    p.emit(LoadL1(b.tile(), from: w.tile()))
    p.emit(CoreBarrier())
    p.emit(FeedLeft(left.tile(), from: a.tile()))
    p.emit(FeedRight(right.tile(), from: b.tile()))
    p.emit(CoreBarrier())
    p.emit(Matmul(acc.tile(), left: left.tile(), right: right.tile(), accumulate: false))
    p.emit(Matmul(acc.tile(), left: left.tile(), right: right.tile(), accumulate: true))
    return p.build()
  }

  /// Unit tiles of 4 × 4: 9 × 13 are 3 · 4, 8 × 12 are 2 · 3.
  @Test(arguments: [(9, 13, 12), (8, 12, 6), (4, 4, 1), (1, 1, 1)])
  func `a matmul forwards from as many unit tiles on as the machine says`(
    rows: Int, columns: Int, count: Int
  ) throws {
    for tiles in [1, count, count + 1, nil] {
      let forwards = tiles.map { $0 <= count } ?? false
      let program = try chain(rows: rows, columns: columns, tiles: tiles, interlock: .none)
      let placed = barriers(program, .barrierQueue)
      #expect(placed.count == (forwards ? 0 : 1), "\(rows) × \(columns), from \(tiles ?? -1) on")
      #expect(codes(program).isEmpty)
      #expect(codes(program.removingMicroOps(placed, core: 0)) == (forwards ? [] : [.H001]))
      // A queue that interlocks needs no barrier, and waits for the sum instead.
      let held = try chain(rows: rows, columns: columns, tiles: tiles, interlock: .full)
      #expect(barriers(held, .barrierQueue).isEmpty && codes(held).isEmpty)
      let timeline = try TimingEngine.run(held, TimingOptions(timeline: true)).timeline
      let instants = try #require(timeline)[0]
      let second = instants[held.cores[0].count - 1].start
      let first = instants[held.cores[0].count - 2]
      #expect(second == (forwards ? first.free : first.visible))
    }
  }

  // MARK: Streams

  /// `b = e^a; b = b + b` on tiles of `columns` elements, on a queue that streams.
  private func stream(
    columns: Int, latency: Int64, _ second: (inout ProgramBuilder, Tile<UB>, Tile<UB>) -> Void
  ) throws -> Program {
    var machine = TestMachine.small()
    machine.interlocks[Queue.vector.index] = .stream
    machine.vector.slopes = VectorClass.allCases.map { _ in 2 }
    machine.vector.latencies = VectorClass.allCases.map { _ in latency }
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 2, columns: 64, role: .input)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 2, columns: 64)
    let b = try p.buffer("b", in: UB.self, .bf16, rows: 2, columns: 64)
    p.emit(LoadUB(a.tile(), from: x.tile()))
    p.emit(CoreBarrier())
    p.emit(Special<ExpRule>(b.tile(columns: columns), a.tile(columns: columns)))
    second(&p, b.tile(columns: columns), a.tile(columns: columns))
    return p.build()
  }

  @Test func `the second of two that stream needs no barrier where it cannot overtake`() throws {
    // 2 rows of 16 elements on 4 lanes take 8 turns of 2 cycles.
    for (latency, barrier) in [(Int64(16), 0), (17, 1)] {
      let program = try stream(columns: 16, latency: latency) { p, b, _ in
        p.emit(Elementwise<AddRule>(b, b, b))
      }
      #expect(barriers(program, .barrierQueue).count == barrier, "latency \(latency)")
      #expect(codes(program).isEmpty)
      let bare = program.removingMicroOps(barriers(program, .barrierQueue), core: 0)
      #expect(codes(bare) == (barrier == 0 ? [] : [.H001]))
    }
    // The second is the shorter one: 1 turn, of which 2 cycles cover no latency of 3.
    let short = try stream(columns: 2, latency: 3) { p, b, _ in
      p.emit(Elementwise<AddRule>(b, b, b))
    }
    #expect(barriers(short, .barrierQueue).count == 1)
  }

  @Test func `a part of the tile, or an overwritten one in another extent, needs a barrier`()
    throws
  {
    let part = try stream(columns: 32, latency: 4) { p, b, a in
      var (left, right) = (b, a)
      left.ref.columns = 16
      right.ref.columns = 16
      p.emit(Elementwise<AddRule>(right, left, left))
    }
    #expect(barriers(part, .barrierQueue).count == 1 && codes(part).isEmpty)
    let again = try stream(columns: 32, latency: 4) { p, b, a in
      p.emit(Special<ExpRule>(b, a))
    }
    #expect(barriers(again, .barrierQueue).isEmpty && codes(again).isEmpty)
  }

  @Test func `what follows a broadcast on its very tile needs a barrier: that does not stream`()
    throws
  {
    let program = try stream(columns: 16, latency: 4) { p, b, a in
      var column = a
      column.ref.columns = 1
      // The barrier before it is for the exponentials that it overwrites.
      p.emit(RowBroadcast<MulRule>(b, a, column))
      p.emit(Elementwise<AddRule>(b, b, b))
    }
    let placed = barriers(program, .barrierQueue)
    #expect(placed.count == 2 && codes(program).isEmpty)
    #expect(codes(program.removingMicroOps([placed[1]], core: 0)) == [.H001])
    // Judged by rectangles, too.
    let bare = program.removingMicroOps([placed[1]], core: 0)
    #expect(
      Checker.check(bare, CheckOptions(pieceLimit: 0)).findings.map(\.code) == [.H001])
    #expect(Checker.redundantBarriers(program).isEmpty)
  }

  // MARK: Fences

  /// The bytes of `t` stored and loaded again, with what `between` puts there.
  private func readBack(
    _ rule: MachineConfiguration.HBMSpec.ReadAfterWrite, row: Int = 0, barrier: Bool = false
  ) throws -> Program {
    var machine = TestMachine.small()
    machine.hbm.readAfterWrite = rule
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 2, columns: 64, role: .input)
    let t = try p.tensor("t", .bf16, rows: 2, columns: 64, role: .inputOutput)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 1, columns: 64)
    let b = try p.buffer("b", in: UB.self, .bf16, rows: 1, columns: 64)
    p.emit(LoadUB(a.tile(), from: x.tile(rows: 1)))
    p.emit(StoreHBM(t.tile(rows: 1), from: a.tile()))
    if barrier { p.emit(CoreBarrier()) }
    p.emit(LoadUB(b.tile(), from: t.tile(row: row, rows: 1)))
    return p.build()
  }

  @Test
  func
    `HBM bytes that a core wrote are read behind a barrier on all queues, on a machine that needs one`()
    throws
  {
    let relaxed = try readBack(.event)
    #expect(barriers(relaxed, .barrierAll).isEmpty && codes(relaxed).isEmpty)
    let note = Checker.check(relaxed, CheckOptions(lints: true)).findings
    #expect(note.map(\.code) == [.P008, .P009])
    // Lowering puts the barrier in place of the event; without it the program is an error.
    let fenced = try readBack(.fence)
    let placed = barriers(fenced, .barrierAll)
    #expect(placed.count == 1 && codes(fenced).isEmpty)
    // The same order by the event alone.
    var event = relaxed
    event.machine.hbm.readAfterWrite = .fence
    let found = Checker.check(event).findings
    #expect(found.map(\.code) == [.H001])
    #expect(found[0].message.contains("an event does not make the bytes readable"))
    #expect(codes(event.applying(found[0].edits)).isEmpty)
    #expect(codes(fenced.removingMicroOps(placed, core: 0)) == [.H001])
  }

  @Test func `bytes that the core did not write, and a barrier that is there, need no fence`()
    throws
  {
    for program in [try readBack(.fence, row: 1), try readBack(.fence, barrier: true)] {
      #expect(codes(program).isEmpty)
      #expect(
        Checker.check(program, CheckOptions(lints: true)).findings.allSatisfy {
          $0.code != .P009 && $0.code != .P002
        })
    }
    #expect(barriers(try readBack(.fence, row: 1), .barrierAll).isEmpty)
    #expect(barriers(try readBack(.fence, barrier: true), .barrierAll).count == 1)
  }
}
