import NPUSim
import Testing

/// `.sync auto` and `.order`: a text means what its micro-ops do one after another.
@Suite struct SequentialTextTests {
  private static let copies = """
    .input x bf16 [32, 64]
    .output y bf16 [32, 64]
    .buf a ub bf16 [4, 64] {slots=2}
    .buf b ub bf16 [4, 64] {slots=2}

    """
  private static let turns = """
    .loop i 0..<8
      load.ub a[i % 2] <- x[i * 4 +: 4, :]
      vector.exp b[i % 2] <- a[i % 2]
      store.hbm y[i * 4 +: 4, :] <- b[i % 2]
    .end
    """

  private func program(_ head: String, events: Int? = 8) throws -> Program {
    try TextFixture.program(
      head + Self.copies + Self.turns, machine: TestMachine.small(eventsPerPair: events))
  }

  @Test func `the same micro-ops in Swift and in a text get the same events`() throws {
    let machine = TestMachine.small()
    let text = try program(".sync auto\n")
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 32, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, rows: 32, columns: 64, role: .output)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: 2, rows: 4, columns: 64)
    let b = try p.buffer("b", in: UB.self, .bf16, slots: 2, rows: 4, columns: 64)
    for i in 0..<8 {
      p.emit(LoadUB(a.tile(slot: i % 2), from: x.tile(row: i * 4, rows: 4)))
      p.emit(Special<ExpRule>(b.tile(slot: i % 2), a.tile(slot: i % 2)))
      p.emit(StoreHBM(y.tile(row: i * 4, rows: 4), from: b.tile(slot: i % 2)))
    }
    #expect(TextFixture.lines(text) == TextFixture.lines(p.build()))
    #expect(Checker.check(text).isClean)
  }

  @Test func `without .sync auto nothing is added to a text`() throws {
    let text = try program("")
    #expect(text.cores[0].count == 24)
    #expect(!Checker.check(text).isClean)
  }

  @Test func `one event ID is enough`() throws {
    for head in [".sync auto\n", ".sync auto\n.order found\n"] {
      let text = try program(head, events: 1)
      #expect(Checker.check(text).isClean)
      #expect(text.cores[0].filter(\.kind.isOfEvent).allSatisfy { $0.event.id == 0 })
    }
  }

  @Test func `a found order is never slower than the written one, and is as clean`() throws {
    let written = try program(".sync auto\n.order written\n")
    let found = try program(".sync auto\n.order found\n")
    #expect(Checker.check(found).isClean)
    #expect(try TimingEngine.run(found).cycles <= TimingEngine.run(written).cycles)
    #expect(try program(".order written\n.sync auto\n").difference(from: written) == nil)
  }

  @Test func `what is printed of a sequential text is what runs`() throws {
    let found = try program(".sync auto\n.order found\n")
    let text = try ProgramText.print(found)
    let again = try TextProgram.parse(TextSource(file: "t.npu", bytes: text)).get()
      .assemble(machine: TestMachine.small(), catalogue: .standard).get().program
    #expect(again.difference(from: found) == nil)
  }

  @Test func `every micro-op stands at its line, and what was added at that of its micro-op`()
    throws
  {
    for head in [".sync auto\n", ".sync auto\n.order found\n"] {
      let assembly = try TextFixture.assembly(head + Self.copies + Self.turns)
      let program = assembly.program
      let sites = program.cores[0].indices.map { Finding.Site(core: 0, op: $0) }
      let places = assembly.places(of: sites)
      let first = head.split(separator: "\n").count + 6
      let lines: [Queue: Int] = [.load: first, .vector: first + 1, .store: first + 2]
      for (op, record) in program.cores[0].enumerated() where !record.kind.joinsQueues {
        let queue = record.kind.isWait ? record.event.target.queue : record.queue
        let line = places[Finding.Site(core: 0, op: op)]?.location.line
        #expect(line == queue.flatMap { lines[$0] }, "\(op)")
      }
    }
  }

  @Test func `barriers over the cores order cores, and nothing else does`() throws {
    let head = """
      .sync auto
      .input x bf16 [4, 64]
      .tensor t bf16 [4, 64]
      .output y bf16 [4, 64]
      .buf a ub bf16 [4, 64]

      """
    let first = "load.ub a <- x\nstore.hbm t <- a\n"
    let second = "load.ub a <- t\nstore.hbm y <- a\n.end\n"
    func text(_ before: String, _ after: String) -> String {
      head + first + before + ".core 1\n.buf a ub bf16 [4, 64]\n" + after + second
    }
    let machine = TestMachine.small(cores: 2)
    let ordered = try TextFixture.program(
      text("barrier_cores\n", "barrier_cores\n"), machine: machine)
    #expect(Checker.check(ordered).isClean)
    let free = try TextFixture.program(text("", ""), machine: machine)
    #expect(!Checker.check(free).isClean)
  }

  @Test(arguments: [
    (".sync manual", "1:7 found '.sync manual', needed auto"),
    (".order fast", "1:8 found '.order fast', needed written or found"),
    (".sync", "1:6 found the end of the file, needed auto"),
    (".sync auto auto", "1:12 found 'auto', needed the end of the line"),
    (".sync auto\n.sync auto", "2:1 found a second .sync"),
    (".sync auto\n.order found\n.order written", "3:1 found a second .order"),
    (".order found", "1:1 found '.order found' without '.sync auto'"),
    (
      ".loop i 0..<2\n.sync auto\n.end", "2:1 found .sync behind the first micro-op or block"
    ),
    (".sync auto\nset load->vector:0", "2:1 found 'set' in a text with '.sync auto'"),
    (".sync auto\nbarrier vector", "2:1 found 'barrier' in a text with '.sync auto'"),
    (".sync auto\nbarrier_all", "2:1 found 'barrier_all' in a text with '.sync auto'"),
    (
      ".sync auto\nset core 1 load->vector:0", "2:1 found 'set_core' in a text with '.sync auto'"
    ),
    (
      ".sync auto\n.buf a ub bf16 [4, 64]\nvector.exp a <- a wait load:0",
      "3:24 found an event beside a micro-op in a text with '.sync auto'"
    ),
    (
      ".sync auto\n.input x bf16 [4, 64]\n.buf a ub bf16 [4, 64]\n"
        + "produce a: load.ub a <- x\nconsume a: vector.exp a <- a",
      "4:1 found 'produce' in a text with '.sync auto'"
    ),
  ])
  func `what orders micro-ops by hand is refused where their order is made`(
    _ text: String, _ message: String
  ) {
    #expect(TextFixture.errors(text).first == message)
  }

  @Test func `the settings are formatted as they are written`() throws {
    #expect(
      try TextFixture.format("  .sync   auto ; all\n.order\tfound\n")
        == ".sync auto  ; all\n.order found\n")
  }
}
