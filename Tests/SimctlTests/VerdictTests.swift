import Foundation
import NPUSim
import Testing

/// The page, the JSON and the exit code are one verdict.
@Suite struct VerdictTests {
  static let copy = """
    .input x bf16 [4, 64]
    .output y bf16 [4, 64]
    .buf a ub bf16 [4, 64]
    load.ub a <- x set store:0
    store.hbm y <- a wait load:0

    """
  /// The same without its event.
  static let race = """
    .input x bf16 [4, 64]
    .output y bf16 [4, 64]
    .buf a ub bf16 [4, 64]
    load.ub a <- x
    store.hbm y <- a

    """
  /// A value that nothing reads: P008.
  static let wasteful = """
    .input x bf16 [4, 64]
    .output y bf16 [4, 64]
    .buf a ub bf16 [4, 64]
    .buf b ub bf16 [4, 64]
    load.ub a <- x set vector:0, store:0
    vector.exp b <- a wait load:0
    store.hbm y <- a wait load:0

    """
  /// exp of exp of exp: inputs up to 2 reach infinity.
  static let overflowing = """
    .input x bf16 [4, 64]
    .output y bf16 [4, 64]
    .buf a ub bf16 [4, 64]
    load.ub a <- x set vector:0
    vector.exp a <- a wait load:0
    vector.exp a <- a
    vector.exp a <- a set store:0
    store.hbm y <- a wait vector:0

    """

  /// A run's page, JSON and exit code.
  struct Said {
    var page: String
    var json: JSONValue
    var status: Int32

    init(_ arguments: [String], _ folder: ScratchFolder) throws {
      let path = folder("report.json")
      let result = try SimctlProcess.run(arguments + ["--json", path, "--force"])
      page = result.text
      status = result.status
      json = try JSONValue.parse(folder.read("report.json"), file: path)
    }

    /// The line of a label, without it.
    func line(_ label: String) -> String? {
      page.split(separator: "\n").first { $0.hasPrefix(label + " ") }
        .map { $0.dropFirst(label.count).drop { $0 == " " } }.map(String.init)
    }

    var codes: [String] {
      (json["findings"]?.elements ?? []).compactMap {
        $0["code"].flatMap { try? $0.requireString("code") }
      }
    }

    /// Whether all three say the same.
    func agrees() -> Bool {
      let isClean = status == 0
      return (line("verdict") == "clean") == isClean
        && json["verdict"] == .string(isClean ? "clean" : "findings") && (isClean || status == 1)
    }
  }

  /// A program, flags, the codes that must be found, and the exit code.
  static let cases: [(text: String, flags: [String], codes: [String], status: Int32)] = [
    (copy, [], [], 0),
    (copy, ["--fail-on", "lint"], [], 0),
    (race, [], ["H001"], 1),
    (race, ["--allow-hazards"], ["H001"], 1),
    (wasteful, [], [], 0),
    (wasteful, ["--lint"], ["P008"], 0),
    (wasteful, ["--fail-on", "lint"], ["P008"], 1),
    (overflowing, [], ["N001"], 0),
  ]

  @Test(arguments: cases.indices)
  func `the page, the JSON and the exit code say the same`(_ number: Int) throws {
    let one = Self.cases[number]
    let folder = try ScratchFolder()
    let file = try folder.write(one.text, "a.npu")
    for verb in ["run", "check"] {
      if verb == "check", one.flags.contains("--allow-hazards") || one.codes == ["N001"] {
        continue
      }
      let said = try Said([verb, file] + one.flags, folder)
      #expect(said.agrees(), "\(verb): \(said.page)")
      #expect(said.status == one.status, "\(verb): \(said.page)")
      for code in one.codes { #expect(said.codes.contains(code), "\(verb): \(said.page)") }
    }
  }

  @Test func `lint that fails the run is counted in the verdict, lint that does not is not`() throws
  {
    let folder = try ScratchFolder()
    let file = try folder.write(Self.wasteful, "a.npu")
    let reported = try Said(["check", file, "--lint"], folder)
    #expect(reported.line("verdict") == "clean")
    #expect(reported.json["fails_on"] == .array([.string("error")]))
    let refused = try Said(["check", file, "--fail-on", "lint"], folder)
    let count = refused.codes.count
    #expect(refused.line("verdict") == "\(count) lint\(count == 1 ? "" : "s"), listed below")
    #expect(refused.json["fails_on"] == .array([.string("error"), .string("lint")]))
  }

  @Test func `lint takes no cycles away, an error does`() throws {
    let folder = try ScratchFolder()
    let lint = try folder.write(Self.wasteful, "a.npu")
    #expect(try Said(["run", lint, "--fail-on", "lint"], folder).json["cycles"] != nil)
    let race = try folder.write(Self.race, "b.npu")
    #expect(try Said(["run", race], folder).json["cycles"] == nil)
    let allowed = try Said(["run", race, "--allow-hazards"], folder)
    #expect(allowed.json["cycles"] != nil)
    #expect(allowed.page.contains("HAZARDS ALLOWED: the errors below stand"))
  }

  @Test func `a mismatch with the expected tensors is an error at the micro-op that wrote it`()
    throws
  {
    let folder = try ScratchFolder()
    let copy = try folder.write(Self.copy, "a.npu")
    let dump = folder("dump.safetensors")
    #expect(try SimctlProcess.run(["run", copy, "--dump", dump]).status == 0)
    let equal = try Said(["run", copy, "--expect", dump], folder)
    #expect(equal.agrees() && equal.status == 0)
    let exp = try folder.write(
      """
      .input x bf16 [4, 64]
      .output y bf16 [4, 64]
      .buf a ub bf16 [4, 64]
      load.ub a <- x set vector:0
      vector.exp a <- a wait load:0 set store:0
      store.hbm y <- a wait vector:0

      """, "b.npu")
    let differs = try Said(["run", exp, "--inputs", dump, "--expect", dump], folder)
    #expect(differs.agrees() && differs.status == 1, "\(differs.page)")
    #expect(differs.codes == ["N004"])
    #expect(differs.json["cycles"] == nil)
    let site = differs.json["findings"]?.elements.first?["sites"]?.elements.first
    #expect(site?["queue"] == .string("store") && site?["line"] == .integer(6), "\(differs.page)")
  }

  @Test func `infinities of the datapath are clean and on the numbers line`() throws {
    let folder = try ScratchFolder()
    let said = try Said(["run", try folder.write(Self.overflowing, "a.npu")], folder)
    #expect(said.line("verdict") == "clean")
    #expect(said.page.contains("\nnumbers    not compared"), "\(said.page)")
    #expect(said.page.contains("NaN or infinite results: N001, listed below"), "\(said.page)")
  }

  @Test func `the numbers line says what they were compared with, and what with nothing`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(Self.copy, "a.npu")
    let dump = folder("dump.safetensors")
    let alone = try Said(["run", file, "--dump", dump], folder)
    #expect(alone.line("numbers") == "not compared with anything")
    #expect(alone.json["numerics"]?["compared_with"] == .array([]))
    #expect(alone.json["numerics"]?["bit_exact"] == .null)
    let expected = try Said(["run", file, "--expect", dump], folder)
    #expect(expected.line("numbers") == "compared with the expected tensors alone")
    #expect(expected.json["numerics"]?["compared_with"] == .array([.string("expect")]))
    let line = RunTests.small.components(separatedBy: " ")
    let kernel = try Said(line, folder)
    #expect(kernel.json["numerics"]?["compared_with"] == .array([.string("reference")]))
    let unverified = try Said(line + ["--verify", "none"], folder)
    #expect(unverified.line("numbers") == "not compared with anything")
  }
}
