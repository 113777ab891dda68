import NPUKernels
import NPUSim
import Testing

/// A tile that does not lie in its buffer says which of its numbers is to blame.
@Suite struct TileBoundsTests {
  @Test func `a slot that a ring does not have is named, with the ring's declaration`() throws {
    let page = try DiagnosisPage(DiagnosisPage.text("one-slot-less"))
    let finding = try #require(page.findings.first)
    #expect(page.findings.count == 1)
    #expect(finding.code == .M001)
    #expect(finding.message.contains("right[1][0 +: 32, 0 +: 64]: slot 1 of 1 of right"))
    #expect(page.page.contains("  declared at t.npu:12:6\n     | .buf right right mxint8"))
    #expect(finding.fix == "declare right with {slots=2} or more")
  }

  @Test func `a forgotten rotation is one finding with a count and the text to write`() throws {
    let text = try DiagnosisPage.text("slot-forgotten")
    let page = try DiagnosisPage(text, parameters: ["n": "1000"])
    let finding = try #require(page.findings.first)
    #expect(page.findings.count == 1)
    #expect(finding.folded == 997)
    #expect(finding.message.contains("slot 2 of 2 of a"))
    #expect(page.page.contains("t.npu:4:1 (i = 2)"))
    #expect(finding.fix.hasPrefix("write a[i % 2]"))
    let mended = text.replacing("a[i]", with: "a[i % 2]")
    #expect(
      try !DiagnosisPage(mended, parameters: ["n": "1000"]).findings.contains {
        $0.severity == .error
      })
  }

  @Test(arguments: [
    ("vector.fill a[0][2 +: 3, :] {value=0}", "rows 2 to 4 of 4 of a"),
    ("vector.fill a[0][:, 8 +: 16] {value=0}", "columns 8 to 23 of 16 of a"),
    ("vector.fill a[-1] {value=0}", "slot -1 of 2 of a"),
    ("load.ub a[0] <- x[1][0 +: 4, :]", "slot 1 of 1 of x"),
    ("load.ub a[0] <- x[6 +: 4, :]", "rows 6 to 9 of 8 of x"),
  ])
  func `rows, columns and slots are told apart`(_ line: String, _ words: String) throws {
    let page = try DiagnosisPage(
      ".input x bf16 [8, 16]\n.buf a ub bf16 [4, 16] {slots=2}\n\(line)\n")
    #expect(page.findings.count == 1)
    #expect(page.findings[0].message.contains(words), "\(page.findings[0].message)")
    #expect(page.page.contains("  declared at t.npu:"))
  }
}
