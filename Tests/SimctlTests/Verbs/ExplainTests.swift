import NPUSim
import Testing

@Suite struct ExplainTests {
  @Test func `every code has a meaning, an example and a fix of its own`() {
    var seen: Set<String> = []
    for code in FindingCode.allCases {
      let kind = code.kind
      for text in [kind.meaning, kind.example, kind.fix] {
        #expect(!text.isEmpty, "\(code)")
        #expect(seen.insert(text).inserted, "\(code) repeats: \(text)")
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(code)")
      }
    }
  }

  @Test func `the list of codes has one line each`() throws {
    let text = try SimctlProcess.run("explain").text
    let lines = text.split(separator: "\n")
    #expect(lines.count == FindingCode.allCases.count)
    for (line, code) in zip(lines, FindingCode.allCases) { #expect(line.hasPrefix(code.rawValue)) }
  }

  @Test func `a code is found in either letter case`() throws {
    let text = try SimctlProcess.run("explain H002").text
    #expect(text.hasPrefix("H002 write-after-read race (error)\n"))
    #expect(text.contains("\nExample:\n"))
    #expect(text.contains("\nFix:\n"))
    #expect(try SimctlProcess.run("explain h002").text == text)
  }
}
