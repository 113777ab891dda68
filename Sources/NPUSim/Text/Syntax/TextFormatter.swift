/// Prints a tree in its one canonical layout: two spaces a block, one between words, comments where
/// they were. Formatting what it printed changes nothing.
struct TextFormatter {
  /// Values of an index list on one line.
  private static let valuesPerLine = 16

  let tree: TextTree
  var bytes: [UInt8] = []
  private var depth = 0

  private init(_ tree: TextTree) { self.tree = tree }

  /// The text of a tree, ending with a line break unless it is empty.
  static func print(_ tree: TextTree) -> [UInt8] {
    var formatter = TextFormatter(tree)
    formatter.bytes.reserveCapacity(tree.lines.count * 48)
    formatter.run()
    return formatter.bytes
  }

  private mutating func run() {
    var isBlankDue = false
    var opens = true
    var isOnLine = false
    for place in tree.lines.indices {
      let statement = tree.statement(place)
      if statement.kind == .blank {
        isBlankDue = !opens
        continue
      }
      if statement.isInline && statement.kind == .end { continue }
      if statement.closesBlock { depth -= 1 }
      if isBlankDue && !statement.closesBlock { bytes.append(0x0A) }
      isBlankDue = false
      opens = statement.opensBlock
      if !isOnLine { for _ in 0..<max(0, depth) { put("  ") } }
      isOnLine = statement.isInline
      if isOnLine {
        self.statement(statement)
        put(": ")
        opens = false
        continue
      }
      line(statement)
      if statement.opensBlock { depth += 1 }
      bytes.append(0x0A)
    }
  }

  mutating func put(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

  // MARK: Statements

  private mutating func line(_ statement: TextStatement) {
    if statement.kind != .comment { self.statement(statement) }
    guard statement.comment > 0 else { return }
    if statement.kind != .comment { put("  ") }
    let text = tree.comments[Int(statement.comment) - 1]
    put(";")
    if let first = text.first, first != 0x20, first != 0x09, first != 0x3B { put(" ") }
    bytes += text
  }

  private mutating func statement(_ statement: TextStatement) {
    switch statement.kind {
    case .blank, .comment: break
    case .synchronisation: setting(".sync ", statement)
    case .order: setting(".order ", statement)
    case .parameter: value(".param ", statement)
    case .local: value(".let ", statement)
    case .counter: value(".count ", statement)
    case .advance:
      put(".count ")
      name(statement.name)
      step(statement)
    case .input: tensor(".input ", statement)
    case .output: tensor(".output ", statement)
    case .update: tensor(".update ", statement)
    case .tensor: tensor(".tensor ", statement)
    case .tapTensor: tensor(".tap ", statement)
    case .buffer: tensor(".buf ", statement)
    case .index: index(statement)
    case .table: table(statement)
    case .operation, .tap: operation(statement)
    case .core: range(".core ", statement)
    case .loop:
      put(".loop ")
      name(statement.name)
      range(" ", statement)
    case .scope: scope(statement)
    case .branch:
      put(".if ")
      number(statement.first)
    case .otherwise: put(".else")
    case .end: put(".end")
    case .produce, .consume:
      put(statement.kind == .produce ? "produce " : "consume ")
      name(statement.name)
    case .macro: arguments(".macro ", statement)
    case .call, .expansion: arguments("", statement)
    }
  }

  private mutating func setting(_ directive: StaticString, _ statement: TextStatement) {
    put(directive)
    name(statement.name)
  }

  private mutating func value(_ directive: StaticString, _ statement: TextStatement) {
    put(directive)
    name(statement.name)
    put(" = ")
    number(statement.first)
  }

  private mutating func step(_ statement: TextStatement) {
    guard statement.step.isThere else { return }
    put(" step ")
    number(statement.step)
  }

  /// `NAME(arguments)`
  private mutating func arguments(_ directive: StaticString, _ statement: TextStatement) {
    put(directive)
    name(statement.name)
    put("(")
    for (position, index) in statement.operands.range.enumerated() {
      if position > 0 { put(", ") }
      let argument = tree.operands[index]
      if argument.kind == .value { number(argument.slot) } else { name(argument.name) }
    }
    put(")")
  }

  private mutating func tensor(_ directive: StaticString, _ statement: TextStatement) {
    let details = tree.declaration(of: statement)
    put(directive)
    name(statement.name)
    put(" ")
    if statement.kind == .buffer {
      name(details.space)
      put(" ")
    }
    name(details.format)
    put(" ")
    list(details.dimensions)
    attributes(statement.attributes)
  }

  private mutating func index(_ statement: TextStatement) {
    let details = tree.declaration(of: statement)
    put(".index ")
    name(statement.name)
    put(" ")
    name(details.format)
    put(" ")
    list(details.dimensions)
    guard details.hasValues else { return }
    put(" = ")
    if details.values.count <= Self.valuesPerLine { return list(details.values) }
    values(details.values, perLine: Self.valuesPerLine)
  }

  private mutating func table(_ statement: TextStatement) {
    let details = tree.declaration(of: statement)
    put(".table ")
    name(statement.name)
    put(" = ")
    let values = details.values.range.map { plainValue(tree.lists[$0]) }
    let isShort = values.allSatisfy { $0 >= 0 && $0 < 36 }
    guard isShort, values.count > Self.valuesPerLine else {
      if details.values.count <= Self.valuesPerLine { return list(details.values) }
      return self.values(details.values, perLine: Self.valuesPerLine)
    }
    digits(values.map { UInt8(truncatingIfNeeded: $0) })
  }

  /// A whole number as it stands there; −1 for other expressions.
  private func plainValue(_ number: TextNumber) -> Int64 {
    if let literal = number.literal { return literal }
    guard number.isNode else { return -1 }
    let expression = tree.expressions[Int(number.node)]
    return expression.kind == .integer ? expression.value : -1
  }

  /// Digits of a table on one line.
  private static let digitsPerLine = 160

  /// Small values as digits in quotes, letters for those from 10 on.
  private mutating func digits(_ values: [UInt8]) {
    let isSplit = values.count > Self.digitsPerLine
    put(isSplit ? "[" : "\"")
    for (position, value) in values.enumerated() {
      if isSplit && position % Self.digitsPerLine == 0 {
        put(position > 0 ? "\",\n" : "\n")
        for _ in 0...max(0, depth) { put("  ") }
        put("\"")
      }
      bytes.append(value < 10 ? 0x30 + value : 0x57 + value)
    }
    put(isSplit ? "\"]" : "\"")
  }

  private mutating func values(_ values: TextSlice, perLine: Int) {
    put("[")
    for (position, entry) in values.range.enumerated() {
      if position % perLine == 0 {
        put("\n")
        for _ in 0...max(0, depth) { put("  ") }
      }
      number(tree.lists[entry])
      if position + 1 < Int(values.count) {
        put((position + 1) % perLine == 0 ? "," : ", ")
      }
    }
    put("]")
  }

  private mutating func range(_ directive: StaticString, _ statement: TextStatement) {
    put(directive)
    number(statement.first)
    if statement.last.isThere {
      put("..<")
      number(statement.last)
    }
    step(statement)
  }

  private mutating func scope(_ statement: TextStatement) {
    put(".scope ")
    for (position, index) in statement.operands.range.enumerated() {
      if position > 0 { put("/") }
      let label = tree.operands[index]
      name(label.name)
      guard label.slot.isThere else { continue }
      put("[")
      number(label.slot)
      put("]")
    }
  }

  private mutating func operation(_ statement: TextStatement) {
    let isSet = statement.name == tree.names.known("set_core")
    if statement.operands.count == 2, isSet || statement.name == tree.names.known("wait_core") {
      put(isSet ? "set core " : "wait core ")
      operand(tree.operands[Int(statement.operands.first)])
      put(" ")
      operand(tree.operands[Int(statement.operands.first) + 1])
      return origin(statement)
    }
    name(statement.name)
    if statement.declaration >= 0 {
      let details = tree.declaration(of: statement)
      for part in [details.space, details.format] {
        put(" ")
        name(part)
      }
    }
    for (position, index) in statement.operands.range.enumerated() {
      if position == Int(statement.destinations) {
        put(" <- ")
      } else {
        put(position == 0 ? " " : ", ")
      }
      operand(tree.operands[index])
    }
    attributes(statement.attributes)
    events(" wait ", statement.waits)
    events(" set ", statement.sets)
    origin(statement)
  }

  /// The place that a micro-op states.
  private mutating func origin(_ statement: TextStatement) {
    guard statement.origin >= 0 else { return }
    let origin = tree.origins[Int(statement.origin)]
    put(" @ ")
    name(origin.file)
    put(":")
    put("\(origin.line)")
  }

  private mutating func events(_ word: StaticString, _ slice: TextSlice) {
    for (position, index) in slice.range.enumerated() {
      if position == 0 { put(word) } else { put(", ") }
      let event = tree.operands[index]
      name(event.name)
      put(":")
      number(event.slot)
      guard event.row.isThere else { continue }
      put(" if ")
      number(event.row)
    }
  }

  // MARK: Parts

  private mutating func operand(_ operand: TextOperand) {
    switch operand.kind {
    case .value: number(operand.slot)
    case .event:
      name(operand.name)
      put("->")
      name(operand.other)
      put(":")
      number(operand.slot)
    case .tile:
      if operand.memory != TextOperand.noMemory {
        name(operand.memory)
        put(":")
      }
      name(operand.name)
      if operand.slot.isThere {
        put("[")
        number(operand.slot)
        put("]")
      }
      guard operand.hasRegion else { return }
      put("[")
      if operand.hasList {
        name(operand.other)
        put(" @ ")
      }
      extent(operand.row, operand.rows)
      put(", ")
      extent(operand.column, operand.columns)
      put("]")
    }
  }

  private mutating func extent(_ first: TextNumber, _ count: TextNumber) {
    guard first.isThere else { return put(":") }
    number(first)
    put(" +: ")
    number(count)
  }

  private mutating func attributes(_ slice: TextSlice) {
    guard !slice.isEmpty else { return }
    put(" {")
    for (position, index) in slice.range.enumerated() {
      if position > 0 { put(", ") }
      let attribute = tree.attributes[index]
      name(attribute.name)
      put("=")
      if attribute.value.isThere { number(attribute.value) } else { list(attribute.list) }
    }
    put("}")
  }

  private mutating func list(_ slice: TextSlice) {
    put("[")
    for (position, index) in slice.range.enumerated() {
      if position > 0 { put(", ") }
      number(tree.lists[index])
    }
    put("]")
  }

  /// A name, in quotes where it would not be read as one.
  mutating func name(_ id: UInt32) {
    let text = tree.names.utf8(id)
    if Self.isPlain(text) {
      bytes += text
      return
    }
    put("\"")
    for byte in text {
      if byte == 0x22 || byte == 0x5C { put("\\") }
      bytes.append(byte)
    }
    put("\"")
  }

  /// Letters, digits and `_`, not starting with a digit, with single dots between.
  static func isPlain(_ text: ArraySlice<UInt8>) -> Bool {
    var previous: UInt8 = 0x2E
    var isFirst = true
    for byte in text {
      let isDigit = byte >= 0x30 && byte <= 0x39
      let isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte == 0x5F
      guard isLetter || isDigit || byte == 0x2E else { return false }
      if isFirst && !isLetter || byte == 0x2E && previous == 0x2E { return false }
      previous = byte
      isFirst = false
    }
    return previous != 0x2E
  }
}
