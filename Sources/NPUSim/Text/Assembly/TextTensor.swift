/// A tensor that a text declares: what its files call it and hold.
public struct TextTensor: Sendable, Hashable {
  /// What it is to the program.
  public enum Role: Sendable, Hashable {
    case input, output
    /// Read and written in place.
    case updated
    /// HBM memory of the program's own.
    case scratch
    /// Copies that are taken on the way.
    case tap
    /// Row numbers that are bound when the program is built.
    case index

    init(_ kind: TextStatement.Kind) {
      switch kind {
      case .input: self = .input
      case .output: self = .output
      case .update: self = .updated
      case .tapTensor: self = .tap
      case .index: self = .index
      default: self = .scratch
      }
    }
  }

  public var name: String
  public var format: ElementFormat
  public var shape: [Int]
  /// The block axis of an MXINT8 tensor.
  public var axis: BlockAxis
  public var role: Role
  /// Other names that files may have for it.
  public var aliases: [String] = []
}

/// Where a micro-op of a program stands in its text.
public struct TextPlace: Sendable {
  /// The place that its line says it comes from, or the line itself.
  public var location: SourceLocation
  /// Whether its line says that it comes from elsewhere: the text was generated.
  public var isGenerated: Bool
  /// The one-based line of the text.
  public var textLine: Int
  /// The variables of the loops around it, outermost first; the core before them where it is not 0.
  public var iterations: [(name: String, value: Int64)]
  /// The macros whose calls it stands in, outermost first, with the lines of the calls.
  public var callers: [(name: String, line: Int)]

  /// Turns and calls in words, such as `i = 3, in feed of line 40`.
  public var turns: String {
    (iterations.map { "\($0.name) = \($0.value)" }
      + callers.reversed().map { "in \($0.name) of line \($0.line)" }).joined(separator: ", ")
  }
}
