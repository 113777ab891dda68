import NPUSim
import Testing

/// Rings that are filled before where that is written: `{ahead=N}`.
@Suite struct TextRunAheadTests {
  static let seed: UInt64 = 41

  private static func head(slots: Int, ahead: Int) -> String {
    """
    .param n = 7
    .input x bf16 [64, 64]
    .output y bf16 [n, 64]
    .buf f ub bf16 [1, 64] {slots=\(slots)\(ahead > 0 ? ", ahead=\(ahead)" : "")}
    .buf r ub bf16 [1, 64] {slots=2}

    """
  }

  /// One row after another; `fill` is what fills its ring.
  private static func body(
    _ fill: String = ".scope row[i]: produce f: load.ub f <- x[i +: 1, :]"
  ) -> String {
    """
    .loop i 0..<n
      \(fill)
      .scope row[i]
        consume f
          produce r: vector.exp r <- f
        .end
        consume r: store.hbm y[i +: 1, :] <- r
      .end
    .end
    """
  }

  @Test(arguments: [(2, 1), (3, 1), (3, 2), (8, 7)])
  func `block j stands where block j − N is written, the first ones where the first one is`(
    slots: Int, ahead: Int
  ) throws {
    let program = try TextFixture.program(Self.head(slots: slots, ahead: ahead) + Self.body())
    let expected = try TextFixture.program(
      Self.head(slots: slots, ahead: 0)
        + Self.body(
          """
          .loop t (i > 0) * (i + \(ahead))..<min(n, i + \(ahead) + 1)
            .scope row[t]: produce f: load.ub f <- x[t +: 1, :]
          .end
          """))
    let difference = program.difference(from: expected)
    #expect(difference == nil, "\(difference ?? "")")
    #expect(Checker.check(program).isClean)
    try TextRoundTripTests.check(program, "ahead=\(ahead)")
  }

  /// Where the queues are so short that what is written first has to start first.
  @Test func `to run ahead takes fewer cycles, and no word changes`() throws {
    let body = Self.body().replacing(
      "produce r: vector.exp r <- f",
      with: "produce r\n" + String(repeating: "vector.exp r <- f\n", count: 4) + ".end")
    func run(_ ahead: Int) throws -> (Int64, [UInt8]) {
      let program = try TextFixture.program(
        Self.head(slots: 3, ahead: ahead) + body, machine: TestMachine.small(depth: 1))
      let state = MachineState(program)
      // Each BF16 word is positive and small.
      try state.fill(0, bytes: (0..<64 * 64).flatMap { [UInt8($0 % 251), 0x3F] }, scales: [])
      _ = try FunctionalEngine.run(program, state: state)
      return (try TimingEngine.run(program).cycles, state.readTensor(1).payload)
    }
    let (written, words) = try run(0)
    let (early, same) = try run(2)
    #expect(early < written && same == words)
  }

  @Test func `every micro-op is there once, and what is no block of the ring keeps its order`()
    throws
  {
    var random = SeededGenerator(seed: Self.seed)
    for _ in 0..<200 {
      let (slots, ahead) = (2 + Int(random.below(6)), 1 + Int(random.below(5)))
      guard ahead < slots else { continue }
      var body = ""
      for row in 0..<1 + Int(random.below(12)) {
        body += "load.ub r[0] <- x[\(row) +: 1, :]\n"
        let load = "load.ub f <- x[\(row) +: 1, :]"
        let isOne = random.below(2) == 0
        body += isOne ? "produce f: \(load)\n" : "produce f\n\(load)\n\(load)\n.end\n"
        body += "vector.exp r[1] <- r[1]\nconsume f: vector.exp r[1] <- f\n"
      }
      let place = "seed \(Self.seed): \(body)"
      let plain = try TextFixture.program(Self.head(slots: slots, ahead: 0) + body).cores[0]
      let early = try TextFixture.program(Self.head(slots: slots, ahead: ahead) + body).cores[0]
      #expect(Self.counts(early) == Self.counts(plain), "\(place)")
      // Queues but that of the loads are as they were.
      let others = { (list: [OpRecord]) in list.filter { $0.queue != .load } }
      #expect(others(early) == others(plain), "\(place)")
      // A slot that is filled ahead waits for it to be free no less.
      #expect(early.count { $0.kind.isOfEvent } == plain.count { $0.kind.isOfEvent }, "\(place)")
    }
  }

  private static func counts(_ records: [OpRecord]) -> [OpRecord: Int] {
    Dictionary(records.map { ($0, 1) }, uniquingKeysWith: +)
  }

  @Test func `what the checker finds is at its line, wherever it ran`() throws {
    let text =
      Self.head(slots: 3, ahead: 2) + """
        .loop i 0..<4
          produce f: load.ub f <- x[i +: 1, :]
          consume f
            vector.exp r[0] <- f
          .end
          store.hbm y[i +: 1, :] <- r[0]
        .end
        """
    let assembly = try TextFixture.parse(text).get()
      .assemble(machine: TestMachine.small(), catalogue: .standard).get()
    let findings = Checker.check(assembly.program).findings
    let sites = findings.flatMap(\.sites)
    #expect(!sites.isEmpty)
    let places = assembly.places(of: sites)
    #expect(sites.allSatisfy { [9, 11].contains(places[$0]?.location.line) })
    // Each load is found at its own turn.
    let loads = assembly.program.cores[0].indices
      .filter { assembly.program.cores[0][$0].queue == .load }
      .filter { assembly.program.cores[0][$0].kind == .data }
      .map { Finding.Site(core: 0, op: $0) }
    let turns = assembly.places(of: loads)
    #expect(loads.map { turns[$0]?.turns } == (0..<4).map { "i = \($0)" })
    #expect(loads.allSatisfy { turns[$0]?.location.line == 7 })
  }

  @Test(arguments: [
    (
      "{slots=2}", "{slots=2, ahead=2}", "found ahead=2, and f has 2 slots",
      "a slot that is not used up yet cannot be filled: give it slots=3 or more, or let it run at "
        + "most 1 ahead"
    ),
    (
      "{slots=2}", "{ahead=1}", "found ahead=1, and f has 1 slot",
      "a slot that is not used up yet cannot be filled: give it slots=2 or more, or let it run at "
        + "most 0 ahead"
    ),
    ("{slots=2}", "{slots=2, ahead=0 - 1}", "found -1, needed a number from 0 to 2^56", nil),
    ("{slots=2}", "{slots=2, ahead=0.5}", "found a real number, needed a whole one", nil),
    ("{slots=2}", "{slots=2, ahead=1, ahead=1}", "ahead is given twice", "keep one of them"),
    ("{slots=2}", "{slots=2, ahead=[1]}", "ahead needs a value", nil),
  ])
  func `a ring that cannot run ahead is told so`(
    old: String, new: String, message: String, hint: String?
  ) throws {
    let whole = Self.head(slots: 2, ahead: 0) + Self.body()
    let text = whole.replacing(old, with: new, maxReplacements: 1)
    let parsed = try TextFixture.parse(text).get()
    let error = try #require(
      parsed.assemble(machine: TestMachine.small(), catalogue: .standard).errors.first)
    #expect(error.message == message)
    if let hint { #expect(error.hint == hint) }
  }

  @Test func `ahead of a buffer that no block fills, or in a text with .sync auto, is refused`()
    throws
  {
    for (line, message) in [
      ("", "found ahead at 'r', which no produce block fills"),
      (".sync auto\n", "found ahead in a text with '.sync auto'"),
    ] {
      let text =
        line + """
          .input x bf16 [4, 64]
          .buf r ub bf16 [1, 64] {slots=2, ahead=1}
          load.ub r[0] <- x[0 +: 1, :]
          """
      let parsed = try TextFixture.parse(text).get()
      let errors = parsed.assemble(machine: TestMachine.small(), catalogue: .standard).errors
      #expect(errors.map(\.message) == [message])
    }
  }

  @Test func `a block that runs ahead is not inside another one that does`() throws {
    let text = """
      .input x bf16 [4, 64]
      .buf f ub bf16 [1, 64] {slots=2, ahead=1}
      .buf r ub bf16 [1, 64] {slots=2, ahead=1}
      produce r
        produce f: load.ub f <- x[0 +: 1, :]
        vector.exp r <- r[1]
      .end
      consume f: vector.exp r[0] <- f
      consume r: vector.exp f[0] <- r
      """
    let parsed = try TextFixture.parse(text).get()
    let errors = parsed.assemble(machine: TestMachine.small(), catalogue: .standard).errors
    #expect(
      errors.first?.message
        == "found a block that runs ahead inside one of 'r', which does, too")
    #expect(errors.first?.location?.line == 5)
  }
}
