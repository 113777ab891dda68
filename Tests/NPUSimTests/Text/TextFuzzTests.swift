import NPUSim
import Testing

/// Whatever bytes come in: an answer, positions in every error, and the laws of what is accepted.
@Suite struct TextFuzzTests {
  private static let limits = TextLimits(microOps: 2000, passes: 2000)

  private static let machine = TestMachine.small(cores: 2)

  /// Reads, formats and assembles a text, and holds what comes out to its laws.
  private func judge(_ bytes: [UInt8], _ context: String) throws {
    let parsed = TextProgram.parse(TextSource(file: "t.npu", bytes: bytes))
    judge(parsed.errors, context)
    guard let program = parsed.value else {
      #expect(!parsed.errors.isEmpty, "\(context)")
      return
    }
    let once = program.formatted()
    let again = TextProgram.parse(TextSource(file: "t.npu", bytes: once))
    #expect(again.value?.formatted() == once, "\(context): formatting is not idempotent")
    let outcome = program.assemble(
      machine: Self.machine, catalogue: .standard, limits: Self.limits)
    judge(outcome.errors, context)
    let formatted = again.value?.assemble(
      machine: Self.machine, catalogue: .standard, limits: Self.limits)
    guard let assembly = outcome.value else {
      #expect(!outcome.errors.isEmpty, "\(context)")
      #expect(formatted?.errors.count == outcome.errors.count, "\(context)")
      return
    }
    if let other = formatted?.value {
      let difference = other.program.difference(from: assembly.program)
      #expect(difference == nil, "\(context): formatting changes the program")
    } else {
      #expect(Bool(false), "\(context): formatting breaks the program")
    }
    _ = Checker.check(assembly.program)
    guard let text = try? ProgramText.print(assembly.program) else { return }
    let printed = try TextProgram.parse(TextSource(file: "t.npu", bytes: text)).get()
      .assemble(machine: Self.machine, catalogue: .standard).get()
    let difference = printed.program.difference(from: assembly.program)
    #expect(difference == nil, "\(context): \(difference ?? "")")
    let last = assembly.program.cores.indices.flatMap { core in
      assembly.program.cores[core].indices.suffix(1).map { Finding.Site(core: core, op: $0) }
    }
    #expect(assembly.places(of: last).count == last.count, "\(context): no place")
  }

  private func judge(_ errors: [NPUError], _ context: String) {
    for error in errors {
      #expect(error.location != nil && !error.message.isEmpty, "\(context)")
      #expect(error.category != .internal, "\(context): \(error.message)")
    }
  }

  // MARK: Bytes

  private static let words = [
    ".sync auto\n", ".order found\n", ".param", ".input", ".output", ".buf", ".index", ".tap",
    ".core", ".loop", ".scope", ".if",
    ".else", ".end", ".count m", ".macro f(s)", "f(", "if(", ".let", "produce", "consume", "tap",
    "set", "wait", "barrier", "load->vector:0",
    "vector.exp", "load.ub", "<-", "+:", "..<", "step", "{slots=2}", "{blocks=rows}", "[i % 2]",
    "wait load:0", "set store:1 if i", ".table t = \"01\"", ": ", "if", "t[i]",
    "min(", "ceildiv(", "core", "i", "a", "b", "x", "y", "1000000000", "9223372036854775807", "-1",
    "0", "\n", ";", "\"", "@", "{start=i == 0}", "0x10", "1.5e3", "inf", "/", "%", "&&", "(", ")",
  ]

  private static let seeds = [
    """
    .sync auto
    .order found
    .input x bf16 [8, 64]
    .output y bf16 [8, 64]
    .buf a ub bf16 [4, 64] {slots=2}
    .loop i 0..<2
      load.ub a[i % 2] <- x[i * 4 +: 4, :]
      vector.exp a[i % 2] <- a[i % 2]
      store.hbm y[i * 4 +: 4, :] <- a[i % 2]
    .end
    barrier_cores
    .core 1
      .buf a ub bf16 [4, 64] {slots=2}
      load.ub a[0] <- x[0 +: 4, :]
      barrier_cores
    .end
    """,
    """
    ; a copy
    .param n = 2
    .input x bf16 [n * 4, 64] {shape=[2, 4, 64]}
    .output y bf16 [n * 4, 64]
    .index order i32 [4] = [3, 1, 2, 0]
    .tap t bf16 [8, 64]
    .table ids = [0, 1, 1, 0]
    .table bits = "0110"
    .buf a ub bf16 [4, 64] {slots=2}
    .buf b ub mxint8 [4, 64] {blocks=columns, at=4096}
    .loop i 0..<n step 1 ; turns
      .scope tile[i]/"part 1"
        produce a
          load.gather_ub a[0 +: 4, :] <- x[order @ 0 +: 4, :]
          tap t[i * 4 +: 4, 0 +: 64] <- a
        .end
        consume a
          .if i == 0 && order[i] > 2
            vector.encode_mx b <- a
          .else
            vector.row_max a[0][:, 0 +: 1] <- a {start=i == 0}
          .end
          vector.mul_scalar a[i % 2][0 +: min(4, 7 - i), :] <- a[1][0 +: min(4, 7 - i), :] {b=-0.5}
        .end
      .end
    .end
    .loop i 0..<4: .if bits[i]: vector.exp a[0] <- a[0] wait store:ids[i] if i > 0 set store:7
    wait vector->store:7
    store.hbm y[0 +: 4, :] <- a[0]
    barrier vector
    barrier_all

    """,
    """
    .input x bf16 [16, 64]
    .output y bf16 [16, 64]
    .index order i32 [4] = [3, 1, 2, 0]
    .buf a ub bf16 [4, 64] {slots=2}
    .buf b ub bf16 [4, 64] {slots=2}
    .count turn = 0
    .macro fill(ring, from, row)
      produce ring: load.ub ring <- from[row * 4 +: 4, :]
      .count turn
    .end
    .macro turn_of(i, ring, list)
      .let row = if(i < 4, list[i], 1 / (i - 4))
      fill(ring, x, row)
      consume ring: store.hbm y[row * 4 +: 4, :] <- ring
      vector.exp ring[turn % 2] <- ring[if(i > 0, 1 / i, 0) % 2] wait load:turn % 3 if turn > 9
    .end
    .loop i 0..<4 ; turns
      .if i % 2 == 0: turn_of(i, a, order)
      .if i % 2 == 1: turn_of(i, b, order)
      .if i == 2: .count turn step -2
    .end
    .core 1
      .count own = core
      .count own step 3
      set load->vector:own
    .end

    """,
    """
    .output y bf16 [8, 64]
    .core 0..<2
      .buf a ub bf16 [4, 64]
      vector.fill a {value=1.0}
      set vector->store:0
      wait vector->store:0
      store.hbm y[core * 4 +: 4, :] <- a
      barrier_cores
    .end

    """,
  ]

  @Test func `the texts that fuzzing starts from are right`() throws {
    for text in Self.seeds {
      let outcome = TextFixture.errors(text, machine: Self.machine)
      #expect(outcome == [])
    }
  }

  @Test func `a list that was found wrong is reported once, whoever reads it`() {
    let text = """
      .index order i32 [2] = [1]
      .index other i32 [2] = [5, 6]
      .output y bf16 [2, 64]
      .buf a ub bf16 [2, 64]
      .if order[1] > 2 || other[1] > 5
        vector.fill a {value=1.0}
      .end
      vector.fill a {value=order[0]}

      """
    let outcome = TextFixture.errors(text, machine: Self.machine)
    #expect(
      outcome.count == 1 && outcome.allSatisfy { $0.contains("order has 1 values") }, "\(outcome)")
  }

  @Test func `damaged texts never trap, and every error has a position`() throws {
    let mutator = Mutator(words: Self.words)
    try Fuzzing.run("text bytes", full: 40_000) { seed, random in
      let start = Array(Self.seeds[random.below(Self.seeds.count)].utf8)
      let text = mutator.mutate(start, using: &random)
      if Fuzzing.isReplay { print(String(decoding: text, as: UTF8.self)) }
      try judge(text, "seed \(seed)")
    }
  }

  // MARK: Structure

  @Test func `random statements never trap, and every error has a position`() throws {
    try Fuzzing.run("text structure", full: 40_000) { seed, random in
      var text = ".param n = 4\n.input x bf16 [16, 64]\n.output y bf16 [16, 64]\n"
      text += ".buf a ub bf16 [4, 64] {slots=2}\n.buf b ub bf16 [4, 64]\n"
      var depth = 0
      for _ in 0..<(1 + random.below(14)) {
        text += statement(&random, &depth) + (random.below(8) == 0 ? " ; c" : "") + "\n"
      }
      for _ in 0..<depth where random.below(20) > 0 { text += ".end\n" }
      if Fuzzing.isReplay { print(text) }
      try judge(Array(text.utf8), "seed \(seed)")
    }
  }

  private func statement(_ random: inout SeededGenerator, _ depth: inout Int) -> String {
    func pick(_ words: [String]) -> String { words[random.below(words.count)] }
    func number(_ level: Int = 2) -> String {
      switch random.below(level > 0 ? 9 : 4) {
      case 0, 1: return "\(random.below(5))"
      case 2: return pick(["i", "j", "n", "core", "lanes"])
      case 3: return pick(["0", "1", "-1", "64", "4294967296", "9223372036854775807", "1.5"])
      case 4: return "min(\(number(level - 1)), \(number(level - 1)))"
      case 5: return "(\(number(level - 1)))"
      case 6: return pick(["-", "!"]) + number(level - 1)
      default:
        let sign = pick(["+", "-", "*", "/", "%", "<", ">=", "==", "&&", "||"])
        return "\(number(level - 1)) \(sign) \(number(level - 1))"
      }
    }
    func tile() -> String {
      let slot = random.below(3) == 0 ? "" : "[\(random.below(2) == 0 ? "i % 2" : number(1))]"
      let rows = random.below(2) == 0 ? ":" : "\(number(1)) +: \(number(1))"
      let region =
        random.below(2) == 0 ? "" : "[\(rows), \(random.below(2) == 0 ? ":" : "0 +: 64")]"
      return pick(["a", "a", "b", "b", "c", "x"]) + slot + region
    }
    switch random.below(16) {
    case 0, 1:
      depth += 1
      return ".loop \(pick(["i", "j", "k"])) \(number(1))..<\(number(1))"
        + (random.below(4) == 0 ? " step \(number(0))" : "")
    case 2:
      depth += 1
      return ".if \(number())"
    case 3:
      depth += 1
      return pick(["produce a", "consume a", "produce b", "consume b"])
    case 4:
      depth += 1
      return ".scope \(pick(["s", "t[i]", "u[\(number(1))]/v"]))"
    case 5, 6:
      if depth > 0 && random.below(3) > 0 { depth -= 1 }
      return pick([".end", ".end", ".else"])
    case 7: return "\(pick(["set", "wait"])) \(pick(["load", "vector"]))->store:\(number(1))"
    case 8: return pick(["barrier vector", "barrier_all", "barrier_cores", "barrier \(number(0))"])
    case 9:
      let wait = random.below(2) == 0 ? "" : " wait \(pick(["vector", "store"])):\(number(1))"
      let when = wait.isEmpty || random.below(2) == 0 ? "" : " if \(number(1))"
      let block = random.below(4) == 0 ? ".if \(number(1)): " : ""
      return
        "\(block)load.ub \(tile()) <- x[\(number(1)) +: 4, :]\(wait)\(when) set vector:\(number(1))"
    case 10: return "store.hbm y[\(number(1)) +: \(number(1)), :] <- \(tile())"
    case 11: return "vector.mul_scalar \(tile()) <- \(tile()) {b=\(number())}"
    case 12: return "vector.row_max \(tile()) <- \(tile()) {start=\(number(1))}"
    case 13: return "vector.add \(tile()) <- \(tile()), \(tile())"
    case 14: return ".buf \(pick(["c", "d"])) ub \(pick(["bf16", "mxint8"])) [\(number(1)), 64]"
    default: return "vector.fill \(tile()) {value=\(number())}"
    }
  }
}
