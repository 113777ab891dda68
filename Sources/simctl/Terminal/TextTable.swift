import NPUSim

/// Rows of text in columns, each as wide as its widest cell.
struct TextTable {
  /// Where the text of a column stands in its width.
  enum Side: Sendable { case left, right }

  private var rows: [[String]] = []
  private let sides: [Side]
  private let indent: String

  /// - Parameters:
  ///   - sides: one for each column; the last column is not padded when it is on the left.
  ///   - indent: stands before each row.
  init(_ sides: [Side], indent: String = "") {
    self.sides = sides
    self.indent = indent
  }

  /// Adds a row; missing cells are empty. What shows nothing itself is written as an escape.
  mutating func row(_ cells: [String]) { rows.append(cells.map(ForeignText.visible)) }

  /// The table, two spaces between columns, no space at the end of a line.
  var text: String {
    var widths = [Int](repeating: 0, count: sides.count)
    for row in rows {
      for (column, cell) in row.enumerated() where column < widths.count {
        widths[column] = max(widths[column], cell.count)
      }
    }
    var text = ""
    for row in rows {
      var line = indent
      for (column, side) in sides.enumerated() {
        let cell = column < row.count ? row[column] : ""
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        if column > 0 { line += "  " }
        line += side == .left ? cell + padding : padding + cell
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}
