import NPUSim
import Testing

/// A line that stood before is not read again. With a comment behind it each line is read for itself:
/// that must make no difference.
@Suite struct TextRepeatTests {
  private static let machine = TestMachine.small(cores: 2)

  /// The same text, no two lines of which are taken for one.
  private func readAnew(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : "\($0);" }.joined(separator: "\n")
  }

  private func describe(_ errors: [NPUError]) -> [String] {
    errors.map { error in
      let place = error.location.map { "\($0.line):\($0.column):\($0.length)" } ?? "nowhere"
      return "\(place) \(error.message)"
    }
  }

  /// Holds a text to what its lines make one by one: program, defects, places and errors.
  private func judge(_ text: String, _ context: String) {
    let parsed = TextFixture.parse(text)
    let alone = TextFixture.parse(readAnew(text))
    #expect(describe(parsed.errors) == describe(alone.errors), "\(context)\n\(text)")
    guard let program = parsed.value, let other = alone.value else { return }
    let limits = TextLimits(microOps: 500, passes: 500)
    let outcome = program.assemble(machine: Self.machine, catalogue: .standard, limits: limits)
    let expected = other.assemble(machine: Self.machine, catalogue: .standard, limits: limits)
    #expect(describe(outcome.errors) == describe(expected.errors), "\(context)\n\(text)")
    guard let assembly = outcome.value, let wanted = expected.value else { return }
    let difference = assembly.program.difference(from: wanted.program)
    #expect(difference == nil, "\(context): \(difference ?? "")\n\(text)")
    #expect(assembly.program.tiles == wanted.program.tiles, "\(context)")
    #expect(assembly.program.scopes == wanted.program.scopes, "\(context)")
    #expect(assembly.program.defects == wanted.program.defects, "\(context)\n\(text)")
    let sites = assembly.program.cores.indices.flatMap { core in
      assembly.program.cores[core].indices.map { Finding.Site(core: core, op: $0) }
    }
    let places = assembly.places(of: sites)
    let wantedPlaces = wanted.places(of: sites)
    for site in sites {
      #expect(
        places[site]?.location == wantedPlaces[site]?.location
          && places[site]?.iterations.map(\.value) == wantedPlaces[site]?.iterations.map(\.value),
        "\(context): \(site)\n\(text)")
    }
  }

  private static let head =
    TextFixture.head + ".tap t bf16 [8, 64]\n.index rows i32 [4] = [3, 1, 2, 0]\n.param n = 1\n"

  /// Lines that are right wherever they stand.
  private static let right = [
    "vector.exp a[0] <- b[1]", "vector.exp a[n] <- b[k]", "vector.add a[0] <- a[0], b[n - 1]",
    "load.ub a[0] <- x[0 +: 4, :]", "load.gather_ub a[1] <- x[rows @ 0 +: 4, :]",
    "store.hbm y[n * 4 +: 4, :] <- a[k]", "set load->vector:0", "wait load->vector:0",
    "vector.exp a[1] <- b[1] wait load:1 set store:2 if k", "barrier vector",
    "vector.row_max a[0][:, 0 +: 1] <- a[1] {start=yes}",
    "vector.row_max a[0][:, 0 +: 1] <- a[1] {start=k == 0}",
    "vector.add a[0][0 +: 2, :] <- a[0], b[0]", "vector.exp a[7] <- b[0]", "vector.exp a <- b",
    "vector.fill a[0] {value=1.5}", "vector.fill a[0] {value=k}", ".scope s", ".scope t[k]/u",
    ".scope s", ".end", ".end", ".end", ".end", ".loop i 0..<3", ".if k", ".else",
    ".if k: vector.exp a[0] <- b[1]", "; words", "",
  ]

  /// Lines that are wrong, or wrong in some places, or that change what others mean.
  private static let odd = [
    "tap t[k * 4 +: 4, 0 +: 64] <- a[0]", "tap t[0 +: 4, 0 +: 64] <- c", "vector.exp c <- b[0]",
    ".let k = 0", ".let k = 1", ".loop k 0..<2", ".core core", ".core 0..<2", "produce a",
    "consume a", ".buf c ub bf16 [4, 64]", ".buf c ub bf16 [2, 64]", "vector.exq a <- b",
    "vector.exp a[0] <- zz", "vector.exp a[1 / k] <- b[0]", "vector.exp a <-",
    "vector.exp a[0] <- x", "vector.exp a[4294967296] <- b[0]", "set load->vectr:0", "$", ".lop",
    "tap t <- b set load:0", ".else", ".count k", ".count k = 1", ".count k step 2", "f(k)",
    ".macro f(k)",
  ]

  private func text(_ random: inout SeededGenerator) -> String {
    // Few different lines, so that most stand again.
    var pool: [String] = []
    for _ in 0..<(2 + random.below(8)) { pool.append(Self.right[random.below(Self.right.count)]) }
    for _ in 0..<random.below(3) { pool.append(Self.odd[random.below(Self.odd.count)]) }
    var text = Self.head + (random.below(4) == 0 ? "" : ".let k = \(random.below(2))\n")
    var open: [String] = []
    for _ in 0..<(4 + random.below(40)) {
      var line = pool[random.below(pool.count)]
      if line == ".end", open.popLast() == nil { line = "vector.exp a[0] <- b[1]" }
      if line == ".else" {
        if open.last == ".if k" { open[open.count - 1] = ".else" } else { line = "" }
      }
      let blocks = [".scope", ".loop", ".if", ".core", ".macro", "produce", "consume"]
      if !line.contains(":"), blocks.contains(where: { line.hasPrefix($0) }) { open.append(line) }
      text += String(repeating: "  ", count: random.below(3)) + line + "\n"
    }
    return text + open.map { _ in ".end\n" }.joined()
  }

  @Test func `lines that stood before make what they make alone`() {
    Fuzzing.run("text repeats", full: 20_000) { seed, random in
      judge(text(&random), "seed \(seed)")
    }
  }

  @Test func `a line that is wrong is reported wherever it stands`() {
    let text = TextFixture.head + "vector.exp a <- x\n\n  vector.exp a <- x\n"
    let message = "'x' is in hbm, vector.exp needs a tile in ub here"
    // The buffer is reported once, the micro-ops each.
    #expect(TextFixture.errors(text) == ["5:17 \(message)"])
    let unknown = TextFixture.head + "set load->vectr:0\n\n  set load->vectr:0\n"
    #expect(
      TextFixture.errors(unknown) == [
        "5:11 there is no queue 'vectr'", "7:13 there is no queue 'vectr'",
      ])
  }

  @Test func `an illegal micro-op is a defect wherever it stands`() throws {
    let line = "vector.add a[0][0 +: 2, :] <- a[0], b[0]\n"
    let program = try TextFixture.program(TextFixture.head + line + "vector.exp a <- b\n" + line)
    #expect(program.defects.compactMap(\.op) == [0, 2])
    let assembly = try TextFixture.assembly(TextFixture.head + line + "  " + line)
    let lines = assembly.program.defects.compactMap { assembly.location(of: $0)?.line }
    #expect(lines == [5, 6])
  }

  @Test func `a line means what the names around it mean`() throws {
    let text =
      TextFixture.head + """
        .scope s
          .let k = 0
          vector.exp a[k] <- b[0]
        .end
        .scope s
          .let k = 1
          vector.exp a[k] <- b[0]
        .end
        .loop k 0..<2
          vector.exp a[k] <- b[0]
        .end

        """
    let program = try TextFixture.program(text)
    let slots = program.cores[0].map { program.tiles[Int($0.words[0])].slot }
    #expect(slots == [0, 1, 0, 1])
  }

  @Test func `a line means the buffers of its core`() throws {
    let text = """
      .core 0
        .buf a ub bf16 [4, 64]
        vector.fill a {value=1.0}
        vector.fill a {value=1.0}
      .end
      .core 1
        .buf pad ub bf16 [4, 64]
        .buf a ub bf16 [8, 64]
        vector.fill a {value=1.0}
        vector.fill a {value=1.0}
      .end

      """
    let program = try TextFixture.program(text, machine: Self.machine)
    let rows = program.cores.map { core in core.map { program.tiles[Int($0.words[0])].rows } }
    #expect(rows == [[4, 4], [8, 8]])
  }
}
