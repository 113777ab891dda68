import Foundation
import NPUSim
import Testing

/// Large programs: the verdict stays right.
@Suite struct CheckerScaleTests {
  static let isFull = ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1"

  @Test func `a pipeline of many micro-ops is proved, and one lost event in it is found`() throws {
    let count = Self.isFull ? 100_000 : 2_000
    var machine = TestMachine.small()
    // Two tensors of 128 bytes a tile: the full count does not fit the small HBM.
    machine.memories[Space.hbm.index].bytes = 1 << 28
    let program = try LoweringTests.pipeline(count: count, slots: 2, machine: machine)
    let result = Checker.check(program)
    #expect(result.proof.isProved)
    #expect(result.proof.microOps == program.opCount)

    let pairs = program.eventPairs
    let victim = pairs[pairs.count / 2]
    let mutant = Checker.check(program.removing([victim]))
    #expect(!mutant.isClean)
    #expect(mutant.raceCount < 10)

    #expect(Checker.redundantEvents(program).isEmpty)
  }

  @Test func `a program without any order is counted up to the limit`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard, isExplicit: true)
    let x = try p.tensor("x", .bf16, rows: 1, columns: 8, role: .input)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 1, columns: 8)
    let b = try p.buffer("b", in: UB.self, .bf16, rows: 1, columns: 8)
    for _ in 0..<300 {
      p.emit(LoadUB(a.tile(), from: x.tile()))
      p.emit(Special<ExpRule>(b.tile(), a.tile()))
    }
    let program = p.build()
    let all = Checker.check(program, CheckOptions(raceLimit: 100))
    // Each load with each function, before or after it.
    #expect(all.raceCount == 300 * 300)
    #expect(all.races.count == 100)
    #expect(
      all.findings.filter { $0.code == .H001 || $0.code == .H002 }.reduce(0) { $0 + 1 + $1.folded }
        == 300 * 300)
    let some = Checker.check(program, CheckOptions(enumerationLimit: 1_000))
    #expect(some.raceCount > 1_000 && some.raceCount < 3_000)
    #expect(some.proof.outside.count == 1)
  }
}
