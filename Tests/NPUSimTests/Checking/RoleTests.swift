import NPUSim
import Testing

/// I002 and I003: outputs are written whole, inputs not at all.
@Suite struct RoleTests {
  private func findings(_ text: String, cores: Int = 1) throws -> [Finding] {
    let program = try TextFixture.program(text, machine: TestMachine.small(cores: cores))
    return Checker.check(program).findings
  }

  private static let head = """
    .input x bf16 [32, 64]
    .buf a ub bf16 [32, 64]

    """
  private static let load = "load.ub a <- x set store:0\n"

  @Test func `rows of an output that nothing writes are named, with the last write and a fix`()
    throws
  {
    let finding = try #require(
      try findings(
        Self.head + ".output y bf16 [32, 64]\n" + Self.load
          + "store.hbm y[0 +: 8, :] <- a[0 +: 8, :] wait load:0\n"
          + "store.hbm y[8 +: 8, :] <- a[8 +: 8, :]\n"
      ).first)
    #expect(finding.code == .I002 && finding.severity == .error)
    #expect(
      finding.message
        == "no micro-op writes rows 16 to 31 of the output y: 1024 of its 2048 elements have no "
        + "value; the last write, by store.hbm #4 (queue store), is that of y[8 +: 8, 0 +: 64]")
    #expect(finding.sites == [.init(core: 0, op: 4)])
    #expect(finding.region?.byteCount == 16 * 128)
    #expect(
      finding.fix
        == "write them, or declare y .update (in Swift, role: .inputOutput) where old words are "
        + "meant to stay")
  }

  @Test func `an output that nothing writes at all is named by its declaration`() throws {
    let finding = try #require(try findings(".output y bf16 [2, 3, 64]\n").first)
    #expect(finding.code == .I002 && finding.sites.isEmpty && finding.buffer == 0)
    #expect(
      finding.message
        == "no micro-op writes slots 0 to 1 of the output y: 384 of its 384 elements have no value")
  }

  @Test func `gaps are named by slot, rows and columns`() throws {
    func gaps(_ shape: String, _ stores: [String]) throws -> String? {
      let text =
        Self.head + ".output y bf16 \(shape)\n" + Self.load + "wait load->store:0\n"
        + stores.map { "store.hbm \($0)\n" }.joined()
      let message = try findings(text).first { $0.code == .I002 }?.message
      return message?.split(separator: ":").first.map {
        String($0).replacing("no micro-op writes ", with: "").replacing(
          " of the output y", with: "")
      }
    }
    #expect(
      try gaps("[4, 64]", ["y[0 +: 4, 0 +: 32] <- a[0 +: 4, 0 +: 32]"])
        == "rows 0 to 3, columns 32 to 63")
    #expect(try gaps("[4, 64]", ["y[0 +: 3, :] <- a[0 +: 3, :]"]) == "row 3")
    #expect(
      try gaps("[4, 64]", ["y[0 +: 2, :] <- a[0 +: 2, :]", "y[3 +: 1, :] <- a[0 +: 1, :]"])
        == "row 2")
    #expect(
      try gaps("[3, 4, 64]", ["y[0] <- a[0 +: 4, :]", "y[2] <- a[0 +: 4, :]"]) == "slot 1")
    #expect(
      try gaps(
        "[3, 4, 64]",
        ["y[0] <- a[0 +: 4, :]", "y[1][0 +: 1, :] <- a[0 +: 1, :]", "y[2] <- a[0 +: 4, :]"])
        == "slot 1, rows 1 to 3")
    #expect(
      try gaps(
        "[2, 4, 64]", ["y[0][0 +: 3, :] <- a[0 +: 3, :]", "y[1][2 +: 2, :] <- a[0 +: 2, :]"])
        == "slot 0, row 3 to slot 1, row 1")
    // Every second row of many: three are named.
    #expect(
      try gaps("[32, 64]", (0..<16).map { "y[\(2 * $0) +: 1, :] <- a[0 +: 1, :]" })
        == "row 1; row 3; row 5; and more")
    #expect(
      try gaps("[8, 64]", (0..<4).map { "y[:, \(16 * $0) +: 8] <- a[0 +: 8, \(16 * $0) +: 8]" })
        == "rows 0 to 7, columns 8 to 15; rows 0 to 7, columns 24 to 31; rows 0 to 7, columns 40 to 47; and more"
    )
  }

  @Test func `parts of an output by several cores, by lists, and twice, are one output`() throws {
    let text = """
      .input x bf16 [32, 64]
      .output y bf16 [32, 64]
      .index odd i32 [16] = [1, 3, 5, 7, 9, 11, 13, 15, 31, 29, 27, 25, 23, 21, 19, 17]
      .index even i32 [16] = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]
      .core 0..<2
        .buf a ub bf16 [16, 64]
        load.ub a <- x[core * 16 +: 16, :] set store:0
        .if core == 0: store.scatter y[odd @ 0 +: 16, :] <- a wait load:0
        .if core == 1: store.scatter y[even @ 0 +: LAST, :] <- a[0 +: LAST, :] wait load:0
      .end
      """
    let whole = try findings(text.replacing("LAST", with: "16"), cores: 2)
    #expect(whole.isEmpty, "\(whole)")
    let short = try findings(text.replacing("LAST", with: "13"), cores: 2)
    #expect(short.map(\.code) == [.I002])
    #expect(
      short[0].message.hasPrefix("no micro-op writes row 26; row 28; row 30 of the output y: "))
    #expect(short[0].sites == [.init(core: 1, op: 3)])
  }

  @Test func `a tensor that is updated need not be written, one of the program's own neither`()
    throws
  {
    for kind in ["update", "tensor"] {
      let text =
        Self.head + ".\(kind) y bf16 [32, 64]\n" + Self.load
        + "store.hbm y[0 +: 8, :] <- a[0 +: 8, :] wait load:0\n"
      #expect(try findings(text).isEmpty, "\(kind)")
    }
  }

  @Test func `an input that is written is named once, with the site and a fix`() throws {
    let found = try findings(
      Self.head + Self.load + "store.hbm x[0 +: 8, :] <- a[0 +: 8, :] wait load:0\n"
        + "store.hbm x[8 +: 8, :] <- a[8 +: 8, :]\n")
    #expect(found.map(\.code) == [.I003])
    #expect(found[0].severity == .error && found[0].folded == 1)
    #expect(found[0].sites == [.init(core: 0, op: 3)])
    #expect(
      found[0].message
        == "store.hbm #3 (queue store) writes x[0 +: 8, 0 +: 64], but x is an input: a dump holds the "
        + "words that were given")
    #expect(
      found[0].fix
        == "declare x .update (in Swift, role: .inputOutput), or write to another tensor")
  }

  @Test func `a write outside of an output is reported as that alone`() throws {
    let text =
      Self.head + ".output y bf16 [30, 64]\n" + Self.load + "store.hbm y <- a wait load:0\n"
    #expect(try findings(text.replacing("y <-", with: "y[0 +: 32, :] <-")).map(\.code) == [.M005])
  }

  @Test func `tiles that overlap in part, in any order, cover what they cover`() throws {
    let rows = 500
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let y = try p.tensor("y", .bf16, rows: rows, columns: 64, role: .output)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 8, columns: 64)
    p.emit(Fill(a.tile(), 0))
    p.emit(CoreBarrier())
    for row in 0..<(rows - 8) {
      p.emit(StoreHBM(y.tile(row: row * 101 % (rows - 8), rows: 8), from: a.tile()))
    }
    let found = Checker.check(p.build()).findings
    #expect(found.map(\.code) == [.I002])
    #expect(found.first?.message.contains("writes row 499 of the output y: 64 of its") == true)
  }
}
