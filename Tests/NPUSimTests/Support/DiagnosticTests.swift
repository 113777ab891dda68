import NPUSim
import Testing

@Suite struct DiagnosticTests {
  private func error(line: Int, column: Int, length: Int, hint: String? = nil) -> NPUError {
    NPUError(
      .configuration, "unknown key",
      at: SourceLocation(file: "a.json", line: line, column: column, length: length), hint: hint)
  }

  @Test func `the line is shown with the place marked and the hint below`() {
    let source = Array("{\n\t\"lane\": 64,\r\n}".utf8)
    let text = Diagnostic.render(
      error(line: 2, column: 2, length: 6, hint: "did you mean \"lanes\"?"), source: source)
    #expect(
      text
        == "error: unknown key\n --> a.json:2:2\n  |\n2 | \t\"lane\": 64,\n  | \t^^^^^^\n"
        + "  = help: did you mean \"lanes\"?\n")
  }

  @Test func `without a source or a place the rest is still said`() {
    #expect(
      Diagnostic.render(error(line: 12, column: 3, length: 1))
        == "error: unknown key\n  --> a.json:12:3\n")
    #expect(
      Diagnostic.render(NPUError(.usage, "no such kernel", hint: "see `simctl list`"))
        == "error: no such kernel\n  = help: see `simctl list`\n")
    #expect(
      Diagnostic.render(error(line: 9, column: 3, length: 1), source: Array("{}".utf8))
        == "error: unknown key\n --> a.json:9:3\n")
  }

  @Test func `a long line is cut to the neighbourhood of the place`() throws {
    let line = String(repeating: "x", count: 500) + "HERE" + String(repeating: "y", count: 500)
    let text = Diagnostic.render(
      error(line: 1, column: 501, length: 4), source: Array(line.utf8))
    let lines = text.split(separator: "\n")
    let shown = try #require(lines.first { $0.hasPrefix("1 |") })
    let carets = try #require(lines.last)
    #expect(shown.count < 110)
    #expect(shown.hasPrefix("1 | …") && shown.hasSuffix("…"))
    let place = try #require(shown.firstRange(of: "HERE"))
    let mark = try #require(carets.firstRange(of: "^^^^"))
    #expect(
      shown.distance(from: shown.startIndex, to: place.lowerBound)
        == carets.distance(from: carets.startIndex, to: mark.lowerBound))
    #expect(!carets.contains("^^^^^"))
  }

  @Test func `carets stay on the line and bytes that are not text are shown as such`() {
    let text = Diagnostic.render(
      error(line: 1, column: 2, length: 99), source: [0x61, 0xFF, 0x01, 0x62])
    #expect(text.hasSuffix("1 | a\u{FFFD}\u{FFFD}b\n  |  ^^^\n"))
    let beyond = Diagnostic.render(error(line: 1, column: 50, length: 1), source: [0x61])
    #expect(beyond.hasSuffix("  |  ^\n"))
  }

  @Test func `a style surrounds the parts and nothing else`() {
    var style = Diagnostic.Style.plain
    style.label = .init("<", ">")
    style.caret = .init("[", "]")
    let text = Diagnostic.render(
      error(line: 1, column: 1, length: 2), source: Array("ab".utf8), style: style)
    #expect(text == "<error>: unknown key\n --> a.json:1:1\n  |\n1 | ab\n  | [^^]\n")
  }
}
