import NPUSim
import Testing

@Suite struct CoreFoldingTests {
  /// Cores that each load a tile of their own and read it; those in `racing` forget the event.
  private static func program(cores: Int, racing: Set<Int>) throws -> Program {
    var p = ProgramBuilder(
      machine: TestMachine.small(cores: cores), catalogue: .standard, isExplicit: true)
    let x = try p.tensor("x", .f32, rows: cores, columns: 32, role: .input)
    let y = try p.tensor("y", .f32, rows: cores, columns: 32, role: .output)
    for core in 0..<cores {
      p.begin(core: core)
      let a = try p.buffer("a", in: UB.self, .f32, rows: 1, columns: 32)
      let b = try p.buffer("b", in: UB.self, .f32, rows: 1, columns: 32)
      let (full, done) = (
        Event(from: .load, to: .vector, id: 0), Event(from: .vector, to: .store, id: 0)
      )
      p.emit(LoadUB(a.tile(), from: x.tile(row: core, rows: 1)))
      if !racing.contains(core) {
        p.emit(SetEvent(full))
        p.emit(WaitEvent(full))
      }
      p.emit(Special<ExpRule>(b.tile(), a.tile()))
      p.emit(SetEvent(done))
      p.emit(WaitEvent(done))
      p.emit(StoreHBM(y.tile(row: core, rows: 1), from: b.tile()))
    }
    return p.build()
  }

  @Test func `the same race on several cores is one finding that counts them`() throws {
    let program = try Self.program(cores: 4, racing: [1, 2, 3])
    let check = Checker.check(program)
    #expect(check.raceCount == 3)
    #expect(check.findings.map(\.code) == [.H001])
    for finding in check.findings {
      #expect(finding.cores == 3)
      #expect(finding.folded == 2)
      #expect(finding.sites.first?.core == 1)
    }
    #expect(check.findings.first?.edits.map(\.core) == [1, 2, 3])
  }

  @Test func `the fix of a folded finding mends every core`() throws {
    let program = try Self.program(cores: 4, racing: [0, 2])
    let found = FixTrials.annotate(Checker.check(program).findings, of: program)
    #expect(found.first?.trial?.removesFinding == true)
    let text = FindingText.lines(found.map { RunReport.Described($0, in: program) }, .plain)
    #expect(text.contains("  and 1 more of the same kind, also on 1 other core"))
  }

  @Test func `races on one core are not counted as others' cores`() throws {
    let check = Checker.check(try Self.program(cores: 4, racing: [2]))
    #expect(check.findings.first?.cores == 1)
    #expect(check.findings.first?.folded == 0)
  }
}
