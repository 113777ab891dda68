import NPUSim
import Testing

/// Which events a machine has, and what a set does to one that is still set.
@Suite struct EventRuleTests {
  private typealias Bench = CheckerCaseTests.Bench

  private func machine(
    _ overwrite: EventOverwrite = .undefined, without absent: [(EventEnd, EventEnd)] = [],
    fused: [(source: EventEnd, target: EventEnd)] = [], eventsPerPair: Int? = 8
  ) -> MachineConfiguration {
    var machine = TestMachine.small(eventsPerPair: eventsPerPair)
    machine.eventOverwrite = overwrite
    machine.eventPairs = QueuePairs(
      QueuePairs.all.list.filter { pair in !absent.contains { $0 == pair } })
    machine.fusedEventPairs = QueuePairs(fused)
    return machine
  }

  /// Loads of so many rows, all announced by ID 0, and then so many waits and reads.
  private func ahead(_ count: Int, on machine: MachineConfiguration) throws -> Program {
    var t = try Bench(machine)
    for row in 0..<count {
      t.load(row % 2, row: row)
      t.set(.load, .vector)
    }
    for _ in 0..<count { t.wait(.load, .vector) }
    return t.p.build()
  }

  /// Turns of a load, its event and a read on so many slots, without or with an edge that frees the
  /// slot.
  private func turns(
    _ count: Int, slots: Int, isFreed: Bool, on machine: MachineConfiguration
  ) throws -> Program {
    var t = try Bench(machine)
    for turn in 0..<count {
      if isFreed && turn >= slots { t.wait(.vector, .load, UInt16(turn % slots)) }
      t.load(turn % slots, row: turn % 8)
      t.set(.load, .vector)
      t.wait(.load, .vector)
      t.exp(turn % slots)
      if isFreed && turn + slots < count { t.set(.vector, .load, UInt16(turn % slots)) }
    }
    return t.p.build()
  }

  // MARK: Pairs

  @Test func `an event without a pair is S007, with the chains that lead there`() throws {
    let machine = machine(without: [(.load, .vector), (.vector, .store)])
    var t = try Bench(machine)
    t.load()
    t.sync(.load, .vector)
    t.exp()
    t.sync(.vector, .store)
    t.store()
    let findings = Checker.check(t.p.build()).findings
    #expect(findings.map(\.code) == [.S007, .S007] && findings.map(\.folded) == [1, 1])
    #expect(findings.allSatisfy { $0.severity == .error })
    let first = try #require(findings.first)
    #expect(first.sites.map(\.op) == [1])
    #expect(
      first.message
        == "sync.set #1 (queue load) names load->vector:0, but the machine small has no events from "
        + "load to vector; the same way lead load->feed and feed->vector, or load->matrix and "
        + "matrix->vector, or load->drain and drain->vector")
    #expect(
      first.fix
        == "let feed wait for load and set the event for vector, or order the two with a barrier on "
        + "all queues")
  }

  @Test func `where no chain leads there, S007 says so and names the barrier`() throws {
    let absent = Queue.allCases.map { (EventEnd.load, EventEnd.queue($0)) }
    var t = try Bench(machine(without: absent))
    t.load()
    t.sync(.load, .vector)
    t.exp()
    let finding = try #require(Checker.check(t.p.build()).findings.first)
    #expect(finding.code == .S007)
    #expect(finding.message.hasSuffix("nor a chain of pairs that leads there"))
    #expect(finding.fix == "order the two with a barrier on all queues")
  }

  @Test func `a fused pair is as good as another`() throws {
    let machine = machine(
      without: [(.load, .vector)], fused: [(source: .load, target: .vector)])
    var t = try Bench(machine)
    t.load()
    t.sync(.load, .vector)
    t.exp()
    #expect(t.codes().isEmpty)
  }

  @Test func `a race over a missing pair names what leads there, not an event`() throws {
    var t = try Bench(machine(without: [(.load, .vector)]))
    t.load()
    t.exp()
    let finding = try #require(Checker.check(t.p.build()).findings.first)
    #expect(finding.code == .H001 && finding.edits.isEmpty)
    let missing = try #require(finding.missing)
    #expect(missing.contains("has no events from load to vector; the same way lead"))
    #expect(finding.fix.hasPrefix("let feed wait for load"))
  }

  @Test
  func `a barrier stands where a missing pair would be needed, unless another queue leads there`()
    throws
  {
    for isLed in [false, true] {
      var p = ProgramBuilder(
        machine: machine(without: [(.load, .store)]), catalogue: .standard)
      let x = try p.tensor("x", .bf16, rows: 2, columns: 64, role: .input)
      let y = try p.tensor("y", .bf16, rows: 2, columns: 64, role: .scratch)
      let a = try p.buffer("a", in: UB.self, .bf16, rows: 2, columns: 64)
      p.emit(LoadUB(a.tile(), from: x.tile()))
      // The store reads what both wrote, the vector queue after the load.
      let top = a.tile(rows: 1)
      if isLed { p.emit(Special<ExpRule>(top, top)) }
      p.emit(StoreHBM(y.tile(), from: a.tile()))
      let program = p.build()
      #expect(program.cores[0].contains { $0.kind == .barrierAll } == !isLed)
      let result = Checker.check(program)
      #expect(result.findings.isEmpty && result.proof.isProved)
    }
  }

  // MARK: Sets of a set event

  @Test func `sets beyond what a machine keeps are S004, in the order of the program`() throws {
    let codes = { (count: Int, overwrite: EventOverwrite) in
      Checker.check(try self.ahead(count, on: self.machine(overwrite))).findings
        .filter { $0.code == .S004 || $0.code == .S008 }
    }
    #expect(try codes(1, .undefined).isEmpty)
    #expect(try codes(2, .undefined).map(\.code) == [.S004])
    #expect(try codes(4, .undefined).map(\.folded) == [2])
    for most in 1...4 {
      #expect(try codes(most, .counts(most)).isEmpty)
      let beyond = try codes(most + 1, .counts(most))
      #expect(beyond.map(\.code) == [.S004] && beyond.map(\.folded) == [0])
    }
    #expect(try codes(4, .blocks).isEmpty)
  }

  @Test func `sets that alternate with waits and nothing orders are S008, a warning`() throws {
    let program = try turns(6, slots: 2, isFreed: true, on: machine())
    let result = Checker.check(program)
    #expect(result.findings.map(\.code) == [.S008] && result.isClean)
    #expect(!result.proof.isProved && result.proof.outside.count == 1)
    let finding = result.findings[0]
    #expect(finding.severity == .warning && finding.reuses.count == 5)
    for (number, reuse) in finding.reuses.enumerated() {
      // The wait of a turn, and the set of the next.
      let records = program.cores[0]
      func ops(_ kind: OpKind, on queue: Queue) -> [Int] {
        records.indices.filter { records[$0].kind == kind && records[$0].queue == queue }
      }
      let waits = ops(.wait, on: .vector)
      let sets = ops(.set, on: .load)
      #expect(reuse.wait.op == waits[number] && reuse.set.op == sets[number + 1])
    }
    for overwrite in [EventOverwrite.blocks, .counts(2)] {
      let other = Checker.check(try turns(6, slots: 2, isFreed: true, on: machine(overwrite)))
      #expect(other.findings.isEmpty && other.proof.isProved, "\(overwrite)")
    }
    // With one slot the edge that frees it orders the set too.
    #expect(Checker.check(try turns(6, slots: 1, isFreed: true, on: machine())).proof.isProved)
  }

  @Test func `spare cycles are those from the end of the wait to the firing of the set`() throws {
    let program = try turns(6, slots: 2, isFreed: true, on: machine())
    let timeline = try #require(
      try TimingEngine.run(program, TimingOptions(timeline: true)).timeline)
    let finding = try #require(
      FixTrials.annotate(Checker.check(program).findings, of: program).first)
    let spares = finding.reuses.map { reuse in
      // A set fires with the last result of its queue so far, its own end included.
      let fire =
        program.cores[0].indices.filter {
          $0 <= reuse.set.op && program.cores[0][$0].queue == .load
        }.map { timeline[0][$0].visible }.max() ?? 0
      return fire - timeline[0][reuse.wait.op].free
    }
    let spare = try #require(finding.spare)
    #expect(spare.printed == spares[0] && spare.least == spares.min())
    #expect(spare.showing == spares.count { $0 < 0 })
    #expect(finding.manifests == (spares[0] < 0))
  }

  @Test func `as many IDs in turn as a ring has slots remove S008 at no cost`() throws {
    let program = try turns(7, slots: 2, isFreed: true, on: machine())
    let event = Event(from: .load, to: .vector, id: 0)
    let finding = try #require(
      FixTrials.annotate(Checker.check(program).findings, of: program).first)
    #expect(finding.edits == [.rotate(core: 0, event: event, identifiers: 2)])
    #expect(finding.trial?.removesFinding == true && finding.trial?.cost == 0)
    #expect(Checker.check(program.applying(finding.edits)).proof.isProved)
    let fewer = program.applying([.rotate(core: 0, event: event, identifiers: 1)])
    #expect(Checker.check(fewer).findings.map(\.code) == [.S008])
    // Where nothing frees a slot no number of IDs does: the fix is an event back.
    let endless = try turns(10, slots: 2, isFreed: false, on: machine())
    let other = try #require(Checker.check(endless).findings.first { $0.code == .S008 })
    #expect(other.edits.isEmpty && other.fix.hasPrefix("order load after the wait"))
  }

  @Test func `the fix of a race takes as many IDs as leave no S008`() throws {
    var t = try Bench(machine(eventsPerPair: 2))
    t.sync(.load, .vector)
    for turn in 0..<6 {
      if turn >= 2 { t.wait(.vector, .load, UInt16(turn % 2)) }
      t.load(turn % 2, row: turn)
      t.exp(turn % 2)
      if turn < 4 { t.set(.vector, .load, UInt16(turn % 2)) }
    }
    let program = t.p.build()
    let race = try #require(
      FixTrials.annotate(Checker.check(program).findings, of: program).first)
    #expect(race.code == .H001)
    // Two beside the one that is in use, of the two that there are.
    #expect(race.trial?.removesFinding == true && race.trial?.missingIdentifiers == 1)
    #expect(Checker.check(program.applying(race.edits)).findings.map(\.code) == [.S008])
  }

  @Test func `a set that blocks stops its queue, and its wait behind it stops both`() throws {
    var t = try Bench(machine(.blocks))
    t.set(.load, .vector)
    t.set(.load, .vector)
    t.p.emit(CoreBarrier())
    t.wait(.load, .vector)
    t.wait(.load, .vector)
    let stuck = Checker.check(t.p.build()).findings
    #expect(stuck.map(\.code) == [.D001])
    #expect(stuck.first?.message.contains("waits until load->vector:0 is empty, taken by") == true)

    var endless = try Bench(machine(.blocks))
    endless.set(.load, .vector)
    endless.set(.load, .vector)
    #expect(endless.codes().contains(.D002))
  }

  @Test func `a set that blocks orders no bytes`() throws {
    // The second load starts after the wait, but the read behind the wait may come later still.
    for overwrite in [EventOverwrite.undefined, .blocks] {
      let program = try turns(2, slots: 1, isFreed: false, on: machine(overwrite))
      let codes = Set(Checker.check(program).findings.map(\.code))
      #expect(codes == (overwrite == .blocks ? [.H002] : [.H002, .S008]))
    }
  }

  @Test func `sets that block fill a queue as waits do`() throws {
    var small = machine(.blocks)
    small.queueDepth = 2
    var t = try Bench(small)
    for _ in 0..<4 { t.set(.load, .vector) }
    for _ in 0..<4 { t.wait(.load, .vector) }
    #expect(t.codes() == [.D003])
  }
}
