/// docs/findings.md: every code with its explanation.
public enum FindingsPage {
  /// The page as Markdown, ending with a line break.
  public static func text() -> String {
    var text = """
      # Findings

      This page is generated: `simctl docs findings` prints it, and a test keeps the two equal.
      `simctl explain CODE` shows one of its sections.

      An *error* makes the verdict `findings`: no cycles are printed, and `simctl` exits with 1. A
      *warning* or a *lint* is listed and leaves the verdict `clean`.

      """
    for code in FindingCode.allCases {
      let kind = code.kind
      text += """

        ## \(code.rawValue): \(code.title) (\(code.severity.rawValue))

        \(kind.meaning)

        ```
        \(kind.example)
        ```

        \(kind.fix)

        """
    }
    return text
  }
}
