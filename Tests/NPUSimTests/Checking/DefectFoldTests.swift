import NPUSim
import Testing

/// Defects of one kind are counted, however many micro-ops have them and wherever they are found.
@Suite struct DefectFoldTests {
  private static let turns = 5_000

  /// A micro-op a turn, on a slot of its own.
  private func fills(slots: Int) throws -> Program {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: slots, rows: 1, columns: 1)
    for turn in 0..<Self.turns {
      p.pushScope("turn", iteration: turn)
      p.emit(Fill(a.tile(slot: turn), 0))
      p.popScope()
    }
    return p.build()
  }

  @Test func `a slot that a buffer does not have is one defect that counts the turns`() throws {
    let program = try fills(slots: 2)
    #expect(program.defects.map(\.code) == [.M001])
    #expect(program.defects[0].folded == Self.turns - 3)
    let findings = Checker.check(program).findings
    #expect(findings.map(\.code) == [.M001])
    #expect(findings.first?.folded == Self.turns - 3)
    #expect(findings.first?.sites == [.init(core: 0, op: 2)])
  }

  @Test func `slots of other scopes and other micro-ops are defects of their own`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: 1, rows: 1, columns: 1)
    for label in ["first", "second"] {
      for turn in 1...10 {
        p.pushScope(label, iteration: turn)
        p.emit(Fill(a.tile(slot: turn + (label == "first" ? 0 : 20)), 0))
        p.emit(Special<ExpRule>(a.tile(), a.tile(slot: turn + 50 + (label == "first" ? 0 : 20))))
        p.popScope()
      }
    }
    #expect(p.build().defects.map(\.folded) == [9, 9, 9, 9])
  }

  @Test func `tiles of a program that was changed afterwards are counted alike`() throws {
    var machine = TestMachine.small()
    machine.memories[Space.ub.index].bytes = nil
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: Self.turns, rows: 1, columns: 1)
    for turn in 0..<Self.turns {
      p.emit(Fill(a.tile(slot: turn), 0))
      p.emit(Fill(a.tile(slot: turn), 1))
    }
    var program = p.build()
    #expect(program.defects.isEmpty)
    program.buffers[0].slots = 2
    let misplaced = Checker.check(program).findings.filter { $0.code == .M001 }
    #expect(misplaced.map(\.folded) == [2 * Self.turns - 5])
    // Numbers of tiles that it does not have.
    program.buffers[0].slots = Self.turns
    for op in program.cores[0].indices {
      program.cores[0][op].words[0] = UInt32(program.tiles.count + op)
    }
    let missing = Checker.check(program).findings
    #expect(missing.map(\.message) == ["vector.fill names no tile of the program"])
    #expect(missing.map(\.folded) == [2 * Self.turns - 1])
  }

  @Test func `tiles in the memory of another core are one finding that counts them`() throws {
    var machine = TestMachine.small()
    machine.cores = 2
    machine.memories[Space.ub.index].bytes = nil
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: Self.turns, rows: 1, columns: 1)
    p.begin(core: 1)
    for turn in 0..<Self.turns { p.emit(Fill(a.tile(slot: turn), 0)) }
    let findings = Checker.check(p.build()).findings
    #expect(findings.map(\.code) == [.M005])
    #expect(findings.map(\.folded) == [Self.turns - 1])
    #expect(findings.first?.message.hasSuffix("which lies in a memory of core 0") == true)
  }
}
