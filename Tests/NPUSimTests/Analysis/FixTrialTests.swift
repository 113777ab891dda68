import NPUSim
import Testing

@Suite struct FixTrialTests {
  private typealias Bench = CheckerCaseTests.Bench

  @Test func `a read that starts before its data shows in the timing, and the event costs cycles`()
    throws
  {
    var t = try Bench()
    t.load()
    t.exp()
    t.sync(.vector, .store)
    t.store()
    let program = t.p.build()
    let found = FixTrials.annotate(Checker.check(program).findings, of: program)
    let race = try #require(found.first { $0.code == .H001 })
    #expect(race.manifests == true)
    let trial = try #require(race.trial)
    #expect(trial.removesFinding)
    let cost = try #require(trial.cost)
    // The exponential waits for the load: at least its latency and its port time.
    #expect(cost > 10)
  }

  @Test func `a race that the timing happens to order is latent, and its fix still is needed`()
    throws
  {
    // The load of the second row takes the slot again while nothing says that the first was read:
    // so much lies in between that it was.
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.exp(0)
    t.sync(.vector, .store)
    t.store()
    for row in 1..<6 { t.load(1, row: row) }
    t.load(0, row: 7)
    t.sync(.load, .vector, 1)
    t.exp(1)
    let program = t.p.build()
    let found = FixTrials.annotate(Checker.check(program).findings, of: program)
    let race = try #require(found.first { $0.code == .H002 })
    #expect(race.manifests == false)
    #expect(race.trial?.removesFinding == true)
  }

  @Test func `a redundant event says what leaving it out gains`() throws {
    var t = try Bench()
    t.load()
    t.sync(.load, .vector)
    t.sync(.load, .vector, 1)
    t.exp()
    t.sync(.vector, .store)
    t.store()
    let program = t.p.build()
    let found = FixTrials.annotate(
      Checker.check(program, CheckOptions(lints: true)).findings, of: program)
    // The two stand in for each other: each alone can go, one is tried.
    #expect(found.map(\.code) == [.P001] && found[0].folded == 1 && found[0].edits.count == 1)
    let trial = try #require(found[0].trial)
    #expect(trial.removesFinding)
    let cost = try #require(trial.cost)
    #expect(cost <= 0)
  }

  @Test func `a fix that needs more IDs than there are says how many`() throws {
    var t = try Bench(TestMachine.small(eventsPerPair: 1))
    t.load(0)
    t.sync(.load, .vector)
    t.exp(0)
    t.load(1)
    t.exp(1)
    let program = t.p.build()
    let found = FixTrials.annotate(Checker.check(program).findings, of: program)
    let race = try #require(found.first { $0.code == .H001 })
    #expect(race.trial?.missingIdentifiers == 1)
    #expect(race.trial?.removesFinding == true)
  }

  @Test func `what never ends has no cycles before`() throws {
    var t = try Bench()
    t.load()
    t.wait(.load, .vector)
    t.exp()
    let program = t.p.build()
    let found = FixTrials.annotate(Checker.check(program).findings, of: program)
    let surplus = try #require(found.first { $0.code == .S002 })
    #expect(surplus.trial?.cyclesBefore == nil)
    #expect(surplus.trial?.cost == nil)
    #expect(surplus.manifests == nil)
  }

  @Test func `the page gives the bytes, whether it shows, and the price of the fix`() throws {
    var t = try Bench()
    t.load()
    t.exp()
    let program = t.p.build()
    let found = FixTrials.annotate(Checker.check(program).findings, of: program)
      .map { RunReport.Described($0, in: program) }
    let text = FindingText.lines(found, .plain).joined(separator: "\n")
    #expect(text.contains("on 128 bytes from byte 0 of a in ub"))
    #expect(text.contains("  at #0 load.ub a[0][0 +: 1, 0 +: 64], x"))
    #expect(text.contains(" (load, cycles "))
    #expect(text.contains("  missing: an event load->vector between #0 and #1"))
    #expect(text.contains("it shows in this timing"))
    #expect(text.contains("tried: costs "))
    #expect(text.contains("it removes the finding"))
  }
}
