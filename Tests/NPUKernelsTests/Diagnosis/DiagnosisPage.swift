import Foundation
import NPUKernels
import NPUSim
import Testing

/// What `simctl check` says of a text, without starting the command.
struct DiagnosisPage {
  var report: RunReport
  var program: Program
  var kernel: TextKernel

  var findings: [Finding]
  var lines: [String] { FindingText.lines(report.findings, .plain) }
  var page: String { lines.joined(separator: "\n") }

  init(
    _ text: String, on machine: String = "edge", cores: Int? = nil,
    sets: [String] = [], parameters: [String: String] = [:], lints: Bool = false
  ) throws {
    var configuration = try Presets.named(machine).configuration.applying(sets: sets)
    if let cores { configuration.cores = cores }
    let source = TextSource(file: "t.npu", text: text)
    let assembly = try TextProgram.parse(source).get().assemble(
      machine: configuration, catalogue: .standard, parameters: parameters
    ).get()
    kernel = TextKernel(assembly)
    program = assembly.program
    var check = Checker.check(
      program, CheckOptions(lints: lints), lines: kernel.sourceLines)
    check.findings = FixTrials.annotate(check.findings, of: program)
    findings = check.findings
    report = RunReport(
      kernel: "t.npu", shape: [], schedule: [], seed: 0, machine: configuration, check: check,
      program: program)
    report.jointTrial = JointTrial(check.findings, of: program)
    kernel.locate(&report)
  }

  /// A text of Tests/Cases.
  static func text(_ name: String) throws -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(
      contentsOf: tests.appendingPathComponent("Cases/\(name).npu"), encoding: .utf8)
  }
}
