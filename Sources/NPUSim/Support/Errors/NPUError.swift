/// The one error type of the product: a category, what was found and needed, where, and what to do.
///
/// `message` states what was found and what was needed; `hint` states what to do about it.
/// The category decides the exit code of `simctl` and nothing else.
public struct NPUError: Error, Sendable, Equatable {
  /// What kind of thing is wrong.
  public enum Category: String, Sendable, CaseIterable {
    /// A command line, a flag or a shape that cannot be used.
    case usage
    /// A machine configuration that is not valid.
    case configuration
    /// Text or JSON that cannot be read.
    case parse
    /// A tensor or tensor file of the wrong name, shape, type or layout.
    case tensor
    /// A file that cannot be read or written.
    case io
    /// A micro-op or program that cannot be built or executed.
    case program
    /// A limit that was hit before the work was complete.
    case limit
    /// A broken promise of the simulator itself.
    case `internal`
  }

  public var category: Category
  /// One sentence: what was found, what was needed.
  public var message: String
  /// Where in a file, when the error has a place.
  public var location: SourceLocation?
  /// What the user can do, as one sentence; `nil` when the message says it all.
  public var hint: String?

  public init(
    _ category: Category, _ message: String, at location: SourceLocation? = nil, hint: String? = nil
  ) {
    self.category = category
    self.message = message
    self.location = location
    self.hint = hint
  }
}

/// A place in a text file: one-based line and column, and the width of the span in characters.
public struct SourceLocation: Sendable, Hashable {
  public var file: String
  /// One-based line.
  public var line: Int
  /// One-based column, counted in characters.
  public var column: Int
  /// Characters covered; at least 1.
  public var length: Int

  public init(file: String, line: Int, column: Int, length: Int = 1) {
    self.file = file
    self.line = line
    self.column = column
    self.length = max(1, length)
  }
}
