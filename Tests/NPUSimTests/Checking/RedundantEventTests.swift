import Foundation
import NPUSim
import Testing

@Suite struct RedundantEventTests {
  /// 1,500 programs when `NPUSIM_FULL` is set, a tenth of them otherwise.
  static let seeds =
    0..<UInt64(
      ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1" ? 1_500 : 150)

  /// A mostly clean program on a machine whose sets do one of all that they may.
  private func program(_ seed: UInt64) throws -> Program {
    var source = RandomPrograms(seed: seed)
    var program = try source.cleanProgram()
    let keys: [EventOverwrite] = [.undefined, .blocks, .counts(1), .counts(2), .counts(3)]
    program.machine.eventOverwrite = keys[Int(seed % UInt64(keys.count))]
    return program
  }

  @Test func `an event is redundant exactly if the program is proved without it`() throws {
    var redundant = 0
    var needed = 0
    for seed in Self.seeds {
      let program = try program(seed)
      guard Checker.check(program).proof.isProved else { continue }
      let found = Set(Checker.redundantEvents(program))
      for pair in program.eventPairs {
        let isClean = Checker.check(program.removing([pair])).proof.isProved
        #expect(isClean == found.contains(pair), "\(pair) of seed \(seed)")
        if isClean { redundant += 1 } else { needed += 1 }
      }
    }
    #expect(redundant > 50)
    #expect(needed > 200)
  }

  @Test func `removable events can go together, and then none is redundant`() throws {
    var removed = 0
    for seed in Self.seeds {
      let program = try program(seed)
      guard Checker.check(program).proof.isProved else { continue }
      let pairs = Checker.removableEvents(program)
      let smaller = program.removing(pairs)
      #expect(Checker.check(smaller).proof.isProved, "seed \(seed)")
      #expect(Checker.redundantEvents(smaller).isEmpty, "seed \(seed)")
      removed += pairs.count
    }
    #expect(removed > 50)
  }

  @Test func `lowering leaves no redundant event`() throws {
    var judged = 0
    for seed in Self.seeds {
      var source = RandomPrograms(seed: seed)
      let program = try source.pipeline(cutsTiles: true)
      guard Checker.check(program).isClean else { continue }
      let pairs = Checker.redundantEvents(program)
      #expect(pairs.isEmpty, "seed \(seed)")
      judged += 1
    }
    #expect(judged > Self.seeds.count / 2)
  }

  @Test func `a pipeline of rings has no redundant event, and each of its events is needed`() throws
  {
    for (count, slots) in [(1, 1), (2, 1), (5, 1), (4, 2), (7, 2), (9, 3)] {
      let program = try LoweringTests.pipeline(
        count: count, slots: slots, machine: TestMachine.small())
      let result = Checker.check(program, CheckOptions(lints: true))
      #expect(!result.findings.contains { $0.code == .P001 }, "\(count) tiles, \(slots) slots")
      for pair in program.eventPairs {
        let mutant = Checker.check(program.removing([pair]))
        #expect(!mutant.proof.isProved, "\(pair) of \(count) tiles, \(slots) slots")
        #expect(mutant.findings.contains { ["H", "S"].contains($0.code.rawValue.prefix(1)) })
      }
    }
  }

  @Test func `a doubled event is a lint that leaves the verdict clean`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 1, columns: 64, role: .input)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 1, columns: 64)
    p.emit(LoadUB(a.tile(), from: x.tile()))
    for id in 0..<2 as Range<UInt16> {
      p.emit(SetEvent(Event(from: .load, to: .vector, id: id)))
      p.emit(WaitEvent(Event(from: .load, to: .vector, id: id)))
    }
    p.emit(Special<ExpRule>(a.tile(), a.tile()))
    let program = p.build()
    let result = Checker.check(program, CheckOptions(lints: true))
    #expect(result.isClean)
    #expect(result.findings.map(\.code) == [.P001, .P008])
    #expect(result.findings.first?.folded == 1)
    // Each stands in for the other; only one can go.
    #expect(Checker.redundantEvents(program).count == 2)
    #expect(Checker.removableEvents(program).count == 1)
  }

  @Test func `removing micro-ops moves taps and defects along`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 2, columns: 64, role: .input)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: 2, rows: 1, columns: 64)
    let tap = try p.tapTensor("t", .bf16, rows: 2, columns: 64)
    p.emit(LoadUB(a.tile(slot: 0), from: x.tile(row: 0, rows: 1)))
    p.tap(a.tile(slot: 0), tensor: tap)
    p.emit(LoadUB(a.tile(slot: 1), from: x.tile(row: 1, rows: 1)))
    p.tap(a.tile(slot: 1), tensor: tap, row: 1)
    p.emit(LoadUB(a.tile(slot: 2), from: x.tile(row: 0, rows: 1)))
    let program = p.build().removingMicroOps([0, 99], core: 0)
    #expect(program.cores[0].count == 2)
    #expect(program.taps.map(\.op) == [0])
    #expect(program.defects.map(\.op) == [1])
    #expect(program.removingMicroOps([0], core: 5).cores[0].count == 2)
  }
}
