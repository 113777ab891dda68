import NPUKernels
import NPUSim
import Testing

/// Races are gathered by what is missing, and each says what is true of the pair that it shows.
@Suite struct FoldingTests {
  /// The whole numbers in a text after a word.
  private func numbers(after word: String, in text: String) throws -> [Int] {
    let start = try #require(text.range(of: word)).upperBound
    return text[start...].split { !$0.isNumber }.compactMap { Int($0) }
  }

  @Test func `a queue that does not interlock is one finding that names the lines for barriers`()
    throws
  {
    let text = try DiagnosisPage.text("layer-norm")
    let page = try DiagnosisPage(text, on: "ascend-910b-like")
    #expect(page.findings.count == 1)
    #expect(page.lines.count < 60)
    let finding = try #require(page.findings.first)
    #expect(finding.message.hasPrefix("the vector queue does not interlock: "))
    #expect(finding.trial?.removesFinding == true)
    let missing = try #require(finding.missing)
    let lines = try numbers(after: "before lines", in: missing)
    #expect(lines.count > 5 && lines == lines.sorted())
    // What the page says is enough, and none of it is idle.
    func program(with barriers: [Int]) -> String {
      text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        .flatMap {
          barriers.contains($0.offset + 1) ? ["barrier vector", $0.element] : [$0.element]
        }
        .joined(separator: "\n")
    }
    #expect(try DiagnosisPage(program(with: lines), on: "ascend-910b-like").findings.isEmpty)
    for line in lines {
      let others = lines.filter { $0 != line }
      #expect(
        try !DiagnosisPage(program(with: others), on: "ascend-910b-like").findings.isEmpty,
        "without line \(line)")
    }
  }

  @Test func `one missing edge is one finding with the pairs that it would order`() throws {
    let page = try DiagnosisPage(DiagnosisPage.text("ptoas-gqa-b"), on: "ascend-910b-like")
    #expect(
      page.findings.map { $0.missing?.prefix { $0 != "," } }.compactMap { $0.map(String.init) }
        == [
          "an event load->vector between line 48 and line 49",
          "a barrier on vector before lines 50",
          "an event vector->store between line 65 and line 67",
        ])
    let event = try #require(page.findings.first)
    #expect(event.trial?.removesFinding == true)
    #expect(page.page.contains("     line 49 after lines 46, 48"))
    // Reads of what a race leaves unwritten are no findings of their own.
    #expect(!page.findings.contains { $0.code == .I001 })
  }

  @Test func `a deadlock comes before what it leaves unwritten`() throws {
    let page = try DiagnosisPage(
      """
      .input x bf16 [4, 64]
      .output y bf16 [8, 64]
      .buf a ub bf16 [4, 64]
      wait vector->load:0
      load.ub a <- x
      set load->vector:0
      wait load->vector:0
      vector.exp a <- a
      set vector->load:0
      set vector->store:0
      wait vector->store:0
      store.hbm y[0 +: 4, :] <- a
      """)
    let codes = page.findings.map(\.code)
    #expect(codes.first == .D001 && codes.contains(.I002), "\(codes)")
  }

  @Test func `races that two edges order are two findings, each with its lines`() throws {
    let page = try DiagnosisPage(DiagnosisPage.text("fold"))
    #expect(
      page.findings.map(\.missing) == [
        "an event store->vector between line 11 and line 12",
        "an event store->vector between line 16 and line 17",
      ])
  }

  @Test(arguments: [("fold", 2, 3), ("ptoas-gqa-b", 2, 13)])
  func `fixes that mend all races together are said to, with what that was tried to cost`(
    name: String, fixes: Int, races: Int
  ) throws {
    let page = try DiagnosisPage(DiagnosisPage.text(name))
    let trial = try #require(page.report.jointTrial)
    #expect(trial.fixes == fixes && trial.races == races && trial.errorsLeft == 0)
    #expect(page.findings.reduce(0) { $0 + $1.pairs.reduce(0) { $0 + $1.races.count } } == races)
    #expect(page.report.text().contains("mending    the \(fixes) fixes mend all \(races) races"))
    // What was tried is what is proved and timed here.
    let edits = page.findings.flatMap(\.edits)
    let mended = try [1, 2, 4, 8].map { page.program.applying(edits, identifiers: $0) }
      .filter { Checker.check($0).findings.isEmpty }.map { try TimingEngine.run($0).cycles }
    #expect(mended.contains { $0 == trial.cyclesAfter }, "\(mended)")
    #expect(try TimingEngine.run(page.program).cycles == trial.cyclesBefore)
  }

  @Test func `of one fix nothing is said together, nor where fixes leave a race`() throws {
    let single = try DiagnosisPage(DiagnosisPage.text("pk-rotate-full"))
    #expect(single.findings.count { !$0.pairs.isEmpty } == 1)
    #expect(single.report.jointTrial == nil && !single.report.text().contains("mending"))
    let page = try DiagnosisPage(DiagnosisPage.text("fold"))
    let program = page.program
    var findings = page.findings
    #expect(findings.count == 2)
    // An edit that orders nothing in the place of one that does.
    findings[1].edits = []
    #expect(JointTrial(findings, of: program) == nil)
  }

  @Test(arguments: ["pk-rotate-full", "fold", "layer-norm", "ptoas-gqa-b", "wrong-slot"])
  func `whether a race shows is said of the pair that is printed`(name: String) throws {
    let page = try DiagnosisPage(
      DiagnosisPage.text(name), on: name == "wrong-slot" ? "edge" : "ascend-910b-like")
    let timeline = try #require(
      TimingEngine.run(page.program, TimingOptions(timeline: true)).timeline)
    var judged = 0
    for finding in page.findings where !finding.pairs.isEmpty {
      let first = timeline[finding.sites[0].core][finding.sites[0].op]
      let second = timeline[finding.sites[1].core][finding.sites[1].op]
      let end = finding.code == .H002 ? first.free : first.visible
      #expect(finding.manifests == (end > second.start), "\(finding.message)")
      #expect(finding.pairs[0].races[0].first == finding.sites[0])
      #expect(finding.pairs.reduce(0) { $0 + $1.races.count } == 1 + finding.folded)
      judged += 1
    }
    #expect(judged > 0)
  }

  @Test func `what is wrong with the events of a line is a finding a code, with one fix`() throws {
    let ids = (0..<500).map { "store:\($0)" }.joined(separator: ", ")
    let page = try DiagnosisPage(
      ".buf b ub bf16 [1, 16]\nvector.fill b {value=0} set \(ids)\nset vector->store:500\n")
    // Of the 501 IDs the machine has 8; the last one stands on a line of its own.
    #expect(page.findings.map(\.code) == [.S001, .S001, .S005, .S005])
    #expect(page.findings.map(\.folded) == [499, 0, 491, 0])
    #expect(page.findings[0].trial?.removesFinding == true)
    #expect(page.findings[0].edits.count == 1)
    let loops = try DiagnosisPage(
      ".buf b ub bf16 [1, 16]\n.loop i 0..<6: set vector->store:i\n"
        + ".loop i 0..<6: wait store->vector:i\n")
    #expect(loops.findings.filter { $0.code == .S001 }.map(\.folded) == [5])
    #expect(loops.findings.filter { $0.code == .S002 }.map(\.folded) == [5])
  }
}
