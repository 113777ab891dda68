/// Rows of a page: a label in the first column, then what it is about.
public enum PageRow {
  private static let labelWidth = 11
  public static let width = 100

  /// A row on one line.
  public static func line(_ label: String, _ value: String) -> String {
    label + String(repeating: " ", count: max(1, labelWidth - label.count)) + value
  }

  /// A row whose text is broken at 100 columns.
  public static func lines(_ label: String, _ text: String) -> [String] {
    broken(text, at: width - labelWidth).enumerated().map {
      line($0.offset == 0 ? label : "", $0.element)
    }
  }

  /// A text in lines of at most so many columns, and of at least a word.
  public static func broken(_ text: String, at columns: Int = width) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty && line.count + 1 + word.count > columns {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    lines.append(line)
    return lines
  }
}
