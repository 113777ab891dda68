import NPUKernels
import NPUSim
import Testing

/// The first line of advice is what there is most to win from.
@Suite struct AdviceTests {
  private func page(_ text: String, on machine: String) throws -> [String] {
    let configuration = try Presets.named(machine).configuration
    let assembly = try TextProgram.parse(TextSource(file: "t.npu", text: text)).get().assemble(
      machine: configuration, catalogue: .standard
    ).get()
    let outcome = try Runner.run(
      RunRequest(kernel: "t.npu", machine: configuration), text: TextKernel(assembly))
    return outcome.report.text(.plain).split(separator: "\n").map(String.init)
  }

  @Test func `cores that do nothing come first`() throws {
    let text = try DiagnosisPage.text("one-core-of-24")
    let lines = try page(text, on: "ascend-910b-like")
    let first = try #require(lines.first { $0.hasPrefix("advice") })
    #expect(first.contains("23 of 24 cores are idle"))
    #expect(lines.contains { $0.contains(".core 0..<cores") })
    let alone = try page(text, on: "edge")
    #expect(!alone.contains { $0.contains("idle:") })
  }
}
