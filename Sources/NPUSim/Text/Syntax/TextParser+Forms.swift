extension TextParser {
  /// Whether `set core` or `wait core` stands here, and no event of a queue.
  func startsCoreEvent(_ name: TextSpan) -> Bool {
    guard lexer.spells("set", name) || lexer.spells("wait", name), token.kind == .name,
      lexer.spells("core", token.span)
    else { return false }
    var ahead = lexer
    return ahead.next().kind != .to
  }

  /// `set core C QUEUE->QUEUE:ID`, or the same with `wait`: the core and the event are operands.
  mutating func coreEvent(_ statement: inout TextStatement) {
    let isSet = lexer.spells("set", statement.nameSpan)
    statement.name = tree.names.id(isSet ? "set_core" : "wait_core")
    advance()
    var core = TextOperand(kind: .value, span: token.span)
    core.slot = number()
    core.span = TextSpan(start: core.span.start, end: max(core.span.end, lastEnd))
    tree.operands.append(core)
    if !hasFailed { tree.operands.append(operand()) }
  }

  /// `op QUEUE NAME`, before the operands.
  mutating func opaque(_ statement: inout TextStatement) {
    var details = TextDeclaration()
    let hint = "write op vector NAME results <- sources {cycles=1}"
    (details.space, details.spaceSpan) = name("a queue", hint)
    if !hasFailed { (details.format, details.formatSpan) = name("a name of its own", hint) }
    tree.declare(details, by: &statement)
  }
}
