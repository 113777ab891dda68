import NPUSim
import Testing

/// Events between cores.
@Suite struct CoreEventTests {
  /// Tiles go from core 0 to core 1 over HBM, through two slots, and the slots go back.
  private static let relay = """
    .input x f32 [6, 64]
    .tensor t f32 [2, 64]
    .tensor y f32 [6, 64]
    .core 0
      .buf a ub f32 [1, 64]
      .loop i 0..<6
        load.ub a <- x[i +: 1, :] wait store:0 if i > 0 set store:0
        .if i > 1: wait core 1 load->store:i % 2
        store.hbm t[i % 2 +: 1, :] <- a wait load:0 set load:0 if i < 5
        set core 1 store->load:i % 2
      .end
    .end
    .core 1
      .buf b ub f32 [1, 64]
      .loop i 0..<6
        wait core 0 store->load:i % 2
        load.ub b <- t[i % 2 +: 1, :] wait store:0 if i > 0 set store:0
        .if i < 4: set core 0 load->store:i % 2
        store.hbm y[i +: 1, :] <- b wait load:0 set load:0 if i < 5
      .end
    .end
    """

  private func program(
    _ text: String = relay, cores: Int = 2,
    _ change: (inout MachineConfiguration) -> Void = { _ in }
  ) throws -> Program {
    var machine = TestMachine.small(cores: cores)
    change(&machine)
    return try TextFixture.program(text, machine: machine)
  }

  private func findings(_ text: String, cores: Int = 2) throws -> [Finding] {
    Checker.check(try program(text, cores: cores)).findings
  }

  @Test func `a barrier that a stuck core's list does not have is never reached`() throws {
    let found = try findings(
      """
      .input x f32 [1, 64]
      .core 0
        .buf a ub f32 [1, 64]
        wait core 1 load->store:0
        load.ub a <- x
      .end
      .core 1
        barrier_cores
        set core 0 load->store:0
      .end
      """)
    #expect(found.filter { $0.severity == .error }.map(\.code) == [.D002])
    #expect(
      found.contains {
        $0.message.hasSuffix("is barrier 1 over the cores, but core 0 ends after 0")
      }, "\(found.map(\.message))")
  }

  /// The k-th set of each event and its k-th wait.
  private func pairs(_ program: Program) -> [(set: Finding.Site, wait: Finding.Site)] {
    func sites(_ kind: OpKind) -> [Finding.Site] {
      program.cores.enumerated().flatMap { core, records in
        records.indices.filter { records[$0].kind == kind }.map { .init(core: core, op: $0) }
      }
    }
    func record(_ site: Finding.Site) -> OpRecord { program.cores[site.core][site.op] }
    var taken: Set<Finding.Site> = []
    return sites(.coreSet).compactMap { set in
      let wait = sites(.coreWait).first {
        !taken.contains($0) && Int(record($0).words[0]) == set.core
          && $0.core == Int(record(set).words[0]) && record($0).words[1] == record(set).words[1]
      }
      guard let wait else { return nil }
      taken.insert(wait)
      return (set, wait)
    }
  }

  @Test func `tiles handed from core to core and back are proved`() throws {
    let result = Checker.check(try program())
    #expect(result.findings.isEmpty && result.proof.isProved, "\(result.findings.map(\.message))")
    // Ten events between the cores, and those of each core.
    #expect(result.proof.events == 10 + 22)
  }

  @Test func `without any one event between cores there is a race`() throws {
    let program = try program()
    let pairs = pairs(program)
    #expect(pairs.count == 10)
    for pair in pairs {
      let mutant = program.applying([
        .remove(core: pair.set.core, ops: [pair.set.op]),
        .remove(core: pair.wait.core, ops: [pair.wait.op]),
      ])
      let races = Checker.check(mutant).races
      #expect(races.contains { $0.first.core != $0.second.core }, "\(pair)")
    }
  }

  @Test func `no randomised timing changes a word, nor does the number of threads`() throws {
    let program = try program()
    func words(_ run: (MachineState) throws -> Void) throws -> [Float] {
      let state = MachineState(program)
      try state.fill(0, floats: (0..<384).map { Float($0) })
      try run(state)
      return state.floats(2)
    }
    for isConcurrent in [false, true] {
      let plain = try words {
        _ = try FunctionalEngine.run(
          program, state: $0, options: .init(runsCoresConcurrently: isConcurrent))
      }
      #expect(plain == (0..<384).map { Float($0) })
    }
    for seed in 0..<20 as Range<UInt64> {
      let order = try JitterTests.order(program, seed: seed, percent: 1000)
      let late = try words { _ = try FunctionalEngine.run(program, state: $0, order: order) }
      #expect(late == (0..<384).map { Float($0) }, "seed \(seed)")
    }
  }

  @Test func `a wait stops dispatch until the set has fired and propagated`() throws {
    let program = try program()
    let result = try TimingEngine.run(program, TimingOptions(timeline: true))
    let times = try #require(result.timeline)
    for pair in pairs(program) {
      let set = times[pair.set.core][pair.set.op]
      let wait = times[pair.wait.core][pair.wait.op]
      #expect(wait.start >= set.free + program.machine.eventPropagation)
      #expect(times[pair.wait.core][pair.wait.op + 1].dispatch >= wait.start + 1)
    }
    let bounds = try Bounds.of(program)
    #expect(bounds.criticalPath <= result.cycles && result.cycles <= bounds.serialSum)
  }

  @Test func `as many sets as are counted may be pending, and one more is S004`() throws {
    func pending(_ sets: Int, counted: Int, isAnswered: Bool = false) throws -> [FindingCode] {
      let text = """
        .input x f32 [1, 64]
        .core 0
          .buf a ub f32 [1, 64]
          .loop i 0..<\(sets)
            \(isAnswered ? ".if i > 0: wait core 1 load->load:1" : "")
            set core 1 load->load:0
          .end
        .end
        .core 1
          .buf b ub f32 [1, 64]
          .loop i 0..<\(sets)
            wait core 0 load->load:0
            \(isAnswered ? ".if i + 1 < \(sets): set core 0 load->load:1" : "")
          .end
        .end
        """
      return Checker.check(try program(text) { $0.coreEventCapacity = counted }).findings
        .map(\.code)
    }
    #expect(try pending(3, counted: 3).isEmpty)
    #expect(try pending(4, counted: 3) == [.S004])
    #expect(try pending(15, counted: 15).isEmpty)
    #expect(try pending(16, counted: 15) == [.S004])
    #expect(try pending(4, counted: 1, isAnswered: true).isEmpty)
  }

  @Test func `cores that wait for each other are one D001, and what is never set D002`() throws {
    let cycle = try findings(
      """
      .core 0
        wait core 1 load->load:0
        set core 1 load->load:0
      .end
      .core 1
        wait core 0 load->load:0
        set core 0 load->load:0
      .end
      """)
    #expect(cycle.map(\.code) == [.D001])
    #expect(cycle[0].message.hasPrefix("cores wait for each other and never go on:"))
    #expect(cycle[0].sites.map(\.core) == [0, 1])
    #expect(cycle[0].message.contains("set by sync.set_core #1 (core 1, queue load)"))
    let never = try findings(".core 1\nwait core 0 load->load:0\n.end")
    #expect(Set(never.map(\.code)) == [.D002, .S002])
    // Behind a barrier over the cores that the other never comes to.
    let barrier = try findings(
      """
      .core 0
        barrier_cores
        set core 1 load->load:0
      .end
      .core 1
        wait core 0 load->load:0
        barrier_cores
      .end
      """)
    #expect(barrier.map(\.code) == [.D001])
    #expect(
      try findings(".core 0\nset core 1 load->load:0\n.end\n.core 1\nbarrier load\n.end")
        .map(\.code) == [.S001])
    for text in [".core 1\nwait core 0 load->load:0\n.end"] {
      let program = try program(text)
      #expect(throws: NPUError.self) { try TimingEngine.run(program) }
      #expect(throws: NPUError.self) {
        try FunctionalEngine.run(program, state: MachineState(program))
      }
    }
  }

  @Test func `an event of one core that another waits for is said to be no event between cores`()
    throws
  {
    let result = try findings(
      """
      .core 0
        set load->store:0
      .end
      .core 1
        wait load->store:0
      .end
      """)
    for code in [FindingCode.S001, .S002] {
      let finding = try #require(result.first { $0.code == code })
      #expect(
        finding.message.contains(
          "write set core 1 load->store:0 on core 0 and wait core 0 load->store:0 on core 1"))
    }
  }

  @Test func `groups say which cores have which queues, and which have events together`() throws {
    func codes(_ text: String, matrix: Int, vector: Int) throws -> [FindingCode] {
      Checker.check(
        try program(text, cores: 6) {
          $0.groups.matrixCores = matrix
          $0.groups.vectorCores = vector
        }
      ).findings.map(\.code)
    }
    func pair(_ a: Int, _ b: Int) -> String {
      ".core \(a)\nset core \(b) load->load:0\n.end\n"
        + ".core \(b)\nwait core \(a) load->load:0\n.end"
    }
    #expect(try codes(pair(0, 5), matrix: 0, vector: 0).isEmpty)
    #expect(try codes(pair(0, 2), matrix: 1, vector: 2).isEmpty)
    #expect(try codes(pair(2, 3), matrix: 1, vector: 2) == [.S007])
    #expect(try codes(".core 0\nbarrier vector\n.end", matrix: 1, vector: 2) == [.M005])
    #expect(try codes(".core 1\nbarrier vector\n.end", matrix: 1, vector: 2).isEmpty)
    #expect(try codes(".core 4\nbarrier feed\n.end", matrix: 1, vector: 2) == [.M005])
    let own = try findings(".core 0\nset core 0 load->load:0\nwait core 0 load->load:0\n.end")
    #expect(own.map(\.code) == [.S007])
    let beyond = try findings(".core 0\nset core 9 load->load:0\n.end")
    #expect(Set(beyond.map(\.code)) == [.S007, .S001])
  }

  @Test func `texts of events between cores come back from their program`() throws {
    try TextRoundTripTests.check(try program(), "relay")
    #expect(!TextFixture.errors("set core 1").isEmpty)
    let parsed = try TextFixture.parse("set core 1+2 load->store:0\nwait core 0 load->store:1")
      .get()
    #expect(
      parsed.formatted().elementsEqual(
        "set core 1 + 2 load->store:0\nwait core 0 load->store:1\n".utf8))
  }

  @Test func `what cores know of one another is counted, for each turn and each core`() throws {
    let text = """
      .core 0
        set core 1 load->vector:0
        barrier_cores
      .end
      .core 1
        wait core 0 load->vector:0
        barrier_cores
      .end
      .core 2
        barrier_cores
      .end
      """
    let program = try TextFixture.program(text, machine: TestMachine.small(cores: 3))
    // Seven numbers of four bytes: at the start of each core, and for a set, a wait and three barriers.
    #expect(program.exchangeBytes == (3 + 5) * 3 * 7 * 4)
    let apart = text.split(separator: "\n").filter { !$0.contains(" core ") }.joined(
      separator: "\n")
    let program2 = try TextFixture.program(apart, machine: TestMachine.small(cores: 3))
    #expect(program2.exchangeBytes == 0)
  }

  @Test func `messages count in the singular`() throws {
    let findings = Checker.check(try TextFixture.program("set core 3 load->vector:0")).findings
    let messages = findings.map(\.message).joined(separator: "; ")
    #expect(messages.contains("but the program has 1 core"), "\(messages)")
    #expect(messages.contains("waits for it 0 times, and is set 1 time"), "\(messages)")
    #expect(messages.contains("1 cores") == false && messages.contains("1 times") == false)
    #expect([0, 1, 2].map { $0.counted("core") } == ["0 cores", "1 core", "2 cores"])
  }
}
