import Foundation
import NPUKernels
import NPUSim
import Testing

/// Schedules of public kernels whose events are right, nearly right or wrong, by the names of their
/// files in Tests/RealKernels.
@Suite struct RealEventTests {
  private static let machines = ["edge", "ascend-910b-like", "ascend-950-like"]

  private static func text(_ name: String) throws -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(
      contentsOf: tests.appendingPathComponent("RealKernels/\(name).npu"), encoding: .utf8)
  }

  private func page(
    _ name: String, on machine: String, overwrite: String = "undefined"
  ) throws -> DiagnosisPage {
    try DiagnosisPage(
      Self.text(name), on: machine, sets: ["events.overwrite=\(overwrite)"])
  }

  @Test(arguments: ["setset_barrier", "vendor_undefined"], machines)
  func `two sets without a wait between are an error at their two lines`(
    _ name: String, _ machine: String
  ) throws {
    let page = try page(name, on: machine)
    #expect(page.findings.map(\.code) == [.S004])
    let places = try #require(page.report.findings.first).sites.map(\.place)
    #expect(places.map(\.location?.line) == [6, 7])
  }

  @Test(arguments: ["setset_barrier", "vendor_undefined"])
  func `where a set blocks, a barrier between two sets and their waits is a deadlock`(
    _ name: String
  ) throws {
    let page = try page(name, on: "edge", overwrite: "blocks")
    #expect(page.findings.map(\.code) == [.D001])
    #expect(page.page.contains("is empty, taken by"))
    #expect(try self.page(name, on: "edge", overwrite: "counts 2").findings.isEmpty)
  }

  @Test func `an event between queues of two cores is an error that names what leads there`() throws
  {
    let page = try page("badpair", on: "ascend-910b-like")
    #expect(page.findings.map(\.code) == [.S007])
    let finding = try #require(page.findings.first)
    #expect(finding.folded == 1)
    #expect(finding.message.contains("matrix->vector:0"))
    #expect(
      finding.message.contains(
        "the machine ascend-910b-like has no events from matrix to vector; the same way lead "
          + "matrix->drain and drain->vector"))
    #expect(finding.fix.contains("let drain wait for matrix and set the event for vector"))
    #expect(try self.page("badpair", on: "ascend-950-like").findings.map(\.code) == [.S007])
    #expect(try self.page("badpair", on: "edge").findings.isEmpty)
  }

  @Test(
    arguments: [("gemm_basic", [20, 22], 7), ("gemm_performance", [30, 32], 3)], machines)
  func `full flags that both slots share may be set too early, and an ID a slot is free`(
    _ kernel: (name: String, lines: [Int], sets: Int), _ machine: String
  ) throws {
    let page = try page(kernel.name, on: machine)
    #expect(page.report.isClean && !page.report.check.isProved)
    #expect(page.report.check.outside.contains { $0.contains("S008") })
    #expect(page.findings.map(\.code) == [.S008, .S008])
    #expect(page.findings.allSatisfy { $0.severity == .warning })
    #expect(page.report.findings.map { $0.sites.last?.place.location?.line } == kernel.lines)
    for finding in page.findings {
      #expect(finding.reuses.count == kernel.sets && finding.folded == kernel.sets - 1)
      let spare = try #require(finding.spare)
      #expect(spare.least > 0 && spare.printed >= spare.least && spare.showing == 0)
      #expect(finding.manifests == false)
      #expect(finding.fix.contains("2 IDs in turn"))
      #expect(finding.trial?.removesFinding == true && finding.trial?.cost == 0)
      #expect(finding.trial?.missingIdentifiers == 0)
    }
    #expect(page.page.contains(" cycles to spare in this timing"))
    // The same kernel with an ID a slot is what the fix makes of it.
    let mended = try self.page("\(kernel.name)_ids", on: machine)
    #expect(mended.findings.isEmpty && mended.report.check.isProved)
  }

  @Test(arguments: ["gemm_basic", "gemm_performance"])
  func `where sets block or are counted, shared flags are proved`(_ name: String) throws {
    for overwrite in ["blocks", "counts 2"] {
      let page = try page(name, on: "edge", overwrite: overwrite)
      #expect(page.findings.isEmpty && page.report.check.isProved, "\(overwrite)")
    }
    let one = try page(name, on: "edge", overwrite: "counts 1")
    #expect(one.findings.map(\.code) == [.S008, .S008])
  }
}
