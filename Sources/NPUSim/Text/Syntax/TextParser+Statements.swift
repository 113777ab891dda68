extension TextParser {
  // MARK: Declarations

  mutating func parameter(_ statement: inout TextStatement) {
    (statement.name, statement.nameSpan) = name("a name")
    expect(.assign, "'=' and a value")
    statement.first = expression()
  }

  /// `.input NAME FORMAT [dimensions] {attributes}`
  mutating func tensor(_ statement: inout TextStatement) {
    var details = TextDeclaration()
    defer { tree.declare(details, by: &statement) }
    (statement.name, statement.nameSpan) = name("the name of the tensor")
    (details.format, details.formatSpan) = name("a format, such as bf16")
    details.dimensions = dimensions()
    statement.attributes = attributes()
  }

  /// `.buf NAME MEMORY FORMAT [rows, columns] {attributes}`
  mutating func buffer(_ statement: inout TextStatement) {
    var details = TextDeclaration()
    defer { tree.declare(details, by: &statement) }
    (statement.name, statement.nameSpan) = name("the name of the buffer")
    (details.space, details.spaceSpan) = name("a memory, such as ub")
    (details.format, details.formatSpan) = name("a format, such as bf16")
    details.dimensions = dimensions()
    statement.attributes = attributes()
  }

  /// `.index NAME i32 [count] = [values]`; the values may be left out.
  mutating func indexList(_ statement: inout TextStatement) {
    var details = TextDeclaration()
    defer { tree.declare(details, by: &statement) }
    (statement.name, statement.nameSpan) = name("the name of the index list")
    (details.format, details.formatSpan) = name("i32")
    details.dimensions = dimensions()
    guard take(.assign) else { return }
    details.hasValues = true
    details.values = list(allowsLines: true)
  }

  /// `.table NAME = [values]`, or digits in quotes.
  mutating func table(_ statement: inout TextStatement) {
    var details = TextDeclaration()
    defer { tree.declare(details, by: &statement) }
    (statement.name, statement.nameSpan) = name("the name of the table")
    expect(.assign, "'=' and values")
    details.hasValues = true
    guard !hasFailed, token.kind != .string else {
      var roots: [TextNumber] = []
      digits(&roots)
      details.values = slice(roots)
      return
    }
    details.values = list(allowsLines: true, allowsDigits: true)
  }

  /// Takes a string whose characters are one value each: digits, and letters for those from 10 on.
  private mutating func digits(_ roots: inout [TextNumber]) {
    let span = token.span
    guard !hasFailed, token.kind == .string else { return }
    advance()
    for place in (span.start + 1)..<(span.end - 1) {
      let byte = source.bytes[Int(place)]
      let value: Int
      switch byte {
      case 0x30...0x39: value = Int(byte) - 0x30
      case 0x61...0x7A: value = Int(byte) - 0x57
      default:
        errors.add(
          "found '\(source.text(span))', needed digits and small letters", at: span,
          hint: "each character is one value: 0 to 9, and a for 10 to z for 35")
        hasFailed = true
        return
      }
      roots.append(TextNumber(literal: value))
    }
  }

  private mutating func slice(_ roots: [TextNumber]) -> TextSlice {
    let slice = TextSlice(first: Int32(tree.lists.count), count: Int32(roots.count))
    tree.lists += roots
    return slice
  }

  private mutating func dimensions() -> TextSlice {
    guard token.kind == .leftBracket else {
      fail(needed: "the dimensions in brackets")
      return TextSlice()
    }
    return list(allowsLines: false)
  }

  /// Expressions in brackets, with commas between them.
  mutating func list(allowsLines: Bool, allowsDigits: Bool = false) -> TextSlice {
    expect(.leftBracket, "'['")
    // Inner lists would come in between: none exist, as elements hold no lists.
    var roots: [TextNumber] = []
    func skipLines(_ parser: inout TextParser) {
      while allowsLines && parser.token.kind == .newline { parser.advance() }
      if allowsLines && parser.token.kind == .comment {
        parser.fail(needed: "a value: no comment can stand inside a list")
      }
    }
    skipLines(&self)
    while !hasFailed && token.kind != .rightBracket {
      if allowsDigits && token.kind == .string {
        digits(&roots)
      } else {
        roots.append(number())
      }
      skipLines(&self)
      if token.kind == .rightBracket { break }
      expect(.comma, "',' or ']'")
      skipLines(&self)
    }
    if !hasFailed { expect(.rightBracket, "']'") }
    return slice(roots)
  }

  /// `{name=value, name=[values]}`, or nothing.
  mutating func attributes() -> TextSlice {
    let first = tree.attributes.count
    if !hasFailed, take(.leftBrace) {
      while !hasFailed && token.kind != .rightBrace {
        let (id, span) = name("the name of an attribute")
        expect(.assign, "'=' and a value")
        var attribute = TextAttribute(name: id, nameSpan: span, value: .none)
        if token.kind == .leftBracket {
          attribute.list = list(allowsLines: false)
        } else {
          attribute.value = expression(allowsWord: true)
        }
        tree.attributes.append(attribute)
        if token.kind == .rightBrace { break }
        expect(.comma, "',' or '}'")
      }
      if !hasFailed { expect(.rightBrace, "'}'") }
    }
    return TextSlice(first: Int32(first), count: Int32(tree.attributes.count - first))
  }

  // MARK: Blocks

  mutating func core(_ statement: inout TextStatement) {
    statement.first = expression()
    if take(.range) { statement.last = expression() }
  }

  /// `.loop NAME first..<end step n`
  mutating func loop(_ statement: inout TextStatement) {
    (statement.name, statement.nameSpan) = name("the name of the loop's variable", Self.loopHint)
    if token.kind == .assign { fail(needed: "the first value", hint: Self.loopHint) }
    statement.first = expression()
    expect(.range, "'..<' and the end of the loop", hint: Self.loopHint)
    statement.last = expression()
    guard token.kind == .name, lexer.spells("step", token.span) else { return }
    advance()
    statement.step = expression()
  }

  private static let loopHint = "write .loop i 0..<4, or .loop i 0..<64 step 16"

  /// `.scope label[i]/label`
  mutating func scope(_ statement: inout TextStatement) {
    let first = tree.operands.count
    repeat {
      var label = TextOperand(kind: .tile, span: token.span)
      (label.name, label.nameSpan) = name("a label")
      if take(.leftBracket) {
        label.slot = expression()
        expect(.rightBracket, "']'")
      }
      label.span = TextSpan(start: label.span.start, end: lastEnd)
      tree.operands.append(label)
    } while !hasFailed && take(.slash)
    statement.operands = TextSlice(
      first: Int32(first), count: Int32(tree.operands.count - first))
  }

  /// Reports an `.end` without a block, unless a line that could not be read may have opened it.
  mutating func surplusEnd(_ statement: TextStatement) {
    if unread > 0 {
      unread -= 1
      return
    }
    // A ring's block under another name is read as a micro-op.
    let opener = tree.statements.last {
      $0.kind == .operation
        && DidYouMean.suggest(tree.names[$0.name], among: ["produce", "consume"]) != nil
    }
    guard let opener else {
      return errors.add(
        "found .end without a block", at: statement.span,
        hint: "remove it, or open a block before it")
    }
    let word = tree.names[opener.name]
    errors.add(
      "there is no micro-op '\(word)'", at: opener.nameSpan,
      hint: DidYouMean.hint(for: word, among: ["produce", "consume"]))
  }

  // MARK: Micro-ops

  /// `MNEMONIC destinations <- sources {attributes}`; or `produce NAME`, `consume NAME`.
  mutating func operation() {
    let span = token.span
    guard token.kind == .name else {
      return fail(
        needed: "a micro-op or a directive",
        hint: token.kind == .rightBrace ? "blocks end with .end" : "a comment starts with ;")
    }
    let (id, nameSpan) = name("a micro-op")
    var statement = TextStatement(kind: .operation, span: span, name: id, nameSpan: nameSpan)
    if lexer.spells("produce", nameSpan) {
      statement.kind = .produce
    } else if lexer.spells("consume", nameSpan) {
      statement.kind = .consume
    } else if lexer.spells("tap", nameSpan) {
      statement.kind = .tap
    }
    if statement.kind == .produce || statement.kind == .consume {
      (statement.name, statement.nameSpan) = name("the name of a ring")
      return push(statement)
    }
    let first = tree.operands.count
    if token.kind == .leftParenthesis, token.span.start == nameSpan.end, statement.kind != .tap {
      statement.kind = .call
      advance()
      statement.operands = arguments { parser in
        TextOperand(kind: .value, span: parser.token.span, slot: parser.number())
      }
      return tree.append(statement)
    }
    let isOpaque = statement.kind == .operation && lexer.spells("op", nameSpan)
    if isOpaque { opaque(&statement) }
    if startsCoreEvent(nameSpan) {
      coreEvent(&statement)
    } else if !endsOperands {
      if !isOpaque || token.kind != .from { operands() }
      let before = tree.operands.count - first
      if !hasFailed, take(.from) {
        statement.destinations = Int16(clamping: before)
        if endsOperands { fail(needed: "a source") } else { operands() }
      }
    }
    statement.operands = TextSlice(
      first: Int32(first), count: Int32(tree.operands.count - first))
    statement.attributes = attributes()
    statement.waits = events("wait")
    statement.sets = events("set")
    if !hasFailed, take(.at) { origin(&statement) }
    tree.append(statement)
  }

  /// `FILE:LINE`, behind an `@` at the end of a micro-op.
  private mutating func origin(_ statement: inout TextStatement) {
    let (file, span) = name("the name of a file", "write @ add.cpp:31")
    expect(.colon, "':' and a line", hint: "write @ add.cpp:31")
    guard !hasFailed else { return }
    guard token.kind == .integer, !token.isTooLarge, token.value > 0,
      let line = Int32(exactly: token.value)
    else { return fail(needed: "a line from 1 on", hint: "write @ add.cpp:31") }
    advance()
    if statement.kind == .tap { return errors.add("a tap has no place of its own", at: span) }
    tree.place(TextOrigin(file: file, line: line), of: &statement)
  }

  /// `wait QUEUE:ID if CONDITION, …`, or the same with `set`.
  private mutating func events(_ word: StaticString) -> TextSlice {
    let first = tree.operands.count
    guard !hasFailed, token.kind == .name, lexer.spells(word, token.span) else {
      return TextSlice()
    }
    advance()
    repeat {
      var event = TextOperand(kind: .event, span: token.span)
      (event.name, event.nameSpan) = name("the other queue of an event")
      expect(.colon, "':' and the ID of the event", hint: "write \(word) load:0")
      event.slot = number()
      if !hasFailed, token.kind == .name, lexer.spells("if", token.span) {
        advance()
        event.row = number()
      }
      event.span = TextSpan(start: event.span.start, end: max(event.span.end, lastEnd))
      tree.operands.append(event)
    } while !hasFailed && take(.comma)
    return TextSlice(first: Int32(first), count: Int32(tree.operands.count - first))
  }

  private var endsOperands: Bool {
    switch token.kind {
    case .newline, .comment, .end, .leftBrace, .at: true
    default: false
    }
  }

  private mutating func operands() {
    repeat {
      tree.operands.append(operand())
    } while !hasFailed && take(.comma)
  }

  mutating func operand() -> TextOperand {
    var operand = TextOperand(kind: .tile, span: token.span)
    if token.kind == .name || token.kind == .string {
      (operand.name, operand.nameSpan) = name("an operand")
      if take(.to) {
        operand.kind = .event
        (operand.other, operand.otherSpan) = name("the queue that waits")
        expect(.colon, "':' and the ID of the event", hint: "write load->vector:0")
        operand.slot = number()
      } else {
        if take(.colon) {
          operand.memory = operand.name
          (operand.name, operand.nameSpan) = name(
            "a buffer of that memory", "an event names both queues, such as load->vector:0")
        }
        brackets(&operand)
      }
    } else {
      if token.kind == .invalid { fail(needed: "an operand") }
      operand.kind = .value
      operand.slot = number()
    }
    operand.span = TextSpan(start: operand.span.start, end: max(operand.span.end, lastEnd))
    return operand
  }

  /// `[slot]`, `[rows, columns]`, or both.
  private mutating func brackets(_ operand: inout TextOperand) {
    while !hasFailed && !operand.hasRegion && token.kind == .leftBracket {
      let bracket = token.span
      advance()
      let hadSlot = operand.slot.isThere
      let isWhole = axis(&operand)
      if take(.comma) {
        operand.hasRegion = true
        columns(&operand)
      } else if operand.rows.isThere || operand.hasList || isWhole {
        fail(
          needed: "',' and the columns", hint: "write [\(isWhole ? ":" : "…"), :] for all columns")
      } else if hadSlot, !hasFailed {
        errors.add(
          "found two slots, needed rows and columns in the second brackets", at: bracket,
          hint: "write name[slot][row +: rows, column +: columns]")
        hasFailed = true
      } else {
        operand.slot = operand.row
        operand.row = .none
      }
      let isRange = token.kind == .colon || token.kind == .range
      expect(
        .rightBracket, operand.hasRegion ? "']'" : "',' or ']'",
        hint: isRange ? "rows and columns are written first +: count" : nil)
    }
  }

  /// `:`, `first +: count`, `list @ first +: count`, or a slot, which is left in `row`. Returns whether
  /// it is `:`.
  private mutating func axis(_ operand: inout TextOperand) -> Bool {
    if take(.colon) { return true }
    if token.kind == .name || token.kind == .string {
      // A list's name is known by the @ after it.
      var ahead = lexer
      if ahead.next().kind == .at {
        (operand.other, operand.otherSpan) = name("an index list")
        operand.hasList = true
        advance()
      }
    }
    operand.row = number()
    if take(.extent) {
      operand.rows = number()
    } else if operand.hasList || token.kind == .comma {
      fail(needed: "'+:' and a number of rows", hint: Self.extentHint)
    }
    return false
  }

  private mutating func columns(_ operand: inout TextOperand) {
    if take(.colon) { return }
    operand.column = number()
    if take(.extent) {
      operand.columns = number()
    } else {
      fail(needed: "'+:' and a number of columns", hint: Self.extentHint)
    }
  }

  private static let extentHint = "write first +: count, or : for all"
}
