import NPUKernels
import NPUSim
import Testing

/// Checks of many values: each is judged as it would be alone.
@Suite struct ValueSweepTests {
  /// Clean where every turn fits, with a load that nobody waits for in odd last turns.
  private static let text = """
    .param n = 1
    .param d = 1
    .input x bf16 [64, 64]
    .update y bf16 [64, 64]
    .buf a ub bf16 [16, 64]
    .let rows = 16 / d
    .loop i 0..<n
      load.ub a[0 +: rows, :] <- x[i * 16 +: rows, :]
      .if i % 2 == 0
        set load->store:0
        wait load->store:0
      .end
      store.hbm y[i * 16 +: rows, :] <- a[0 +: rows, :]
      set store->load:0
      wait store->load:0
    .end
    """

  private static func machine() throws -> MachineConfiguration {
    try Presets.named("edge").configuration
  }

  private static func product(_ lists: [(String, String)]) throws -> ValueProduct {
    var made: [ValueProduct.List] = []
    for (name, text) in lists { made.append(try ValueProduct.List(name, text, flag: "--param")) }
    return try ValueProduct(made)
  }

  private static func sweep(
    _ text: String, _ lists: [(String, String)]
  ) throws -> SweepReport {
    let parsed = try TextProgram.parse(TextSource(file: "t.npu", text: text)).get()
    let request = RunRequest(kernel: "t.npu", machine: try machine())
    return try ValueSweep(.text(parsed), product(lists), request).run()
  }

  /// What assembling and checking one value comes to, without a sweep.
  private static func alone(_ text: String, _ values: [String: String]) throws
    -> SweepReport.Outcome
  {
    let outcome = try TextProgram.parse(TextSource(file: "t.npu", text: text)).get()
      .assemble(machine: machine(), catalogue: .standard, parameters: values)
    guard let assembly = outcome.value else { return .failing }
    if assembly.program.opCount == 0 { return .refused }
    return Checker.check(assembly.program).isClean ? .clean : .failing
  }

  @Test func `a value comes to what it comes to alone`() throws {
    let lists = [("n", "-1..5"), ("d", "0..3")]
    let report = try Self.sweep(Self.text, lists)
    let values = try Self.product(lists)
    #expect(report.outcomes.count == 28)
    for index in 0..<values.count {
      let settings = Dictionary(uniqueKeysWithValues: values[index].map { ($0.name, $0.value) })
      #expect(report.outcomes[index] == (try Self.alone(Self.text, settings)), "\(settings)")
    }
    // Each kind of outcome is among them.
    for outcome in [SweepReport.Outcome.clean, .failing, .refused] {
      #expect(report.outcomes.contains(outcome))
    }
    #expect(report.verdict == .findings)
  }

  @Test
  func `the first value that fails is told with its findings, or its errors and their places`()
    throws
  {
    let race = try Self.sweep(Self.text, [("n", "1..9"), ("d", "1,2")])
    guard case .findings(let report) = race.failure else {
      Issue.record("no findings")
      return
    }
    #expect(race.values.words(try #require(race.indices(.failing).first)) == "n=2 d=1")
    #expect(report.findings.contains { $0.code == .H001 })
    #expect(report.findings.first?.sites.first?.place.location?.line != nil)
    let page = race.text()
    #expect(page.contains("values     n=1..9 × d=1,2\n"))
    #expect(page.contains("tried      18 values: 2 clean, 16 failing\n"))
    #expect(page.contains("with n=2 d=1, the first that fails"))

    let division = try Self.sweep(Self.text, [("d", "1,0")])
    guard case .errors(let errors) = division.failure else {
      Issue.record("no errors")
      return
    }
    #expect(errors.map(\.message) == ["found a division by zero"])
    #expect(errors.first?.location?.line == 6)
    #expect(division.text(source: Array(Self.text.utf8)).contains("6 | .let rows = 16 / d"))
  }

  @Test func `a sweep says the same every time`() throws {
    let pages = try (0..<3).map { _ in
      try Self.sweep(Self.text, [("n", "0..20"), ("d", "1..4")]).text()
    }
    #expect(Set(pages).count == 1)
  }

  @Test func `what hits a limit is neither clean nor failing`() throws {
    let report = try Self.sweep(Self.text, [("n", "1,1000000000")])
    #expect(report.outcomes == [.clean, .unfinished])
    #expect(report.verdict == .incomplete)
    #expect(report.text().contains("limit      n=1000000000: found 1000000000 passes"))
  }

  @Test func `a sweep is refused where the request is wrong or nothing is left`() throws {
    let messages: [(lists: [(String, String)], message: String)] = [
      ([("m", "1..3")], "there is no parameter 'm'"),
      ([("n", "1,a")], "--param n needs a whole number, found 'a'"),
      ([("n", "-2..0")], "n=-2: t.npu is empty"),
    ]
    for (lists, message) in messages {
      let error = #expect(throws: NPUError.self) { try Self.sweep(Self.text, lists) }
      #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }
  }

  // MARK: Kernels

  private static func shapes(
    _ kernel: any Kernel.Type, _ lists: [(String, String)], _ arguments: [String: String] = [:]
  ) throws -> SweepReport {
    var request = RunRequest(kernel: kernel.name, machine: try machine())
    request.arguments = arguments
    return try ValueSweep(.kernel(kernel), product(lists), request).run()
  }

  @Test func `shapes that a kernel refuses are no failures`() throws {
    let lists = [("m", "0..3"), ("operands", "mxint8,bf16")]
    let report = try Self.shapes(Gemm.self, lists, ["k": "33", "n": "17"])
    let refused: [SweepReport.Outcome] = [.refused, .refused]
    #expect(report.outcomes == refused + Array(repeating: .clean, count: 6))
    #expect(report.verdict == .clean)
    #expect(report.refusal?.message == "--m needs at least 1, found 0")
  }

  @Test func `a list must be one of a flag that takes its values`() throws {
    let messages: [(list: (String, String), message: String)] = [
      (("mm", "1..3"), "gemm has no flag --mm"),
      (("m", "1,x"), "--m needs a whole number, found 'x'"),
      (("operands", "mxint8,int4"), "--operands needs one of mxint8, bf16, found 'int4'"),
      (("k", "1..3"), "--k 64 and --shapes k=1..3 contradict each other"),
    ]
    for (list, message) in messages {
      let error = #expect(throws: NPUError.self) {
        try Self.shapes(Gemm.self, [list], ["k": "64"])
      }
      #expect(error?.message == message)
    }
    let error = #expect(throws: NPUError.self) {
      try Self.shapes(FlashAttention.self, [("causal", "0,1")])
    }
    #expect(error?.message == "--causal takes no value, so --shapes cannot try several")
  }
}
