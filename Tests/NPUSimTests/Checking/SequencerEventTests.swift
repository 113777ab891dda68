import NPUSim
import Testing

/// Events that the sequencer waits for, or sets.
@Suite struct SequencerEventTests {
  private static let head = """
    .input x f32 [8, 64]
    .tensor y f32 [8, 64]
    .buf a ub f32 [1, 64]
    .buf b ub f32 [1, 64]

    """

  /// A row through three queues, one after the other by waits of the sequencer alone.
  private static let serial = """
    .loop i 0..<3
      load.ub a <- x[i +: 1, :] set scalar:0
      wait load->scalar:0
      vector.exp b <- a set scalar:0
      wait vector->scalar:0
      store.hbm y[i +: 1, :] <- b set scalar:0
      wait store->scalar:0
    .end
    """

  /// The store stands first in the program and waits until the sequencer has got behind the rest.
  private static let held = """
    wait scalar->store:0
    store.hbm y[0 +: 1, :] <- b
    load.ub a <- x[0 +: 1, :] set scalar:0
    wait load->scalar:0
    vector.exp b <- a set scalar:0
    wait vector->scalar:0
    set scalar->store:0
    """

  private func program(
    _ text: String, _ machine: MachineConfiguration = TestMachine.small()
  ) throws -> Program {
    try TextFixture.program(Self.head + text, machine: machine)
  }

  private func codes(_ text: String) throws -> [FindingCode] {
    Checker.check(try program(text)).findings.map(\.code)
  }

  @Test(arguments: [serial, held])
  func `what the sequencer waited for is known to all that it dispatches later`(
    text: String
  ) throws {
    let result = Checker.check(try program(text))
    #expect(result.findings.isEmpty && result.proof.isProved)
    #expect(result.proof.events == (text == Self.serial ? 9 : 3))
  }

  @Test(arguments: [serial, held])
  func `without any one of its events such a program is not clean`(text: String) throws {
    let program = try program(text)
    // Nothing stands behind the last turn's store.
    let needless = text == Self.serial ? Array(program.eventPairs.suffix(1)) : []
    #expect(Checker.redundantEvents(program) == needless)
    #expect(Checker.removableEvents(program) == needless)
    for pair in program.eventPairs where !needless.contains(pair) {
      let result = Checker.check(program.removing([pair]))
      #expect(!result.races.isEmpty, "\(pair)")
    }
  }

  @Test func `what is dispatched before the wait does not know what it waited for`() throws {
    #expect(
      try codes(
        """
        load.ub a <- x[0 +: 1, :] set scalar:0
        vector.exp b <- a
        wait load->scalar:0
        """) == [.H001])
    // Nor does a micro-op that its queue holds back: it was dispatched before.
    let late = """
      wait store->vector:0
      vector.exp b <- a
      load.ub a <- x[0 +: 1, :] set scalar:0
      wait load->scalar:0
      set store->vector:0
      """
    // The set of the store stands behind the wait, and hands on what it knows.
    #expect(try codes(late).isEmpty)
    #expect(
      try codes(
        late.replacingOccurrences(
          of: "wait load->scalar:0\nset store->vector:0",
          with: "set store->vector:0\nwait load->scalar:0")
      ).contains(.H002))
  }

  @Test func `what a blocked set holds back knows what the sequencer waited for before it`() throws
  {
    // The second set blocks: the function is dispatched behind the wait and kept back before it, and
    // what lets the queue go on passes nothing on.
    let text = """
      set vector->store:0
      set vector->store:0
      load.ub a <- x[0 +: 1, :] set scalar:0
      wait load->scalar:0
      vector.exp b <- a
      wait vector->store:0
      wait vector->store:0
      """
    var machine = TestMachine.small()
    machine.eventOverwrite = .blocks
    let result = Checker.check(try program(text, machine))
    #expect(result.findings.isEmpty && result.proof.isProved)
    // Dispatched before it, it would not.
    let early = text.replacingOccurrences(
      of: "wait load->scalar:0\nvector.exp b <- a", with: "vector.exp b <- a\nwait load->scalar:0")
    #expect(Checker.check(try program(early, machine)).findings.map(\.code) == [.H001])
  }

  @Test func `a wait of the sequencer before its set is D001, and one without a set D002`() throws {
    let before = Checker.check(try program("wait load->scalar:0\nset load->scalar:0"))
    let stuck = try #require(before.findings.first)
    #expect(before.findings.map(\.code) == [.D001])
    #expect(stuck.message.contains("the sequencer waits for what stands behind its wait"))
    #expect(stuck.message.contains("sync.set #1 (queue load), which stands behind sync.wait #0"))
    let never = Checker.check(try program("load.ub a <- x[0 +: 1, :]\nwait load->scalar:0"))
    #expect(Set(never.findings.map(\.code)) == [.D002, .S002])
    // The set stands behind a wait that needs what the sequencer has not dispatched.
    let both = Checker.check(
      try program(
        """
        wait vector->load:0
        set load->scalar:0
        wait load->scalar:0
        set vector->load:0
        """))
    #expect(both.findings.map(\.code) == [.D001])
    #expect(both.findings[0].sites.count == 2)
    for text in [
      "wait load->scalar:0", "wait scalar->load:0\nset load->scalar:0\nwait load->scalar:0",
    ] {
      #expect(throws: NPUError.self) { try TimingEngine.run(try program(text)) }
    }
  }

  @Test func `sets and waits of the sequencer are counted like any other`() throws {
    #expect(try codes("set load->scalar:0") == [.S001])
    #expect(try codes("set scalar->load:0") == [.S001])
    #expect(
      try codes("set load->scalar:0\nset load->scalar:0\nwait load->scalar:0\nwait load->scalar:0")
        == [.S004])
    // Its waits come in program order: a set behind one never comes too early.
    #expect(
      try codes("set load->scalar:0\nwait load->scalar:0\nset load->scalar:0\nwait load->scalar:0")
        .isEmpty)
    // The sequencer runs ahead of a queue that has not taken its event.
    #expect(
      try codes("set scalar->load:0\nwait scalar->load:0\nset scalar->load:0\nwait scalar->load:0")
        == [.S008])
    #expect(try codes("set scalar->load:9\nwait scalar->load:9") == [.S005])
    var machine = TestMachine.small()
    machine.eventPairs = QueuePairs([(source: .load, target: .vector)])
    let result = Checker.check(
      try program("set load->scalar:0\nwait load->scalar:0", machine))
    #expect(result.findings.map(\.code) == [.S007])
    #expect(result.findings[0].message.contains("no events from load to scalar"))
    let own = Checker.check(try program("set scalar->scalar:0")).findings
    #expect(own.first?.message.contains("found the sequencer on both sides") == true)
  }

  @Test func `a wait of the sequencer takes no slot, and stops dispatch until it has passed`()
    throws
  {
    let program = try program(Self.serial, TestMachine.small(depth: 1))
    #expect(Checker.check(program).proof.isProved)
    let result = try TimingEngine.run(program, TimingOptions(timeline: true))
    let times = try #require(result.timeline)[0]
    // #0 load, #1 its set, #2 the wait, #3 the function.
    let fired = max(times[1].free, times[0].visible)
    #expect(times[2].dispatch == times[1].dispatch + 1)
    #expect(times[2].start == fired + program.machine.eventPropagation)
    #expect(times[3].dispatch == times[2].start + 1)
    #expect(times[2].free == times[2].start + 1 && times[2].visible == times[2].free)
    #expect(result.cycles >= times[8].visible)
    // Idle meanwhile, as nothing is dispatched.
    #expect(result.cores[0].queues[Queue.vector.index][.waitEvent] == 0)
    #expect(result.cores[0].queues[Queue.vector.index][.dispatch] > 0)
    let bounds = try Bounds.of(program)
    #expect(bounds.criticalPath <= result.cycles && result.cycles <= bounds.serialSum)
  }

  @Test func `words do not depend on whether the sequencer or a queue waits`() throws {
    func words(_ text: String) throws -> [Float] {
      let program = try program(text)
      let state = MachineState(program)
      try state.fill(0, floats: (0..<512).map { Float($0 % 7) })
      _ = try FunctionalEngine.run(program, state: state)
      return state.floats(1)
    }
    let plain = """
      load.ub a <- x[0 +: 1, :] set vector:0
      vector.exp b <- a wait load:0 set store:0
      store.hbm y[0 +: 1, :] <- b wait vector:0
      """
    let expected = try words(plain)
    #expect(expected.contains { $0 > 1 })
    #expect(try words(Self.held) == expected)
  }
}
