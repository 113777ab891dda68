extension TextParser {
  /// `.count NAME = VALUE` declares a counter, `.count NAME` and `.count NAME step N` move it on.
  mutating func counter(_ statement: inout TextStatement) {
    (statement.name, statement.nameSpan) = name("the name of a counter")
    if take(.assign) {
      statement.first = expression()
      return
    }
    statement.kind = .advance
    guard !hasFailed, token.kind == .name, lexer.spells("step", token.span) else { return }
    advance()
    statement.step = expression()
  }

  /// `.macro NAME(arguments)`
  mutating func macro(_ statement: inout TextStatement, isOutermost: Bool) {
    if !isOutermost {
      errors.add(
        "found .macro inside a block", at: statement.span,
        hint: "declare it at the outermost level, before its first use")
    }
    (statement.name, statement.nameSpan) = name("the name of the macro")
    expect(.leftParenthesis, "'(' and the arguments", hint: "write .macro name(a, b)")
    statement.operands = arguments { parser in
      var argument = TextOperand(kind: .tile, span: parser.token.span)
      (argument.name, argument.nameSpan) = parser.name("the name of an argument")
      return argument
    }
  }

  /// What stands between parentheses, with commas between; the first of them is taken already.
  mutating func arguments(_ argument: (inout TextParser) -> TextOperand) -> TextSlice {
    var found: [TextOperand] = []
    while !hasFailed && token.kind != .rightParenthesis {
      var next = argument(&self)
      next.span = TextSpan(start: next.span.start, end: max(next.span.end, lastEnd))
      found.append(next)
      if token.kind == .rightParenthesis { break }
      expect(.comma, "',' or ')'")
      if token.kind == .rightParenthesis { fail(needed: "an argument") }
    }
    expect(.rightParenthesis, "')'")
    let first = tree.operands.count
    tree.operands += found
    return TextSlice(first: Int32(first), count: Int32(found.count))
  }
}
