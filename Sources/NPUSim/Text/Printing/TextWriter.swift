/// Makes a tree of statements from nodes of a program, for the formatter to print.
struct TextWriter {
  private let program: Program
  private let options: ProgramText.Options
  var tree = TextTree()
  /// Passes of the loops that are open, outermost first, with the names of their variables.
  private(set) var loops: [(name: UInt32, first: Int)] = []
  /// Whether the outermost of ``loops`` are cores.
  private var isInCores = false
  /// Variables of loops, by depth.
  private let variables = ["i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"]

  init(_ program: Program, _ options: ProgramText.Options) {
    self.program = program
    self.options = options
    for line in options.comments { comment(line) }
    if !options.comments.isEmpty { blank() }
  }

  /// The text.
  func text() -> [UInt8] { TextFormatter.print(tree) }

  private mutating func comment(_ text: String) {
    tree.comments.append(Array((" " + text).utf8))
    var statement = TextStatement(kind: .comment, span: .none)
    statement.comment = UInt32(tree.comments.count)
    tree.statements.append(statement)
  }

  mutating func blank() {
    if let last = tree.statements.last, last.kind != .blank {
      tree.statements.append(TextStatement(kind: .blank, span: .none))
    }
  }

  // MARK: Declarations

  mutating func tensor(_ index: Int) {
    let buffer = program.buffers[index]
    let kind: TextStatement.Kind =
      switch buffer.role {
      case .input: .input
      case .output: .output
      case .inputOutput: .update
      case .scratch: .tensor
      }
    declare(kind, buffer)
  }

  mutating func declareTaps() {
    for tensor in program.tapTensors { declare(.tapTensor, tensor) }
  }

  /// A tensor with its leading dimensions flattened, and its shape in files where that is another.
  private mutating func declare(_ kind: TextStatement.Kind, _ buffer: Buffer) {
    var statement = declaration(kind, buffer)
    let plain =
      buffer.slots == 1
      ? [buffer.rows, buffer.columns] : [buffer.slots, buffer.rows, buffer.columns]
    let shape = options.shapes[buffer.name] ?? plain
    let isDirect =
      shape.count >= 2 && Array(shape.suffix(2)) == [buffer.rows, buffer.columns]
      && shape.dropLast(2).reduce(1, *) == buffer.slots
    statement.dimensions = list(isDirect ? shape : plain)
    let first = tree.attributes.count
    blocks(buffer)
    if !isDirect, shape.reduce(1, *) == plain.reduce(1, *) {
      tree.attributes.append(
        TextAttribute(
          name: tree.names.id("shape"), nameSpan: .none, value: -1, list: list(shape)))
    }
    statement.attributes = slice(first, tree.attributes.count)
    tree.statements.append(statement)
  }

  private mutating func declaration(_ kind: TextStatement.Kind, _ buffer: Buffer) -> TextStatement {
    var statement = TextStatement(kind: kind, span: .none)
    statement.name = tree.names.id(buffer.name)
    statement.format = tree.names.id(buffer.format.name)
    statement.space = tree.names.id(buffer.space.name)
    return statement
  }

  private mutating func blocks(_ buffer: Buffer) {
    guard buffer.axis == .alongRows else { return }
    let value = add(TextExpression(kind: .name, name: tree.names.id("rows"), span: .none))
    attribute("blocks", value)
  }

  private mutating func buffer(_ node: RollNode) {
    let buffer = program.buffers[node.payload]
    var statement = declaration(.buffer, buffer)
    statement.dimensions = list([buffer.rows, buffer.columns])
    let first = tree.attributes.count
    if buffer.slots != 1 { attribute("slots", number(buffer.slots)) }
    blocks(buffer)
    if let address = node.components.first { attribute("at", expression(address)) }
    statement.attributes = slice(first, tree.attributes.count)
    tree.statements.append(statement)
  }

  mutating func declareLists() {
    for (index, values) in program.indexLists.enumerated() {
      var statement = TextStatement(kind: .index, span: .none)
      statement.name = listName(UInt32(index + 1))
      statement.format = tree.names.id("i32")
      statement.dimensions = list([values.count])
      statement.values = list(values.map(Int.init))
      statement.hasValues = true
      tree.statements.append(statement)
    }
  }

  private mutating func listName(_ list: UInt32) -> UInt32 { tree.names.id("list\(list - 1)") }

  // MARK: Blocks and micro-ops

  mutating func write(_ nodes: [RollNode]) {
    var wasBuffer = false
    var wasElse = false
    for (index, node) in nodes.enumerated() {
      if wasBuffer && node.kind != .buffer { blank() }
      wasBuffer = node.kind == .buffer
      wasElse = !wasElse && index > 0 && node.isOpposite(of: nodes[index - 1])
      if wasElse {
        // What the branch before does not take: its end becomes an .else.
        tree.statements[tree.statements.count - 1] = TextStatement(kind: .otherwise, span: .none)
        write(node.children)
        tree.statements.append(TextStatement(kind: .end, span: .none))
      } else {
        write(node)
      }
    }
  }

  private mutating func write(_ node: RollNode) {
    switch node.kind {
    case .operation: operation(node)
    case .tap: tap(node)
    case .buffer: buffer(node)
    case .scope: scope(node)
    case .loop:
      var statement = TextStatement(kind: .loop, span: .none)
      // The variable of a range of cores has its own name.
      let depth = loops.count - (isInCores ? 1 : 0)
      statement.name = tree.names.id(
        depth < variables.count ? variables[depth] : "i\(depth)")
      statement.first = number(0)
      statement.last = number(node.count)
      block(statement, node.children, loop: (statement.name, 0))
    case .branch:
      var statement = TextStatement(kind: .branch, span: .none)
      statement.first = condition(node)
      block(statement, node.children, loop: nil)
    case .core:
      var statement = TextStatement(kind: .core, span: .none)
      let first = node.components.first?.base ?? node.payload
      statement.first = number(first)
      if node.count > 1 { statement.last = number(first + node.count) }
      isInCores = node.count > 1
      defer { isInCores = false }
      // The block of one core is no pass of anything.
      block(
        statement, node.children,
        loop: node.count > 1 ? (tree.names.id("core"), first) : nil)
    }
  }

  private mutating func block(
    _ statement: TextStatement, _ body: [RollNode], loop: (name: UInt32, first: Int)?
  ) {
    tree.statements.append(statement)
    if let loop { loops.append(loop) }
    write(body)
    if loop != nil { loops.removeLast() }
    tree.statements.append(TextStatement(kind: .end, span: .none))
  }

  /// Scopes that hold nothing but one scope share a line.
  private mutating func scope(_ node: RollNode) {
    var statement = TextStatement(kind: .scope, span: .none)
    let first = tree.operands.count
    var current = node
    while true {
      var label = TextOperand(kind: .tile, span: .none)
      label.name = tree.names.id(program.scopeLabels[current.payload])
      if let iteration = current.components.first { label.slot = expression(iteration) }
      tree.operands.append(label)
      guard current.children.count == 1, current.children[0].kind == .scope else { break }
      current = current.children[0]
    }
    statement.operands = slice(first, tree.operands.count)
    block(statement, current.children, loop: nil)
  }

  private mutating func operation(_ node: RollNode) {
    let record = program.cores[node.core][node.payload]
    let entry = program.catalogue[record.opcode]
    let mnemonic = entry.mnemonic
    var statement = TextStatement(kind: .operation, span: .none)
    statement.name = tree.names.id(
      mnemonic.hasPrefix("sync.") ? String(mnemonic.dropFirst(5)) : mnemonic)
    var written: [TextOperand] = []
    var read: [TextOperand] = []
    var others: [(name: String, value: Int32)] = []
    var next = 0
    for (k, operand) in entry.operands.enumerated() where k < OpRecord.maximumOperands {
      let word = record.words[k]
      switch operand.kind {
      case .tile(_, let access):
        let operand = tile(program.tiles[Int(word)], node.components[next..<(next + 5)])
        next += 5
        if access.contains(.write) { written.append(operand) } else { read.append(operand) }
      case .scalar: others.append((operand.name, scalar(Float(bitPattern: word))))
      case .integer:
        others.append((operand.name, expression(node.components[next])))
        next += 1
      case .choice(let words):
        if words == Bool.choices {
          others.append((operand.name, flag(node.components[next], words)))
          next += 1
        } else {
          others.append((operand.name, choice(words, Int(word))))
        }
      case .event:
        written.append(event(Event(packed: word), node.components[next]))
        next += 1
      }
    }
    let hasTiles = entry.operands.contains { $0.tileAccess != nil }
    if !hasTiles {
      // Without tiles, operands stand in order.
      for other in others { written.append(value(other.value)) }
    }
    let first = tree.operands.count
    tree.operands += written
    if !read.isEmpty { statement.destinations = Int16(written.count) }
    tree.operands += read
    statement.operands = slice(first, tree.operands.count)
    let firstAttribute = tree.attributes.count
    if hasTiles { for other in others { attribute(other.name, other.value) } }
    statement.attributes = slice(firstAttribute, tree.attributes.count)
    tree.statements.append(statement)
  }

  private mutating func tap(_ node: RollNode) {
    let tap = program.taps[node.payload]
    let target = program.tapTensors[tap.tensor]
    var statement = TextStatement(kind: .tap, span: .none)
    statement.name = tree.names.id("tap")
    var operand = TextOperand(kind: .tile, span: .none)
    operand.name = tree.names.id(target.name)
    if target.slots > 1 { operand.slot = expression(node.components[0]) }
    operand.hasRegion = true
    operand.row = expression(node.components[1])
    operand.rows = expression(node.components[5])
    operand.column = expression(node.components[2])
    operand.columns = expression(node.components[7])
    let source = tile(tap.tile, node.components[3..<8])
    let first = tree.operands.count
    tree.operands += [operand, source]
    statement.destinations = 1
    statement.operands = slice(first, tree.operands.count)
    let name = program.buffers[Int(tap.tile.buffer)].name
    let namesakes = program.buffers.filter { $0.name == name }
    if Set(namesakes.map(\.space)).count > 1 {
      let firstAttribute = tree.attributes.count
      let word = tree.names.id(tap.tile.space.name)
      attribute("space", add(TextExpression(kind: .name, name: word, span: .none)))
      statement.attributes = slice(firstAttribute, tree.attributes.count)
    }
    tree.statements.append(statement)
  }

  // MARK: Operands

  private mutating func tile(_ tile: TileRef, _ numbers: ArraySlice<RollComponent>) -> TextOperand {
    let buffer = program.buffers[Int(tile.buffer)]
    let numbers = Array(numbers)
    var operand = TextOperand(kind: .tile, span: .none)
    operand.name = tree.names.id(buffer.name)
    if buffer.slots != 1 || !numbers[0].isConstant(0) { operand.slot = expression(numbers[0]) }
    let allRows =
      numbers[1].isConstant(0) && numbers[2].isConstant(buffer.rows) && tile.indexList == 0
    let allColumns = numbers[3].isConstant(0) && numbers[4].isConstant(buffer.columns)
    if allRows && allColumns { return operand }
    operand.hasRegion = true
    if tile.indexList > 0 {
      operand.hasList = true
      operand.list = listName(tile.indexList)
    }
    if !allRows {
      operand.row = expression(numbers[1])
      operand.rows = expression(numbers[2])
    }
    if !allColumns {
      operand.column = expression(numbers[3])
      operand.columns = expression(numbers[4])
    }
    return operand
  }

  private mutating func event(_ event: Event, _ id: RollComponent) -> TextOperand {
    var operand = TextOperand(kind: .event, span: .none)
    operand.name = tree.names.id(event.source.name)
    operand.target = tree.names.id(event.target.name)
    operand.slot = expression(id)
    return operand
  }

  private func value(_ node: Int32) -> TextOperand {
    var operand = TextOperand(kind: .value, span: .none)
    operand.slot = node
    return operand
  }

  private mutating func attribute(_ name: String, _ value: Int32) {
    tree.attributes.append(
      TextAttribute(name: tree.names.id(name), nameSpan: .none, value: value))
  }

  private func slice(_ first: Int, _ end: Int) -> TextSlice {
    TextSlice(first: Int32(first), count: Int32(end - first))
  }

  private mutating func list(_ values: [Int]) -> TextSlice {
    let roots = values.map { number($0) }
    let slice = TextSlice(first: Int32(tree.lists.count), count: Int32(roots.count))
    tree.lists += roots
    return slice
  }
}

extension RollComponent {
  /// Whether it has this value in every pass.
  func isConstant(_ value: Int) -> Bool {
    base == value && flagLevel == 0 && limit == 0 && steps.allSatisfy { $0 == 0 }
  }
}
