import Foundation
import NPUKernels
import NPUSim
import Testing

/// Small programs that break a rule which a vendor publishes: right on a machine without it.
@Suite struct PublishedRuleCaseTests {
  /// A text of Tests/RealKernels.
  private func text(_ name: String) throws -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(
      contentsOf: tests.appendingPathComponent("RealKernels/\(name).npu"), encoding: .utf8)
  }

  /// The code, the barrier that is missing, and where the text has the two micro-ops.
  @Test(arguments: [
    ("fc_load_waw", FindingCode.H003, "load", 6, 7),
    ("fc_store_waw", .H003, "store", 8, 9),
    ("fc_mmad_small", .H001, "matrix", 18, 19),
    ("small_accumulate", .H001, "matrix", 19, 19),
  ])
  func `dependent micro-ops of one queue need a barrier where the vendor says so`(
    name: String, code: FindingCode, queue: String, first: Int, second: Int
  ) throws {
    let text = try text(name)
    #expect(try DiagnosisPage(text).findings.isEmpty)
    for machine in ["ascend-910b-like", "ascend-950-like"] {
      let page = try DiagnosisPage(text, on: machine)
      #expect(page.findings.map(\.code) == [code], "\(name) on \(machine)")
      #expect(page.page.contains(":\(first):") && page.page.contains(":\(second):"))
      #expect(page.findings[0].fix.contains("barrier \(queue)"))
      #expect(page.page.contains("it removes the finding"))
      // Mended as the page says.
      let mended = page.program.applying(page.findings[0].edits)
      #expect(Checker.check(mended).findings.isEmpty, "\(name) on \(machine)")
    }
  }

  @Test func `HBM bytes that are read back behind an event alone are noted, or refused`() throws {
    let text = try text("i730")
    #expect(try DiagnosisPage(text).findings.isEmpty)
    let note = try #require(
      DiagnosisPage(text, lints: true).findings.first { $0.code == .P009 })
    #expect(note.fix.hasPrefix("put barrier_all after line 10 and before line 13"))
    let refused = try DiagnosisPage(text, sets: ["hbm.read_after_write=fence"])
    #expect(refused.findings.map(\.code) == [.H001])
    #expect(refused.page.contains("it removes the finding"))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let mended = (lines[..<12] + ["barrier_all"] + lines[12...]).joined(separator: "\n")
    #expect(
      try DiagnosisPage(mended, sets: ["hbm.read_after_write=fence"]).findings.isEmpty)
  }
}
