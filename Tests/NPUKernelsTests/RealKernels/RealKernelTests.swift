import Foundation
import NPUKernels
import NPUSim
import Testing

/// Public kernels and compiler outputs, transcribed: what is said of each, under which rules.
///
/// True findings are found, mends are clean, and what is no fault is none under the keys of the
/// machine that it was written for. `beyond` has one that relies on what is not modelled.
@Suite struct RealKernelTests {
  struct Case: Sendable, CustomStringConvertible {
    var name: String
    /// Codes on a machine whose queues interlock.
    var edge: Set<FindingCode>
    /// Codes by the published rules of Atlas A2, which are those of the 950 as well.
    var published: Set<FindingCode>
    var parameters: [String: String] = [:]
    var sets: [String] = []
    var cores: Int?

    var description: String {
      ([name] + parameters.map { "\($0)=\($1)" } + sets).joined(separator: " ")
    }

    init(
      _ name: String, _ edge: Set<FindingCode>, published: Set<FindingCode>? = nil,
      _ parameters: [String: String] = [:], sets: [String] = [], cores: Int? = nil
    ) {
      self.name = name
      self.edge = edge
      self.published = published ?? edge
      self.parameters = parameters
      self.sets = sets
      self.cores = cores
    }
  }

  /// Kernels as they are shipped, with latent races where there are any.
  static let shipped: [Case] = [
    Case("add_custom", []),
    Case("add_template", []),
    // The vendor's page demands barriers between its vector instructions, which it does not have.
    Case("leaky_relu", [], published: [.H001]),
    // They stream where tiles are large.
    Case("leaky_relu", [.H001], sets: ["queues.interlocks.vector=stream"]),
    Case("leaky_relu", [], ["n": "2048"], sets: ["queues.interlocks.vector=stream"]),
    Case("tq_add", []),
    Case("i823", []),
    // Two slots of one ring are held at once.
    Case("tpop_nested", []),
    Case("vta_gemm_vt1", []),
    Case("gemm_basic_ids", []),
    Case("gemm_performance_ids", []),
    // Sets and waits alternate, and nothing orders the next set behind the wait.
    Case("gemm_basic", [.S008]),
    Case("gemm_performance", [.S008]),
    Case("conv2d", [.S008]),
    // Its tiles are larger than those of the transcription: 4 unit tiles do not forward.
    Case("ac_mmad_flags", [], published: [.H001]),
    Case("ac_mmad_flags", [], sets: ["matrix.forward_tiles=1"]),
    // Nothing orders the store before the vector micro-ops of the next pair.
    Case("topk", [.H002, .S008]),
    Case("topk_fixed", []),
    // Loads overwrite tiles that are not extracted yet.
    Case("pk_rotate", [.H002, .S008], published: [.H002, .H003, .S008]),
    Case("pk_rotate_full", [.H002, .S008], published: [.H002, .H003, .S008]),
    Case("pk_rotate_fixed", [.S008]),
    Case("fa_cube", [.S008], ["uf": "0"]),
    // The same with the unit flag in place of the accumulator's events.
    Case("fa_cube", [.S008], ["uf": "1"]),
    Case("ac_mmad_unit", [], published: [.H001]),
    Case("ac_mmad_unit", [], sets: ["matrix.forward_tiles=1"]),
    Case("ac_unitflag_sample", [.S008]),
    // A matrix core and two vector cores, each with the queues that it has.
    Case(
      "cv_flags", [], sets: ["group.matrix_cores=1", "group.vector_cores=2"], cores: 3),
    // IDs 10 and 11, where a pair of queues has 8.
    Case("tl_moe", [.S005]),
    // Tokens are counted there. By the rule of A2 its small accumulations need a barrier.
    Case("vta_gemm_vt2", [], published: [.H001], sets: ["events.overwrite=counts 2"]),
  ]

  /// Bugs that were reported, and their mends.
  static let reported: [Case] = [
    Case("i428_noprime", [.D001, .S002]),
    Case("i428_notail", [.S003]),
    Case(
      "i428_nowait", [.H002, .S001, .S003, .S004], published: [.H002, .H003, .S001, .S003, .S004]),
    Case("i428_fixed", []),
    Case("i533_bug", [.H001], ["ctx": "1"]),
    Case("i533_bug", [], ["ctx": "4"]),
    Case("i533_fixed", []),
    Case("i1149_bug", [.S003, .S004, .S008], ["rem": "11"]),
    Case("i1149_bug", [], ["rem": "12"]),
    Case("i1149_fixed", []),
    // Eight trips give wrong data, seven hang.
    Case(
      "i1519_bug", [.H001, .H002, .S004, .S008],
      published: [.H001, .H002, .H003, .S004, .S008], ["n": "8"]),
    Case("i1519_fixed", []),
    // The vector queue of A2 needs a barrier that the compiler's output does not have.
    Case("ptoas_gqa_b", [.H001]),
    Case("ptoas_gqa_fixed", [], published: [.H001]),
    Case("twocores_race", [.H001], cores: 2),
    Case("fold", [.H002], published: [.H001, .H002]),
  ]

  /// What relies on flags that are not modelled: events between cores.
  static let beyond: [Case] = [
    Case("tl_fa_v", [.H002])
  ]

  private static func text(_ name: String) throws -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(
      contentsOf: tests.appendingPathComponent("RealKernels/\(name).npu"), encoding: .utf8)
  }

  private func codes(_ test: Case, on machine: String) throws -> Set<FindingCode> {
    let page = try DiagnosisPage(
      Self.text(test.name), on: machine, cores: test.cores, sets: test.sets,
      parameters: test.parameters)
    return Set(page.findings.map(\.code))
  }

  @Test(arguments: shipped + reported + beyond)
  func `a public kernel has the findings that its own machine shows, and no other`(
    test: Case
  ) throws {
    #expect(try codes(test, on: "edge") == test.edge)
    for machine in ["ascend-910b-like", "ascend-950-like"] {
      #expect(try codes(test, on: machine) == test.published, "\(machine)")
    }
  }

  /// A text of which one line lost its unit flag.
  private static func without(_ flag: String, line: Int, in text: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    lines[line] = lines[line].replacingOccurrences(of: flag, with: "")
    return lines.joined(separator: "\n")
  }

  @Test(arguments: ["fa_cube", "ac_mmad_unit"])
  func `a kernel that loses a unit flag of its accumulator is reported`(name: String) throws {
    let text = try Self.text(name)
    let flags = [", unit=hold", ", unit=release", " {unit=yes}", " {unit=uf}"]
    var lost = 0
    for (line, words) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      for flag in flags where words.contains(flag) {
        let page = try DiagnosisPage(Self.without(flag, line: line, in: text), on: "edge")
        let errors = page.findings.filter { $0.severity == .error }
        #expect(!errors.isEmpty, "\(name), line \(line + 1) without\(flag)")
        lost += 1
      }
    }
    #expect(lost == (name == "fa_cube" ? 6 : 3))
  }

  @Test(arguments: ["edge", "ascend-910b-like"])
  func `a kernel of several cores that loses one of their flags is reported`(
    machine: String
  ) throws {
    let text = try Self.text("cv_flags")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let flags = lines.indices.filter {
      lines[$0].contains("set core") || lines[$0].contains("wait core")
    }
    #expect(flags.count == 6)
    for line in flags {
      let rest = (lines[..<line] + lines[(line + 1)...]).joined(separator: "\n")
      let page = try DiagnosisPage(rest, on: machine, sets: ["cores=3"])
      #expect(page.findings.contains { $0.severity == .error }, "\(machine), line \(line + 1)")
    }
    // A set together with its wait: nothing is left over, and the bytes race.
    for lost in [
      ["set core 1", "set core 2", "wait core 0"], ["set core 0", "wait core 1", "wait core 2"],
    ] {
      let rest = lines.filter { line in !lost.contains { line.contains($0) } }
        .joined(separator: "\n")
      let codes = Set(try DiagnosisPage(rest, on: machine, sets: ["cores=3"]).findings.map(\.code))
      #expect(!codes.isDisjoint(with: [.H001, .H002, .H003]), "\(machine) without \(lost)")
    }
  }

  @Test func `the trip count decides between wrong data and a hang`() throws {
    let hang = try codes(Case("i1519_bug", [], ["n": "7"]), on: "edge")
    #expect(hang.isSuperset(of: [.D002, .S002]))
    let wrong = try codes(Case("i1519_bug", [], ["n": "8"]), on: "edge")
    #expect(wrong.isDisjoint(with: [.D001, .D002, .D003]))
  }

  @Test func `every program of the folder is judged by some test`() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let files = try FileManager.default.contentsOfDirectory(
      atPath: tests.appendingPathComponent("RealKernels").path
    ).filter { $0.hasSuffix(".npu") }.map { String($0.dropLast(4)) }
    let elsewhere: Set<String> = [
      "badpair", "setset_barrier", "vendor_undefined", "fc_load_waw", "fc_store_waw",
      "fc_mmad_small", "small_accumulate", "i730",
    ]
    let judged = Set((Self.shipped + Self.reported + Self.beyond).map(\.name)).union(elsewhere)
    #expect(Set(files) == judged)
  }
}
