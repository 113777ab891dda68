import Foundation
import NPUSim
import Testing

@Suite struct ReportPageTests {
  /// The keys of objects in `value`, at any depth, except below those that carry names of their own.
  private func keys(_ value: JSONValue) -> Set<String> {
    var keys: Set<String> = []
    for member in value.members {
      keys.insert(member.key)
      if ["config", "shape", "schedule", "stalls", "queues"].contains(member.key) { continue }
      keys.formUnion(self.keys(member.value))
    }
    for element in value.elements { keys.formUnion(self.keys(element)) }
    return keys
  }

  @Test func `the page on reports explains every key and every reason`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(
      contentsOf: root.appendingPathComponent("docs/reports.md"), encoding: .utf8)
    let folder = try ScratchFolder()
    let path = folder("a.safetensors")
    #expect(try SimctlProcess.run(RunTests.small + " --dump \(path)").status == 0)
    let line =
      RunTests.small
      + " --seed 1 --lint --allow-hazards --jitter 10 --runs 1 --meta --expect \(path)"
    let result = try SimctlProcess.run(line + " --json -")
    let report = try JSONValue.parse(result.output, file: "report")
    // Words of the page that stand in backticks, split at what joins keys to paths.
    let words = Set(
      page.split(separator: "`").flatMap {
        $0.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }).map(String.init)
      })
    for key in keys(report) { #expect(words.contains(key), "\(key)") }
    for reason in StallReason.allCases { #expect(page.contains("| `\(reason.rawValue)` |")) }
  }
}
