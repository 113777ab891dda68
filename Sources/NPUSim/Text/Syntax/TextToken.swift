/// One token of the text form.
struct TextToken {
  enum Kind: UInt8 {
    case end, newline, comment
    /// A name; may contain dots between its letters.
    case name
    /// A name in quotes.
    case string
    /// A word after a dot at its start, such as `.loop`.
    case directive
    case integer, real
    case leftBracket, rightBracket, leftParenthesis, rightParenthesis, leftBrace, rightBrace
    case comma, colon, at, plus, minus, times, slash, percent
    case assign, equal, notEqual, less, lessEqual, greater, greaterEqual, and, or, not
    /// `<-`
    case from
    /// `->`
    case to
    /// `+:`
    case extent
    /// `..<`
    case range
    /// Bytes that start no token.
    case invalid

    /// What messages call a token whose text says nothing.
    var words: String {
      switch self {
      case .end: "the end of the file"
      case .newline, .comment: "the end of the line"
      default: ""
      }
    }
  }

  var kind: Kind
  var span: TextSpan
  /// Of an integer; saturated where ``isTooLarge``.
  var value: Int64 = 0
  /// Whether an integer does not fit 64 bits.
  var isTooLarge = false
  /// Whether an integer is written as it is printed: in decimal digits, without a 0 before them.
  var isPlain = false
}
