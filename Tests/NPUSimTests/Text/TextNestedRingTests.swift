import NPUSim
import Testing

/// Blocks of one ring inside one another: several slots are held at once.
@Suite struct TextNestedRingTests {
  private static let head = """
    .input x bf16 [16, 64]
    .buf f ub bf16 [1, 64] {slots=3}
    .buf b ub bf16 [1, 64] {slots=2}

    """

  /// The program of `rings` is the one of `events`, and comes back from its print.
  private func equal(_ rings: String, _ events: String) throws {
    let program = try TextFixture.program(Self.head + rings)
    let expected = try TextFixture.program(Self.head + events)
    let difference = program.difference(from: expected)
    #expect(difference == nil, "\(difference ?? "")")
    try TextRoundTripTests.check(program, rings)
  }

  @Test func `a consume inside a consume holds the next slot, and frees it first`() throws {
    try equal(
      """
      .loop i 0..<3
        produce f: load.ub f <- x[2 * i +: 1, :]
        produce f: load.ub f <- x[2 * i + 1 +: 1, :]
        consume f
          vector.exp b[0] <- f
          consume f
            vector.add b[1] <- f, f[2 * i % 3]
          .end
          vector.exp b[0] <- f
        .end
      .end
      """,
      """
      .loop i 0..<3
        .loop t 2 * i..<2 * i + 2
          .if t >= 3: wait vector->load:t % 3
          load.ub f[t % 3] <- x[t +: 1, :]
          set load->vector:t % 3
        .end
        wait load->vector:2 * i % 3
        vector.exp b[0] <- f[2 * i % 3]
        wait load->vector:(2 * i + 1) % 3
        vector.add b[1] <- f[(2 * i + 1) % 3], f[2 * i % 3]
        .if 2 * i + 1 + 3 < 6: set vector->load:(2 * i + 1) % 3
        vector.exp b[0] <- f[2 * i % 3]
        .if 2 * i + 3 < 6: set vector->load:2 * i % 3
      .end
      """)
  }

  @Test func `a second block inside one that is held takes the slot after the first`() throws {
    try equal(
      """
      .loop i 0..<3: produce f: load.ub f <- x[i +: 1, :]
      consume f
        consume f: vector.exp b[0] <- f
        consume f: vector.exp b[1] <- f
        vector.exp b[0] <- f
      .end
      """,
      """
      .loop i 0..<3
        load.ub f[i] <- x[i +: 1, :]
        set load->vector:i
      .end
      wait load->vector:0
      wait load->vector:1
      vector.exp b[0] <- f[1]
      wait load->vector:2
      vector.exp b[1] <- f[2]
      vector.exp b[0] <- f[0]
      """)
  }

  @Test func `a produce inside a produce fills the next slot, and is full first`() throws {
    try equal(
      """
      produce f
        produce f
          load.ub f <- x[1 +: 1, :]
        .end
        load.ub f <- x[0 +: 1, :]
      .end
      consume f: vector.exp b[0] <- f
      consume f: vector.exp b[1] <- f
      """,
      """
      load.ub f[1] <- x[1 +: 1, :]
      set load->vector:1
      load.ub f[0] <- x[0 +: 1, :]
      set load->vector:0
      wait load->vector:0
      vector.exp b[0] <- f[0]
      wait load->vector:1
      vector.exp b[1] <- f[1]
      """)
  }

  @Test(arguments: ["consume", "produce"])
  func `more slots than there are cannot be held, and the text says what would do`(block: String)
    throws
  {
    let text =
      Self.head.replacing("{slots=3}", with: "{slots=2}") + """
        produce f: load.ub f <- x[0 +: 1, :]
        consume f: vector.exp b[0] <- f
        \(block) f
          \(block) f
            \(block) f
            .end
          .end
        .end
        """
    let parsed = try TextFixture.parse(text).get()
    let errors = parsed.assemble(machine: TestMachine.small(), catalogue: .standard).errors
    #expect(
      errors.map(\.message) == [
        "found 3 slots of 'f' held at once, it has 2: the last one never comes"
      ])
    #expect(errors.first?.location?.line == 8)
    #expect(
      errors.first?.hint
        == "declare f with {slots=3} or more, or close a block that holds one first")
  }

  @Test func `a slot is not filled and used up at once`() {
    #expect(
      TextFixture.errors(
        Self.head
          + "consume f\n  produce f: load.ub f <- x[0 +: 1, :]\n  vector.exp b[0] <- f\n.end\n"
      ) == ["5:11 'f' is used up around this block"])
  }
}
