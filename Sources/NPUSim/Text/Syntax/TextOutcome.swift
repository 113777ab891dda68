/// What a stage of the text form gave: a value, or errors with their places, or after a limit both.
public struct TextOutcome<Value: Sendable>: Sendable {
  public let value: Value?
  /// In the order of the text; empty where ``value`` can be used.
  public let errors: [NPUError]

  init(_ value: Value?, _ errors: [NPUError]) {
    self.value = errors.isEmpty ? value : nil
    self.errors = errors
  }

  /// The value. Throws the first error.
  public func get() throws(NPUError) -> Value {
    if let first = errors.first { throw first }
    guard let value else { throw NPUError(.internal, "a text has neither a value nor an error") }
    return value
  }
}

/// The errors found so far, each at a place of the source.
struct TextErrors {
  /// Errors shown in one run; the others are counted.
  static let limit = 20

  private let source: TextSource
  private var found: [(span: TextSpan, error: NPUError)] = []
  private var isFull = false
  /// Errors found so far, those among them that say nothing new.
  private(set) var count = 0
  /// How far behind the spans of its statement the line stands that errors are found in.
  var shift: UInt32 = 0
  /// What messages say at their end: the calls of macros that their line stands in.
  var context = ""

  init(_ source: TextSource) { self.source = source }

  var isEmpty: Bool { found.isEmpty }

  /// Whether further errors would only be counted.
  var hasEnough: Bool { isFull }

  /// Adds an error, unless one starts at the same place already.
  mutating func add(
    _ message: String, at span: TextSpan, hint: String? = nil,
    category: NPUError.Category = .parse
  ) {
    count += 1
    let span = span.shifted(shift)
    guard !isFull, !found.contains(where: { $0.span.start == span.start }) else { return }
    found.append(
      (span, NPUError(category, message + context, at: source.location(span), hint: hint)))
    if found.count == Self.limit {
      isFull = true
      let end = UInt32(clamping: source.bytes.count)
      found.append(
        (
          TextSpan(start: end, end: end),
          NPUError(
            .parse, "there may be more errors: these are the first \(Self.limit)",
            at: source.location(span), hint: "correct these first")
        ))
    }
  }

  /// Notes an error whose cause was reported where it stands.
  mutating func addConsequence() { count += 1 }

  /// All errors in the order of the text.
  var sorted: [NPUError] {
    found.enumerated().sorted {
      ($0.element.span.start, $0.offset) < ($1.element.span.start, $1.offset)
    }
    .map { $0.element.error }
  }
}
