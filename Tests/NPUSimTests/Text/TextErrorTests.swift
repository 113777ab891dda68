import NPUSim
import Testing

/// What is said about texts that are wrong: each place, and nothing that follows from another error.
@Suite struct TextErrorTests {
  private let head = TextFixture.head

  @Test(arguments: [
    ("vector.exq a <- b", "5:1 there is no micro-op 'vector.exq'"),
    ("vector.exp a <- c", "5:17 there is no 'c' in ub"),
    ("vector.exp a <- x", "5:17 'x' is in hbm, vector.exp needs a tile in ub here"),
    ("vector.exp a", "5:1 vector.exp writes result and reads a, found 1 written and 0 read"),
    (
      "vector.add a <- b", "5:1 vector.add writes result and reads a, b, found 1 written and 1 read"
    ),
    ("vector.mul_scalar a <- b", "5:1 vector.mul_scalar needs b"),
    ("vector.exp a <- b {k=1}", "5:20 vector.exp has no attribute 'k'"),
    ("vector.row_max a <- b {start=maybe}", "5:30 start needs one of no, yes, found 'maybe'"),
    ("vector.exp a <- ", "5:17 found the end of the file, needed a source"),
    ("vector.exp a <- b c", "5:19 found 'c', needed the end of the line"),
    ("vector.exp a[0 <- b", "5:16 found '<-', needed ',' or ']'"),
    ("vector.exp a[0 +: 2] <- b", "5:20 found ']', needed ',' and the columns"),
    ("vector.exp a[0 +: 2, 3] <- b", "5:23 found ']', needed '+:' and a number of columns"),
    ("set load->vectr:0", "5:11 there is no queue 'vectr'"),
    ("set load->vector", "5:17 found the end of the file, needed ':' and the ID of the event"),
    ("set a", "5:5 found 'a', needed an event"),
    (
      "barrier vactor",
      "5:9 queue needs one of load, feed, matrix, drain, vector, store, found 'vactor'"
    ),
    ("barrier_all vector", "5:1 barrier_all takes no operand, found 1 operand"),
    (".lop i 0..<3", "5:1 found '.lop', needed a directive"),
    (".loop i 0..3\n.end", "5:10 found '.', needed '..<' and the end of the loop"),
    (".end", "5:1 found .end without a block"),
    ("vector.exp a <- b wait vectr:0", "5:24 there is no queue 'vectr'"),
    ("vector.exp a <- b set vector:0", "5:23 found an event of vector with itself"),
    (
      "vector.exp a <- b wait load",
      "5:28 found the end of the file, needed ':' and the ID of the event"
    ),
    ("barrier vector wait load:0", "5:21 sync.barrier has no events beside it"),
    (".if 1:", "5:7 found the end of the file, needed a micro-op or a block after ':'"),
    (".if 1: .end", "5:8 found '.end', needed a micro-op or a block after ':'"),
    (".if 1: .loop i 0..<2", "5:21 found the end of the file, needed ':' and a micro-op"),
    (".table t = \"0A\"", "5:12 found '\"0A\"', needed digits and small letters"),
    (".table t = 1", "5:12 found '1', needed '['"),
    (
      ".table t = [1]\nload.gather_ub a <- x[t @ 0 +: 4, :]",
      "6:23 't' is a table, needed an index list"
    ),
    (".else", "5:1 found .else outside an .if"),
    (".loop i 0..<3", "5:1 this block is not closed"),
    (".param a = b", "5:12 there is no parameter or loop variable 'b'"),
    (".param a = 1 / 0", "5:12 found a division by zero"),
    (".param a = 9223372036854775807 + 1", "5:12 the value does not fit 64 bits"),
    (".param a = 99999999999999999999", "5:12 found a number that does not fit 64 bits"),
    (".param core = 1", "5:8 'core' is already declared, by the language itself"),
    (".input z bf17 [4]", "5:10 there is no format 'bf17'"),
    (".buf z up bf16 [4, 4]", "5:8 there is no memory 'up' on chip"),
    (".buf z ub bf16 [4]", "5:1 found 1 dimension, needed rows and columns"),
    (".buf a ub bf16 [4, 4]", "5:6 'a' is already declared in ub"),
    (".buf z ub bf16 [4, 4] {slot=2}", "5:24 there is no attribute 'slot' here"),
    (".buf z ub bf16 [4, 1.5]", "5:20 found a real number, needed a whole one"),
    (
      ".input z bf16 [4, 4] {shape=[5]}",
      "5:23 shape [5] has another number of elements than [4, 4]"
    ),
    ("$", "5:1 found '$', needed a micro-op or a directive"),
    (
      "vector.fill a {value=1 / 2}",
      "5:22 a quotient of whole numbers is rounded down, needed a real number"
    ),
    ("vector.fill \"a {value=1}", "5:13 found a name without its closing quote, needed an operand"),
    ("produce c\n.end", "5:9 there is no buffer 'c'"),
    (
      "produce a\nload.ub a <- x[0 +: 4, :]\n.end",
      "5:9 nothing reads it between consume a and its .end"
    ),
    (".core 1\n.end", "5:1 found cores 1..<2, the machine has 1"),
    ("tap t <- a", "5:5 there is no tap tensor 't'"),
    ("vector.fill a[i] {value=1}", "5:15 there is no parameter or loop variable 'i'"),
    (".index l i32 [2] = [1, 2, 3]", "5:1 l has 3 values, needed 2"),
    (".if 1\n.buf z ub bf16 [4, 4]\n.end", "6:1 found a declaration inside a block"),
  ])
  func `each error has its place and says what was needed`(_ line: String, _ message: String) {
    #expect(TextFixture.errors(head + line) == [message])
  }

  @Test func `several errors are found in one run, and none of them follows from another`() {
    let text = """
      .param n = m
      .input x bf16 [n, 64]
      .buf a up bf16 [n, 64]
      .buf b ub bf16 [4, 64]
      .loop i 0..<n
        vector.exp b <- c
        vector.exq b <- b
        load.ub b <- x[i +: 4, :]
      .end
      vector.fill b {value=i}
      """
    #expect(
      TextFixture.errors(text) == [
        "1:12 there is no parameter or loop variable 'm'", "3:8 there is no memory 'up' on chip",
        "6:19 there is no 'c' in ub", "7:3 there is no micro-op 'vector.exq'",
        "10:22 there is no parameter or loop variable 'i'",
      ])
    let broken = "vector.exp a <-\n.loop i 0..<\n.loop j 0..<2\nload.ub ]\n.end\n.end\n$\n"
    #expect(
      TextFixture.errors(broken).map { $0.prefix { $0 != " " } } == ["1:16", "2:13", "4:9", "7:1"])
  }

  @Test func `errors of values say the turns of the loops`() {
    let text = head + ".loop i 0..<4\nvector.fill a[1 / (2 - i)] {value=1}\n.end\n"
    #expect(
      TextFixture.errors(text) == ["6:15 found a division by zero, where i = 2"])
  }

  @Test func `a condition is evaluated before what it guards`() throws {
    let guarded = """
      .param n = 0
      .if n > 0
      .loop i 0..<10 / n: vector.fill a[i % n] {value=0}
      .end
      .loop i 0..<n: vector.fill a[1 / n] {value=0}
      .if n != 0 && 10 / n > 2: vector.fill a {value=0}
      vector.fill a {value=0} set load:8 / n if n > 0

      """
    #expect(TextFixture.errors(head + guarded) == [])
    #expect(try TextFixture.program(head + guarded).opCount == 1)
    #expect(
      TextFixture.errors(head + guarded, parameters: ["n": "2"]).isEmpty)
    #expect(
      TextFixture.errors(head + ".if 1 / 0 > 2: vector.fill a {value=0}\n") == [
        "5:5 found a division by zero"
      ])
    #expect(
      TextFixture.errors(head + ".loop i 0..<3: vector.fill a[4 * i + 1 / 0] {value=0}\n") == [
        "5:38 found a division by zero, where i = 0"
      ])
    #expect(
      TextFixture.errors(head + ".param a = 3 + 4 % 0\n") == ["5:16 found a division by zero"])
    #expect(
      TextFixture.errors(head + ".param a = core / 0\n") == [
        "5:12 the value of a parameter is not constant"
      ])
  }

  @Test func `of a long line the beginning is shown`() throws {
    let events = (0..<2_000).map { "store:\($0)" }.joined(separator: ", ")
    let assembly = try TextFixture.assembly(
      head + "vector.fill a {value=0} set \(events)\n; \(String(repeating: "é", count: 500))\n")
    let line = try #require(assembly.line(5))
    #expect(line.hasPrefix("vector.fill a {value=0} set store:0, store:1, "))
    #expect(line.hasSuffix("…") && line.utf8.count < 250)
    let comment = try #require(assembly.line(6))
    #expect(comment.hasPrefix("; é") && comment.hasSuffix("é…"))
    #expect(assembly.line(1) == ".input x bf16 [16, 64]")
    let places = assembly.places(of: (0..<2_001).map { .init(core: 0, op: $0) })
    #expect(places.count == 2_001)
    #expect(places.values.allSatisfy { $0.location.line == 5 })
  }

  @Test func `hints guess what was meant`() throws {
    func hint(_ line: String) -> String? {
      let parsed = TextFixture.parse(head + line)
      let errors =
        parsed.value?.assemble(machine: TestMachine.small(), catalogue: .standard).errors
        ?? parsed.errors
      return errors.first?.hint
    }
    #expect(hint("vector.exq a <- b") == "did you mean vector.exp?")
    #expect(hint("brrier vector") == "did you mean barrier?")
    #expect(hint(".lop i 0..<3\n") == "did you mean .loop?")
    #expect(hint("vector.row_max a <- b {start=yess}") == "did you mean yes?")
    #expect(
      hint("vector.row_max a <- b")
        == "write vector.row_max result <- a {start=no|yes}")
  }

  @Test func `unknown and malformed parameters are errors`() {
    let text = ".param kv = 4\n"
    #expect(TextFixture.errors(text, parameters: ["kw": "3"]) == ["1:1 there is no parameter 'kw'"])
    #expect(
      TextFixture.errors(text, parameters: ["kv": "x"])
        == ["1:8 --param kv needs a whole number, found 'x'"])
  }

  @Test func `loops beyond the limit are refused before they run`() throws {
    for (text, line) in [
      (".loop i 0..<1000000000\nbarrier vector\n.end\n", 1),
      (".loop i 0..<1000000000\n.end\n", 1),
      (".loop i 0..<1000000\n.loop j 0..<1000000\nbarrier vector\n.end\n.end\n", 1),
      (".loop i 0..<100000\n.loop j 0..<i * 100000\nbarrier vector\n.end\n.end\n", 2),
      (".loop i -9223372036854775807..<9223372036854775807\nbarrier vector\n.end\n", 1),
    ] {
      let outcome = try TextFixture.parse(text).get().assemble(
        machine: TestMachine.small(), catalogue: .standard)
      let error = try #require(outcome.errors.first)
      #expect(error.category == .limit && error.location?.line == line)
      #expect(error.message.contains("the limit is 16777216"), "\(error.message)")
    }
  }

  @Test func `depth is limited without a trap`() {
    let parentheses = String(repeating: "(", count: 100_000)
    #expect(TextFixture.errors(".param a = \(parentheses)1").count == 1)
    let sum = Array(repeating: "1", count: 100_000).joined(separator: " + ")
    #expect(TextFixture.errors(".param a = \(sum)").count == 1)
    let minus = String(repeating: "-", count: 100_000)
    #expect(TextFixture.errors(".param a = \(minus)1").count == 1)
    let loops = (0..<1000).map { ".loop i\($0) 0..<1\n" }.joined()
    #expect(TextFixture.errors(loops).count == 21)
  }

  /// What help is given, where a mistake is one that beginners make.
  @Test(arguments: [
    ("load.ub a = x", "write MNEMONIC destination <- sources"),
    ("load.ub(a, x)", "write MNEMONIC destination <- sources"),
    ("vector.mul a <- a * b", "such as vector.add"),
    ("vector.mul a <- a, 2", "or vector.mul_scalar for a number"),
    ("mul a <- a, b", "did you mean vector.mul?"),
    ("load a <- x", "known: load.l1, load.ub, load.gather_l1, load.gather_ub"),
    ("wait load:0", "load->vector:0"),
    ("set load->vector", "write load->vector:0"),
    ("vector.exp a <- b set store", "write set load:0"),
    ("load.ub a <- x[0:4, :]", "rows and columns are written first +: count"),
    ("load.ub a <- x[0 +: 4]", "for all columns"),
    ("load.ub a[:] <- x", "write [:, :] for all columns"),
    ("for i in 0..<4", "write .loop i 0..<4"),
    (".loop i = 0..<4\n.end", "write .loop i 0..<4"),
    (".loop i 0..4\n.end", "write .loop i 0..<4"),
    (".loop i 0..<4 {\n.end", "it goes on to its .end"),
    ("}", "blocks end with .end"),
    (".buf c ub bf16 [64]", "a row is [1, columns]"),
    (".buf c bf16 ub [4, 64]", "the memory stands before the format: ub bf16"),
    ("vector.mul_scalar a <- b {scale=2.0}", "known: b"),
  ])
  func `beginners are told what to write`(_ line: String, _ help: String) {
    let parsed = TextFixture.parse(head + line + "\n")
    let machine = TestMachine.small()
    let errors =
      parsed.value?.assemble(machine: machine, catalogue: .standard).errors ?? parsed.errors
    #expect(errors.count == 1, "\(line): \(errors)")
    #expect(errors.first?.hint?.contains(help) == true, "\(line): \(errors)")
  }

  @Test func `a buffer in a memory that there is not is reported once, whoever uses it`() {
    let errors = TextFixture.errors(
      head + """
        .buf c up bf16 [4, 64] {slots=2}
        .tap t bf16 [4, 64]
        vector.exp c[0] <- c[1]
        tap t <- c
        produce c
        .end
        vector.exp d <- d
        vector.exp d <- d

        """)
    #expect(
      errors == ["5:8 there is no memory 'up' on chip", "11:12 there is no 'd' in ub"], "\(errors)")
  }

  @Test(arguments: [
    ("tap t[i % 2][0 +: 4, 0 +: 64] <- a", "a tap puts 4 × 64 of bf16 at slot 1, row 0, column 0"),
    ("tap t[i * 8 - 4 +: 4, :] <- a", "a tap puts 4 × 64 of bf16 at slot 0, row -4, column 0"),
    ("tap t[i * 8 +: 3, :] <- a", "found 3 rows, the tile has 4"),
    ("tap t[0 +: 4, :] <- a[7]", "which is not inside its buffer"),
  ])
  func `a tap outside of its tensor or its buffer is refused where it stands`(
    _ line: String, _ message: String
  ) {
    let text = """
      .tap t bf16 [8, 64]
      .buf a ub bf16 [4, 64]
      .loop i 0..<2
        vector.fill a {value=1.0}
        \(line)
      .end

      """
    let errors = TextFixture.errors(text)
    #expect(errors.count == 1, "\(errors)")
    #expect(errors.first?.hasPrefix("5:") == true, "\(errors)")
    #expect(errors.first?.contains(message) == true, "\(errors)")
  }

  @Test func `a full memory is shown where its largest buffer is declared`() throws {
    let text = """
      .input a bf16 [4, 64]
      .output b bf16 [4, 64]
      .buf a ub f32 [512, 512]

      """
    let assembly = try TextFixture.assembly(text)
    let defect = try #require(assembly.program.defects.first)
    #expect(assembly.location(of: defect)?.line == 3)
    #expect(assembly.declaration(of: "a")?.line == 1)
  }
}
