extension TextFormatter {
  mutating func number(_ number: TextNumber) {
    if let literal = number.literal {
      put(decimal: UInt64(literal))
    } else {
      expression(number.node)
    }
  }

  private mutating func put(decimal value: UInt64) {
    if value >= 10 { put(decimal: value / 10) }
    bytes.append(UInt8(truncatingIfNeeded: 0x30 + value % 10))
  }

  private mutating func expression(_ node: Int32) {
    guard node >= 0 else { return }
    let expression = tree.expressions[Int(node)]
    switch expression.kind {
    case .integer:
      if expression.name > 0 {
        bytes += tree.names.utf8(expression.name - 1)
      } else {
        if expression.value < 0 { put("-") }
        put(decimal: expression.value.magnitude)
      }
    case .real, .word: bytes += tree.names.utf8(expression.name)
    case .name: name(expression.name)
    case .element:
      name(expression.name)
      put("[")
      self.expression(expression.left)
      put("]")
    case .minimum, .maximum, .roundedUpQuotient:
      put(expression.sign)
      put("(")
      pair(expression)
      put(")")
    case .conditional:
      put("if(")
      pair(expression)
      put(")")
    case .either: pair(expression)
    case .negate, .not:
      put(expression.sign)
      self.expression(expression.left, inParentheses: precedence(expression.left) < 6)
    default:
      let own = expression.precedence
      self.expression(expression.left, inParentheses: precedence(expression.left) < own)
      put(" \(expression.sign) ")
      self.expression(expression.right, inParentheses: precedence(expression.right) <= own)
    }
  }

  private mutating func pair(_ expression: TextExpression) {
    self.expression(expression.left)
    put(", ")
    self.expression(expression.right)
  }

  private mutating func expression(_ node: Int32, inParentheses: Bool) {
    if inParentheses { put("(") }
    expression(node)
    if inParentheses { put(")") }
  }

  private func precedence(_ node: Int32) -> Int {
    node >= 0 ? tree.expressions[Int(node)].precedence : 7
  }
}
