/// Text that somebody else wrote (names in files, paths, words of a command line) as a terminal may be
/// given it.
public enum ForeignText {
  /// `text` on one line, with `\u{1b}` in place of each character that shows nothing itself: controls
  /// other than the tab, line and paragraph separators, and format characters, which reverse or hide
  /// what follows.
  public static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isInvisible) else { return text }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      if isInvisible(scalar) {
        result += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }

  /// The same in single quotes.
  public static func quoted(_ text: String) -> String { "'\(visible(text))'" }

  /// Whether a character shows nothing itself.
  static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 && scalar != "\t" || scalar.value == 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }
}
