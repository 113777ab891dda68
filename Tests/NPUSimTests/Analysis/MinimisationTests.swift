import NPUSim
import Testing

@Suite struct MinimisationTests {
  private typealias Bench = CheckerCaseTests.Bench

  @Test func `events and barriers that nothing needs go, and the program stays clean`() throws {
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.sync(.load, .vector, 1)
    t.exp()
    t.p.emit(QueueBarrier(.vector))
    t.sync(.vector, .store)
    t.store()
    let program = t.p.build()
    let (result, rest) = try Minimisation.of(program)
    #expect(result.events == 3 && result.removedEvents == 1)
    #expect(result.barriers == 1 && result.removedBarriers == 1)
    #expect(rest.opCount == program.opCount - 3)
    #expect(Checker.check(rest, CheckOptions(lints: true)).findings.isEmpty)
    let before = try #require(result.cyclesBefore)
    let after = try #require(result.cyclesAfter)
    #expect(after <= before)
    #expect(result.groups.map(\.count) == [1, 1])
  }

  @Test func `what the builder lowers has nothing to remove`() throws {
    let program = try LoweringTests.pipeline(count: 8, slots: 2, machine: TestMachine.small())
    let result = try Minimisation.of(program).minimisation
    #expect(result.removedEvents == 0 && result.removedBarriers == 0)
    #expect(result.cyclesBefore == result.cyclesAfter)
    #expect(result.groups.isEmpty)
  }

  @Test func `a program with errors keeps everything`() throws {
    var t = try Bench()
    t.load()
    t.exp()
    let program = t.p.build()
    let (result, rest) = try Minimisation.of(program)
    #expect(result.removedEvents == 0 && rest.opCount == program.opCount)
  }
}
