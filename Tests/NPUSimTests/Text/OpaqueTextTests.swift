import NPUSim
import Testing

/// `op QUEUE NAME results <- sources {cycles=N, latency=M}` in texts.
@Suite struct OpaqueTextTests {
  private static let head = """
    .input x i8 [4, 64]
    .output y i8 [4, 64]
    .buf x ub i8 [1, 64] {slots=2}
    .buf b left e5m2 [4, 64]

    """

  @Test func `queue, name, tiles and time are what is written`() throws {
    let program = try TextFixture.program(
      Self.head + """
        .macro go(q, i)
          op q "two words" b, y <- ub:x[i % 2], hbm:x[i +: 1, :] {cycles=10 + i}
        .end
        .loop i 0..<2: go(matrix, i)
        op load Pre <- y {cycles=3, latency=2}
        op store Nop {cycles=1}
        """)
    #expect(
      TextFixture.lines(program) == [
        "matrix.two words b[0 +: 4, 0 +: 64], y[0 +: 4, 0 +: 64], x[0][0 +: 1, 0 +: 64], "
          + "x[0 +: 1, 0 +: 64] (matrix)",
        "matrix.two words b[0 +: 4, 0 +: 64], y[0 +: 4, 0 +: 64], x[1][0 +: 1, 0 +: 64], "
          + "x[1 +: 1, 0 +: 64] (matrix)",
        "load.Pre y[0 +: 4, 0 +: 64] (load)", "store.Nop  (store)",
      ])
    let works = program.cores[0].map { program.works[Int($0.work)].amounts }
    #expect(works.map(\.0) == [10, 11, 3, 1])
    #expect(works.map(\.1) == [0, 0, 2, 0])
    #expect(
      program.operands(of: program.cores[0][0]).map(\.name) == [
        "result 1", "result 2", "source 1", "source 2",
      ])
    #expect(program.operands(of: program.cores[0][2]).map(\.name) == ["source"])
    try TextRoundTripTests.check(program, "opaque")
  }

  @Test func `a loop of them is printed as a loop, with cycles that follow its turns`() throws {
    let text = """
      .input x i8 [9, 64]
      .output y i8 [9, 64]

      .buf a ub i8 [1, 64] {slots=2}

      .loop i 0..<9
        op load Get a[i % 2] <- x[i +: 1, :] {cycles=4 * i + 3, latency=i} wait vector:i % 2 if i >= 2 set vector:i % 2
        op vector Put y[i +: 1, :] <- a[i % 2] {cycles=7} wait load:i % 2 set load:i % 2
      .end

      """
    let program = try TextFixture.program(text)
    let printed = String(decoding: try ProgramText.print(program), as: UTF8.self)
    #expect(printed.contains(".loop i 0..<9") && printed.contains("{cycles=i * 4 + 3, latency=i}"))
    try TextRoundTripTests.check(program, "loop")
  }

  @Test func `rings take the queues of the micro-ops in their blocks`() throws {
    let program = try TextFixture.program(
      """
      .input x i8 [4, 64]
      .output y i8 [4, 64]
      .buf a ub i8 [1, 64] {slots=2}
      .loop i 0..<4
        produce a: op load Get a <- x[i +: 1, :] {cycles=4}
        consume a: op feed Put y[i +: 1, :] <- a {cycles=7}
      .end
      """)
    #expect(Checker.check(program).isClean)
    let events = program.cores[0].filter { $0.kind != .data }.map(\.event.pair)
    #expect(
      Set(events) == [
        Event(from: .load, to: .feed, id: 0).pair, Event(from: .feed, to: .load, id: 0).pair,
      ])
  }

  @Test func `it says whether it streams, and its unit flag, conditions among them`() throws {
    let program = try TextFixture.program(
      """
      .buf a ub i8 [1, 64]
      .buf c acc acc [4, 4]
      .loop i 0..<2
        op vector Exp a <- a {cycles=4, stream=yes}
        op vector Sum a <- a {cycles=4, stream=no}
        op vector Odd a <- a {cycles=4, stream=i}
        op matrix Mul c {cycles=4, unit=hold}
        op matrix Mul c {cycles=4, latency=1, unit=release}
        op matrix Mul c {cycles=4, unit=none}
        op drain Fix c {cycles=4, unit=1 - i}
      .end
      """)
    let records = program.cores[0]
    let streams = records.map { program.works[Int($0.work)].streams }
    #expect(streams.prefix(3) == [true, false, false])
    #expect(streams[7..<10] == [true, false, true])
    #expect(records.map(\.hasUnitFlag).prefix(7) == [false, false, false, true, true, false, true])
    #expect(records.map(\.releasesUnit)[3..<6] == [false, true, false])
    #expect(!records[13].hasUnitFlag)
    try TextRoundTripTests.check(program, "flags")
  }

  @Test func `formatting keeps it`() throws {
    let text = """
      op vector Add ub:b[0 +: 1, :], c <- a, hbm:b {cycles=4, latency=2} wait load:0 set store:1
      op load Pre <- y {cycles=3}
      op matrix "a b" {cycles=1, unit=hold}
      op vector Exp a <- a {cycles=8, stream=yes}

      """
    #expect(try TextFixture.format(text) == text)
  }

  @Test(arguments: [
    ("op", "5:3 found the end of the file, needed a queue"),
    ("op vector", "5:10 found the end of the file, needed a name of its own"),
    ("op vectr Add b {cycles=1}", "5:4 there is no queue 'vectr'"),
    ("op vector Add b", "5:1 op needs the cycles for which it occupies its queue"),
    ("op vector Add b {cycles=0}", "5:25 found 0 cycles, needed 1 or more"),
    ("op vector Add b {cycles=1, latency=0 - 1}", "5:36 found a latency of -1, needed 0 or more"),
    ("op vector Add b {cycles=[1]}", "5:18 cycles needs one value, found a list"),
    ("op vector Add b {cycle=1, cycles=1}", "5:18 op has no attribute 'cycle'"),
    ("op vector Add b {cycles=1, cycles=1}", "5:28 cycles is given twice"),
    ("op vector Add {cycles=1, stream=so}", "5:33 stream needs one of no, yes, found 'so'"),
    ("op vector Add {cycles=1, stream=[1]}", "5:26 stream needs one value, found a list"),
    (
      "op vector Add {cycles=1, unit=helt}",
      "5:31 unit needs one of none, hold, release, found 'helt'"
    ),
    ("op drain Fix {cycles=1, unit=hold}", "5:30 unit needs one of no, yes, found 'hold'"),
    ("op matrix Add {cycles=1, unit=1}", "5:31 unit needs one of none, hold, release, found '1'"),
    ("op vector Add x {cycles=1}", "5:15 'x' is in hbm and ub"),
    ("op vector Add up:x {cycles=1}", "5:15 there is no memory 'up'"),
    ("op vector Add ub:b {cycles=1}", "5:18 there is no 'b' in ub"),
    ("op vector Add c {cycles=1}", "5:15 there is no 'c' in any memory"),
    ("op vector Add b <- {cycles=1}", "5:20 found '{', needed a source"),
    ("op vector Add b <- 3 {cycles=1}", "5:20 found '3', needed a tile"),
    (
      "op vector \"\" b {cycles=1}",
      "5:11 found an empty name, needed a word for findings and reports"
    ),
    (
      "op vector Add b, b, b, b <- y, y, y {cycles=1}", "5:1 found 7 tiles, needed at most 6"
    ),
    ("op vector Add b {cycles=1} set vector:0", "5:32 found an event of vector with itself"),
  ])
  func `what is wrong is said at its place`(line: String, error: String) {
    #expect(TextFixture.errors(Self.head + line) == [error])
  }
}
