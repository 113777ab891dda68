import NPUSim
import Testing

/// The P codes on small programs of which the answer is known.
@Suite struct LintTests {
  private typealias Bench = CheckerCaseTests.Bench
  private static let lints = CheckOptions(lints: true)

  private func pipeline(_ t: inout Bench, rows: Int, between: (inout Bench) -> Void) {
    for row in 0..<rows {
      t.load(0, row: row)
      between(&t)
      t.exp()
      between(&t)
      t.store(0, row: row)
      between(&t)
    }
  }

  @Test
  func `a barrier over all queues that only two need is over-wide, and events take its place`()
    throws
  {
    var t = try Bench()
    t.load()
    t.p.emit(CoreBarrier())
    t.exp()
    t.sync(.vector, .store)
    t.store()
    let program = t.p.build()
    let found = Checker.check(program, Self.lints).findings
    #expect(found.map(\.code) == [.P002])
    #expect(found[0].message.contains("only load->vector has to wait"))
    let edited = program.applying(found[0].edits)
    #expect(!edited.cores[0].contains { $0.kind == .barrierAll })
    #expect(Checker.check(edited, Self.lints).findings.isEmpty)
  }

  @Test func `a barrier that many queues need is not over-wide`() throws {
    var t = try Bench()
    pipeline(&t, rows: 3) { $0.p.emit(CoreBarrier()) }
    let found = Checker.check(t.p.build(), Self.lints).findings
    // Load after store, too: four pairs of queues.
    #expect(!found.contains { $0.code == .P002 && $0.message.contains("nothing needs it") })
  }

  @Test func `a barrier on a queue that interlocks orders nothing`() throws {
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.exp()
    t.p.emit(QueueBarrier(.vector))
    t.sync(.vector, .store)
    t.store()
    let program = t.p.build()
    let found = Checker.check(program, Self.lints).findings
    #expect(found.map(\.code) == [.P002])
    #expect(Checker.check(program.applying(found[0].edits), Self.lints).findings.isEmpty)
  }

  @Test func `a barrier that a queue without interlock needs is no lint`() throws {
    var interlocks = [Bool](repeating: true, count: Queue.count)
    interlocks[Queue.vector.index] = false
    var t = try Bench(TestMachine.small(interlocks: interlocks))
    t.load()
    t.sync(.load, .vector)
    t.exp()
    t.p.emit(QueueBarrier(.vector))
    t.p.emit(Special<ExpRule>(t.b.tile(slot: 0), t.b.tile(slot: 0)))
    t.sync(.vector, .store)
    t.store()
    #expect(Checker.check(t.p.build(), Self.lints).findings.isEmpty)
  }

  @Test func `rows that leave bursts unfilled are a lint, whole bursts are none`() throws {
    for (columns, isWaste) in [(24, true), (32, false), (64, false)] {
      var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
      let x = try p.tensor("x", .bf16, rows: 16, columns: 64, role: .input)
      let y = try p.tensor("y", .bf16, rows: 16, columns: 64, role: .scratch)
      let a = try p.buffer("a", in: UB.self, .bf16, rows: 16, columns: columns)
      p.emit(LoadUB(a.tile(), from: x.tile(columns: columns)))
      p.emit(StoreHBM(y.tile(columns: columns), from: a.tile()))
      let codes = Checker.check(p.build(), Self.lints).findings.map(\.code)
      // Bursts of 32 bytes: 24 elements are one burst and a half.
      #expect(codes == (isWaste ? [.P004, .P004] : []), "\(columns) columns")
    }
  }

  @Test func `operands that start in one bank group are a lint, and the padding removes it`() throws
  {
    var machine = TestMachine.small()
    machine.memories[Space.ub.index].banks = .init(groups: 4, banksPerGroup: 2, bytesPerBank: 1024)
    // Blocks of 16 bytes go round 4 groups: starts that differ by 64 bytes meet.
    for (address, meets) in [(128, true), (128 + 16, false), (192, true)] {
      var p = ProgramBuilder(machine: machine, catalogue: .standard)
      let x = try p.tensor("x", .bf16, rows: 2, columns: 32, role: .input)
      let y = try p.tensor("y", .bf16, rows: 1, columns: 32, role: .scratch)
      let a = try p.buffer("a", in: UB.self, .bf16, rows: 1, columns: 32, at: 0)
      let b = try p.buffer("b", in: UB.self, .bf16, rows: 1, columns: 32, at: address)
      let c = try p.buffer("c", in: UB.self, .bf16, rows: 1, columns: 32, at: 512)
      p.emit(LoadUB(a.tile(), from: x.tile(row: 0, rows: 1)))
      p.emit(LoadUB(b.tile(), from: x.tile(row: 1, rows: 1)))
      p.emit(Elementwise<AddRule>(c.tile(), a.tile(), b.tile()))
      p.emit(StoreHBM(y.tile(), from: c.tile()))
      let found = Checker.check(p.build(), Self.lints).findings
      #expect(found.map(\.code) == (meets ? [.P005] : []), "b at \(address)")
    }
  }

  @Test func `a single slot that is filled in turns is a lint, two slots are none`() throws {
    for slots in [1, 2] {
      let program = try LoweringTests.pipeline(
        count: 6, slots: slots, machine: TestMachine.small())
      let codes = Set(Checker.check(program, Self.lints).findings.map(\.code))
      #expect(codes.contains(.P006) == (slots == 1))
    }
  }

  @Test func `a result that is overwritten unread is a dead store`() throws {
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.exp(0)
    t.exp(0)
    t.sync(.vector, .store)
    t.store()
    let program = t.p.build()
    let found = Checker.check(program, Self.lints).findings
    #expect(found.map(\.code) == [.P008])
    #expect(found[0].sites == [.init(core: 0, op: 3)])
    // Its buffer is a ring: another slot may be meant, so that removing it is not offered.
    #expect(found[0].edits.isEmpty)
    let removed = program.applying([.remove(core: 0, ops: [3])])
    #expect(Checker.check(removed, Self.lints).findings.isEmpty)
  }

  @Test func `a result that is left unread at the end is a dead store`() throws {
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.exp(0)
    t.sync(.vector, .store)
    t.store()
    t.p.emit(Special<ExpRule>(t.b.tile(slot: 1), t.a.tile(slot: 0)))
    #expect(Checker.check(t.p.build(), Self.lints).findings.map(\.code) == [.P008])
  }
}
