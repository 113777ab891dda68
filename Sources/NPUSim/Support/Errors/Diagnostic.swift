/// An error as a reader of a terminal wants it: what is wrong, where, the line itself with the
/// place marked, and what to do.
///
/// ```
/// error: unknown key "lane" in vector
///   --> edge.json:12:5
///    |
/// 12 |     "lane": 64,
///    |     ^^^^^^
///    = help: did you mean "lanes"?
/// ```
public enum Diagnostic {
  /// Text put around each part. The default puts none; a terminal may pass its escape sequences.
  public struct Style: Sendable {
    /// What opens and closes one part.
    public struct Pair: Sendable {
      /// Comes before the part.
      public var open: String
      /// Comes after the part.
      public var close: String

      /// A pair of texts, empty ones to leave the part bare.
      public init(_ open: String, _ close: String) {
        self.open = open
        self.close = close
      }

      func around(_ text: String) -> String { open + text + close }
    }

    /// The word `error`.
    public var label = Pair("", "")
    /// The message.
    public var message = Pair("", "")
    /// Arrow, bars and line numbers.
    public var gutter = Pair("", "")
    /// The carets.
    public var caret = Pair("", "")

    /// Nothing around any part.
    public static let plain = Style()

    /// Nothing around any part, until changed.
    public init() {}
  }

  /// Renders an error.
  ///
  /// Text that may come from files is shown with ``ForeignText/visible(_:)``: no escape sequence of a
  /// name reaches the terminal.
  ///
  /// - Parameters:
  ///   - error: what to show. Without a location only message and hint are shown.
  ///   - source: the text of the file the location is in, when it is at hand; bytes that are not
  ///     UTF-8 are shown as U+FFFD. A long line is cut to the neighbourhood of the place.
  ///   - style: text around the parts.
  /// - Returns: lines, the last one ended too.
  public static func render(
    _ error: NPUError, source: [UInt8]? = nil, style: Style = .plain
  ) -> String {
    var text =
      "\(style.label.around("error")): \(style.message.around(ForeignText.visible(error.message)))\n"
    var margin = 1
    if let location = error.location {
      margin = String(location.line).utf8.count
      let indent = String(repeating: " ", count: margin)
      let arrow = style.gutter.around("\(indent)-->")
      text += "\(arrow) \(ForeignText.visible(location.file)):\(location.line):\(location.column)\n"
      if let source, let line = lineBytes(location.line, of: source) {
        let bar = style.gutter.around("\(indent) |")
        let (shown, before, carets) = excerpt(line, location)
        text += "\(bar)\n\(style.gutter.around("\(location.line) |")) \(shown)\n"
        text += "\(bar) \(before)\(style.caret.around(carets))\n"
      }
    }
    if let hint = error.hint {
      let indent = String(repeating: " ", count: margin)
      text += "\(style.gutter.around("\(indent) =")) help: \(ForeignText.visible(hint))\n"
    }
    return text
  }

  /// The bytes of a one-based line, without its line break.
  private static func lineBytes(_ number: Int, of source: [UInt8]) -> ArraySlice<UInt8>? {
    var start = 0
    var line = 1
    while line < number {
      guard let next = source[start...].firstIndex(of: 0x0A) else { return nil }
      start = next + 1
      line += 1
    }
    var end = source[start...].firstIndex(of: 0x0A) ?? source.count
    if end > start, source[end - 1] == 0x0D { end -= 1 }
    return source[start..<end]
  }

  /// The line as shown, what stands before the carets below it, and the carets.
  private static func excerpt(
    _ line: ArraySlice<UInt8>, _ location: SourceLocation
  ) -> (shown: String, before: String, carets: String) {
    let width = 100
    let scalars = Array(String(decoding: line, as: UTF8.self).unicodeScalars)
    let column = min(max(0, location.column - 1), scalars.count)
    // Far enough left to see what precedes the place, as much as fits to its right.
    let first = scalars.count <= width ? 0 : max(0, min(column - 40, scalars.count - width))
    let last = min(scalars.count, first + width)
    var shown = first > 0 ? "…" : ""
    var before = first > 0 ? " " : ""
    for index in first..<last {
      let scalar = scalars[index]
      let isHidden = ForeignText.isInvisible(scalar)
      shown.unicodeScalars.append(isHidden ? "\u{FFFD}" : scalar)
      if index < column { before.unicodeScalars.append(scalar == "\t" ? "\t" : " ") }
    }
    if last < scalars.count { shown += "…" }
    let room = max(1, last - column)
    return (shown, before, String(repeating: "^", count: max(1, min(location.length, room))))
  }
}
