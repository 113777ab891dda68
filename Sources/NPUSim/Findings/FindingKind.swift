/// What is known of one finding code: how bad it is, what it means, the smallest program that has it,
/// and how to remove it. Every code is a row of such.
///
/// Programs in examples are one micro-op a line, in program order; what follows `;` is a remark.
public struct FindingKind: Sendable, Hashable {
  /// How bad it is: an error makes the verdict `findings`; the others leave it `clean`.
  public enum Severity: String, Sendable, CaseIterable {
    case error, warning, lint
  }

  public var severity: Severity
  /// The statement of the code in a few words.
  public var title: String
  /// One paragraph: what was found, and why it matters.
  public var meaning: String
  /// A few lines.
  public var example: String
  /// One paragraph: what to change.
  public var fix: String

  init(
    _ severity: Severity, _ title: String, _ meaning: String, example: String, fix: String
  ) {
    self.severity = severity
    self.title = title
    self.meaning = meaning
    self.example = example
    self.fix = fix
  }
}
