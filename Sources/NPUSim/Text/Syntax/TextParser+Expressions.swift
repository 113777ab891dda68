extension TextParser {
  /// An expression; none after an error. With `allowsWord`, names with hyphens are words.
  mutating func expression(allowsWord: Bool = false) -> TextNumber {
    guard !hasFailed else { return .none }
    if allowsWord, token.kind == .name, let word = hyphenated() { return TextNumber(node: word) }
    return TextNumber(node: binary(above: 0, nesting: 0))
  }

  /// An expression, or a literal where nothing else stands there and nothing can be wrong with it.
  mutating func number() -> TextNumber {
    guard !hasFailed else { return .none }
    guard token.kind == .integer, token.isPlain, token.value <= Int64(TextNumber.largestLiteral)
    else { return TextNumber(node: binary(above: 0, nesting: 0)) }
    let first = token
    advance()
    guard operation(token.kind) != nil else { return TextNumber(literal: Int(first.value)) }
    return TextNumber(node: binary(integer(first), above: 0, nesting: 0))
  }

  /// Names joined by hyphens without a space, such as `half-split`.
  private mutating func hyphenated() -> Int32? {
    var end = Int(token.span.end)
    var hyphens = 0
    var ahead = lexer
    var next = ahead.next()
    while next.kind == .minus, Int(next.span.start) == end {
      next = ahead.next()
      guard next.kind == .name, Int(next.span.start) == end + 1 else { break }
      end = Int(next.span.end)
      hyphens += 1
      next = ahead.next()
    }
    guard hyphens > 0 else { return nil }
    let span = TextSpan(start: token.span.start, end: UInt32(end))
    for _ in 0..<(2 * hyphens + 1) { advance() }
    let id = tree.names.id(lexer.bytes(of: span))
    return add(TextExpression(kind: .word, name: id, span: span))
  }

  private mutating func add(_ node: TextExpression) -> Int32 {
    var node = node
    let left = node.left >= 0 ? tree.expressions[Int(node.left)].depth : 0
    let right = node.right >= 0 ? tree.expressions[Int(node.right)].depth : 0
    node.depth = max(left, right) + 1
    if Int(node.depth) > Self.depthLimit {
      if !hasFailed {
        errors.add(
          "found an expression of more than \(Self.depthLimit) levels", at: node.span,
          hint: "split it up with .param")
      }
      hasFailed = true
      return -1
    }
    tree.expressions.append(node)
    return Int32(tree.expressions.count - 1)
  }

  private func operation(_ kind: TextToken.Kind) -> TextExpression.Kind? {
    switch kind {
    case .or: .or
    case .and: .and
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessEqual: .lessEqual
    case .greater: .greater
    case .greaterEqual: .greaterEqual
    case .plus: .add
    case .minus: .subtract
    case .times: .multiply
    case .slash: .divide
    case .percent: .remainder
    default: nil
    }
  }

  private mutating func binary(above least: Int, nesting: Int) -> Int32 {
    let first = unary(nesting)
    return binary(first, above: least, nesting: nesting)
  }

  /// What follows the first operand.
  private mutating func binary(_ first: Int32, above least: Int, nesting: Int) -> Int32 {
    var left = first
    while left >= 0, let kind = operation(token.kind) {
      var node = TextExpression(kind: kind, left: left, span: .none)
      guard node.precedence > least else { break }
      advance()
      node.right = binary(above: node.precedence, nesting: nesting)
      guard node.right >= 0 else { return -1 }
      node.span = span(left).joined(span(node.right))
      left = add(node)
    }
    return left
  }

  private func span(_ node: Int32) -> TextSpan { tree.expressions[Int(node)].span }

  private mutating func unary(_ nesting: Int) -> Int32 {
    let start = token.span
    guard nesting < Self.depthLimit else {
      fail(needed: "at most \(Self.depthLimit) levels of parentheses")
      return -1
    }
    guard token.kind == .minus || token.kind == .not else { return primary(nesting) }
    let kind: TextExpression.Kind = token.kind == .minus ? .negate : .not
    advance()
    let inner = unary(nesting + 1)
    guard inner >= 0 else { return -1 }
    return add(TextExpression(kind: kind, left: inner, span: start.joined(span(inner))))
  }

  private mutating func primary(_ nesting: Int) -> Int32 {
    let span = token.span
    switch token.kind {
    case .integer:
      if token.isTooLarge {
        if !hasFailed {
          errors.add(
            "found a number that does not fit 64 bits", at: span, hint: "use a smaller one")
        }
        hasFailed = true
      }
      let found = token
      advance()
      return integer(found)
    case .real:
      advance()
      let id = tree.names.id(lexer.bytes(of: span))
      return add(TextExpression(kind: .real, name: id, span: span))
    case .name, .string: return named(nesting)
    case .leftParenthesis:
      advance()
      let inner = binary(above: 0, nesting: nesting + 1)
      if inner >= 0 { expect(.rightParenthesis, "')' or an operator") }
      return hasFailed ? -1 : inner
    default:
      fail(needed: "a number, a name or '('")
      return -1
    }
  }

  /// An argument of a function and what follows it: a comma where another one is needed, otherwise the
  /// parenthesis that closes.
  private mutating func argument(_ nesting: Int, _ neededNext: String?) -> Int32 {
    guard !hasFailed else { return -1 }
    let value = binary(above: 0, nesting: nesting + 1)
    if value >= 0 {
      if let neededNext {
        expect(.comma, neededNext)
      } else {
        expect(.rightParenthesis, "')' or an operator")
      }
    }
    return hasFailed ? -1 : value
  }

  private mutating func integer(_ token: TextToken) -> Int32 {
    var node = TextExpression(kind: .integer, value: token.value, span: token.span)
    if !token.isPlain { node.name = tree.names.id(lexer.bytes(of: token.span)) + 1 }
    return add(node)
  }

  /// A name, an element of a list, or a call.
  private mutating func named(_ nesting: Int) -> Int32 {
    let (id, span) = name("a name")
    if token.kind == .leftParenthesis {
      let text = tree.names[id]
      guard let function = TextExpression.functions.first(where: { $0.name == text }) else {
        if !hasFailed {
          let known = TextExpression.functions.map(\.name)
          errors.add(
            "there is no function '\(text)'", at: span,
            hint: DidYouMean.hint(for: text, among: known))
        }
        hasFailed = true
        return -1
      }
      advance()
      let isConditional = function.kind == .conditional
      let left = argument(nesting, isConditional ? "',' and a value" : "',' and a second value")
      var right = argument(nesting, isConditional ? "',' and the other value" : nil)
      if isConditional {
        let other = argument(nesting, nil)
        guard !hasFailed else { return -1 }
        right = add(
          TextExpression(
            kind: .either, left: right, right: other,
            span: self.span(right).joined(self.span(other))))
      }
      guard !hasFailed else { return -1 }
      return add(
        TextExpression(
          kind: function.kind, left: left, right: right,
          span: TextSpan(start: span.start, end: lastEnd)))
    }
    if take(.leftBracket) {
      let index = binary(above: 0, nesting: nesting + 1)
      if index >= 0 { expect(.rightBracket, "']' or an operator") }
      guard !hasFailed else { return -1 }
      return add(
        TextExpression(
          kind: .element, left: index, name: id, span: TextSpan(start: span.start, end: lastEnd)))
    }
    return add(TextExpression(kind: .name, name: id, span: span))
  }
}
