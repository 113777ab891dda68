import NPUSim

extension Diagnostic.Style {
  /// Colours for a terminal.
  static let coloured: Diagnostic.Style = {
    var style = Diagnostic.Style()
    style.label = Pair("\u{1B}[1;31m", "\u{1B}[0m")
    style.message = Pair("\u{1B}[1m", "\u{1B}[0m")
    style.gutter = Pair("\u{1B}[34m", "\u{1B}[0m")
    style.caret = Pair("\u{1B}[1;31m", "\u{1B}[0m")
    return style
  }()
}
