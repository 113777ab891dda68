extension SweepReport {
  /// Further values that fail which the page names.
  private static let mostNamed = 12

  /// The page: what was tried, the verdict, and what is wrong with the first value that fails.
  ///
  /// - Parameters:
  ///   - source: the text, so that errors in it show their lines.
  ///   - diagnostics: how those errors are styled.
  public func text(
    _ style: TextStyle = .plain, source: [UInt8]? = nil, diagnostics: Diagnostic.Style = .plain
  ) -> String {
    var lines = [
      style.bold(ForeignText.visible(kernel)),
      PageRow.line("machine", machine.words),
    ]
    let lists = values.lists.map { "\($0.name)=\($0.text)" }.joined(separator: " × ")
    lines += PageRow.lines("values", ForeignText.visible(lists))
    lines += PageRow.lines("tried", tally)
    lines.append("")
    lines += verdictLines(style)
    lines += reason("refused", .refused, refusal)
    lines += reason("limit", .unfinished, limit)
    switch failure {
    case nil: break
    case .findings(let report):
      lines += PageRow.lines("proof", report.check.statement)
      if let trial = report.jointTrial { lines += PageRow.lines("mending", trial.sentence) }
      lines.append("")
      lines += FindingText.lines(report.findings, style)
    case .errors(let errors):
      lines.append("")
      let shown = errors.map { Diagnostic.render($0, source: source, style: diagnostics) }
      return lines.joined(separator: "\n") + "\n" + shown.joined()
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// How many values there were, and what they came to.
  private var tally: String {
    let words: [(Outcome, String)] = [
      (.clean, "clean"), (.failing, "failing"), (.refused, "without a program"),
      (.unfinished, "beyond a limit"),
    ]
    let parts = words.compactMap { outcome, word -> String? in
      let count = indices(outcome).count
      return count == 0 ? nil : "\(Quantity.grouped(count)) \(word)"
    }
    return "\(Self.amount(outcomes.count)): \(parts.joined(separator: ", "))"
  }

  private static func amount(_ count: Int) -> String {
    "\(Quantity.grouped(count)) value\(count == 1 ? "" : "s")"
  }

  private func verdictLines(_ style: TextStyle) -> [String] {
    let failing = indices(.failing)
    guard let first = failing.first, let failure else {
      let isWhole = verdict == .clean
      return [
        PageRow.line(
          "verdict", isWhole ? style.good(verdict.rawValue) : style.warning(verdict.rawValue))
      ]
    }
    let what =
      switch failure {
      case .findings(let report): report.verdictText
      case .errors(let errors):
        "\(Quantity.grouped(errors.count)) error\(errors.count == 1 ? "" : "s") of the text"
      }
    var lines = PageRow.lines(
      "verdict",
      "\(style.bad(what)) with \(ForeignText.visible(values.words(first))), the first that fails")
    let others = failing.dropFirst()
    if !others.isEmpty {
      let named = others.prefix(Self.mostNamed).map { values.words($0) }
      let more = others.count - named.count
      lines += PageRow.lines(
        "",
        "also with " + ForeignText.visible(named.joined(separator: ", "))
          + (more > 0 ? " and \(Quantity.grouped(more)) more" : ""))
    }
    return lines
  }

  private func reason(_ label: String, _ outcome: Outcome, _ error: NPUError?) -> [String] {
    guard let error, let first = indices(outcome).first else { return [] }
    return PageRow.lines(
      label, ForeignText.visible("\(values.words(first)): \(error.message)"))
  }
}
