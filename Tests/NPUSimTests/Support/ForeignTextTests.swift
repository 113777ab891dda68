import NPUSim
import Testing

@Suite struct ForeignTextTests {
  @Test func `what shows nothing itself is written as an escape, everything else stays`() {
    #expect(ForeignText.visible("\u{1B}[31mred\u{7F}") == "\\u{1b}[31mred\\u{7f}")
    #expect(
      ForeignText.visible("a\nb\u{9B}c\u{2028}\u{202E}\u{200B}")
        == "a\\u{a}b\\u{9b}c\\u{2028}\\u{202e}\\u{200b}")
    for plain in ["", "softmaxed_v.qk_T", "é ü 漢字 ✓ \\ ' \"", "a\tb", "👩"] {
      #expect(ForeignText.visible(plain) == plain)
    }
    #expect(ForeignText.quoted("a\0") == "'a\\u{0}'")
  }

  @Test func `nothing that is shown moves the cursor or hides text`() {
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value), scalar != "\t" else { continue }
      let shown = ForeignText.visible(String(scalar)).unicodeScalars
      let isHidden = shown.contains {
        [.control, .format, .lineSeparator, .paragraphSeparator]
          .contains($0.properties.generalCategory)
      }
      if isHidden { Issue.record("\(String(value, radix: 16))") }
    }
  }

  @Test func `an error shows no escape sequence of a name, a path or a line`() {
    let evil = "\u{1B}[2J\u{9B}1m\u{202E}"
    let error = NPUError(
      .tensor, "no \(evil)", at: SourceLocation(file: "a\(evil)", line: 1, column: 2),
      hint: "did you mean \(evil)?")
    let text = Diagnostic.render(error, source: Array("x\(evil)y".utf8))
    let isSafe = text.unicodeScalars.allSatisfy { !["\u{1B}", "\u{9B}", "\u{202E}"].contains($0) }
    #expect(isSafe, "\(text.debugDescription)")
    #expect(text.contains("no \\u{1b}[2J\\u{9b}1m\\u{202e}"))
  }

  @Test func `JSON has invisible characters as escapes and reads them back`() throws {
    for text in ["\u{7F}", "a\u{9B}é", "\u{202E}\"\\\n", "\u{E0001}x", "é 漢字 👩"] {
      let json = JSONValue.string(text).text(.compact)
      #expect(try JSONValue.parse(json, file: "f") == .string(text))
      #expect(ForeignText.visible(json) == json, "\(json.debugDescription)")
    }
    #expect(JSONValue.string("é").text(.compact) == "\"é\"")
    #expect(JSONValue.string("\u{E0001}").text(.compact) == "\"\\udb40\\udc01\"")
  }
}
