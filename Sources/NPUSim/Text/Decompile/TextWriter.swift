/// Makes a tree of statements from nodes of a program, for the formatter to print.
struct TextWriter {
  let program: Program
  private let options: ProgramText.Options
  var tree = TextTree()
  /// Passes of the loops that are open, outermost first, with the names of their variables.
  private(set) var loops: [(name: UInt32, first: Int)] = []
  /// Tables of values, to be declared at a place among the statements.
  private var tables: [TextStatement] = []
  private var tableNames: [[Int]: UInt32] = [:]
  private var tablePlace = 0
  /// Whether the outermost of ``loops`` are cores.
  private var isInCores = false
  /// Variables of loops, by depth: names that no index list has.
  private let variables: [String]
  /// The names of index lists: no table has one of them.
  private let listNames: [String]
  /// The names that buffers of several memories have.
  let sharedNames: Set<String>
  let origins: OpOrigins?

  init(_ program: Program, _ options: ProgramText.Options) {
    self.program = program
    self.options = options
    origins = options.origins
    let listNames = program.indexLists.indices.map(program.listName)
    self.listNames = listNames
    let memories = Dictionary(grouping: program.buffers, by: \.name)
    sharedNames = Set(memories.filter { Set($0.value.map(\.space)).count > 1 }.keys)
    variables = ["i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"].filter {
      !listNames.contains($0)
    }
    for line in options.comments { comment(line) }
    if !options.comments.isEmpty { blank() }
    guard let order = options.order else { return }
    setting(.synchronisation, "auto")
    if order == .found { setting(.order, order.name) }
    blank()
  }

  private mutating func setting(_ kind: TextStatement.Kind, _ word: String) {
    tree.statements.append(
      TextStatement(kind: kind, span: .none, name: tree.names.id(word)))
  }

  /// The text.
  mutating func text() -> [UInt8] {
    tree.statements.insert(contentsOf: tables, at: tablePlace)
    tree.lines = tree.statements.indices.map { TextLine(statement: Int32($0)) }
    return TextFormatter.print(tree)
  }

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
    let plain =
      buffer.slots == 1
      ? [buffer.rows, buffer.columns] : [buffer.slots, buffer.rows, buffer.columns]
    let form = options.forms[buffer.name]
    let shape = form?.shape ?? plain
    let isDirect =
      shape.count >= 2 && Array(shape.suffix(2)) == [buffer.rows, buffer.columns]
      && shape.dropLast(2).reduce(1, *) == buffer.slots
    var statement = declaration(kind, buffer, isDirect ? shape : plain)
    let first = tree.attributes.count
    blocks(buffer)
    if !isDirect, shape.reduce(1, *) == plain.reduce(1, *) {
      tree.attributes.append(
        TextAttribute(
          name: tree.names.id("shape"), nameSpan: .none, value: .none, list: list(shape)))
    }
    if let aliases = form?.aliases, !aliases.isEmpty {
      let names = aliases.map {
        TextNumber(
          node: add(TextExpression(kind: .name, name: tree.names.id($0), span: .none)))
      }
      tree.attributes.append(
        TextAttribute(
          name: tree.names.id("aliases"), nameSpan: .none, value: .none,
          list: slice(of: names)))
    }
    statement.attributes = slice(first, tree.attributes.count)
    tree.statements.append(statement)
  }

  private mutating func declaration(
    _ kind: TextStatement.Kind, _ buffer: Buffer, _ dimensions: [Int]
  ) -> TextStatement {
    var statement = TextStatement(kind: kind, span: .none)
    statement.name = tree.names.id(buffer.name)
    var details = TextDeclaration()
    details.format = tree.names.id(buffer.format.name)
    details.space = tree.names.id(buffer.space.name)
    details.dimensions = list(dimensions)
    tree.declare(details, by: &statement)
    return statement
  }

  private mutating func blocks(_ buffer: Buffer) {
    guard buffer.axis == .alongRows else { return }
    let value = add(TextExpression(kind: .name, name: tree.names.id("rows"), span: .none))
    attribute("blocks", value)
  }

  private mutating func buffer(_ node: RollNode, _ view: RollView) {
    guard let leaf = view.pool.sample(node.turns) else { return }
    let buffer = program.buffers[Int(leaf.payload)]
    var statement = declaration(.buffer, buffer, [buffer.rows, buffer.columns])
    let first = tree.attributes.count
    if buffer.slots != 1 { attribute("slots", number(buffer.slots)) }
    blocks(buffer)
    if let address = view.forms(node, view.isOpen).first { attribute("at", expression(address)) }
    statement.attributes = slice(first, tree.attributes.count)
    tree.statements.append(statement)
  }

  /// The name of a table of values, declared once however often it is used.
  mutating func table(_ values: [Int]) -> UInt32 {
    if let known = tableNames[values] { return known }
    var statement = TextStatement(kind: .table, span: .none)
    var name = "table\(tables.count)"
    while listNames.contains(name) { name += "_" }
    statement.name = tree.names.id(name)
    var details = TextDeclaration()
    details.values = list(values)
    details.hasValues = true
    tree.declare(details, by: &statement)
    tables.append(statement)
    tableNames[values] = statement.name
    return statement.name
  }

  mutating func declareLists() {
    defer { tablePlace = tree.statements.count }
    for (index, values) in program.indexLists.enumerated() {
      var statement = TextStatement(kind: .index, span: .none)
      statement.name = listName(UInt32(index + 1))
      var details = TextDeclaration()
      details.format = tree.names.id("i32")
      details.dimensions = list(program.indexTensor(ofList: index)?.shape ?? [values.count])
      details.values = list(values.map(Int.init))
      details.hasValues = true
      tree.declare(details, by: &statement)
      tree.statements.append(statement)
    }
  }

  mutating func listName(_ list: UInt32) -> UInt32 {
    tree.names.id(listNames[Int(list) - 1])
  }

  // MARK: Blocks

  /// Writes a list of nodes; those that are not there in all turns stand in branches.
  mutating func write(_ nodes: [RollNode], _ view: RollView) {
    var wasBuffer = false
    for group in view.groups(nodes) {
      if group.isThere == view.isOpen {
        for node in group.nodes {
          let isBuffer = view.pool.sample(node.turns)?.kind == .buffer
          if wasBuffer && !isBuffer { blank() }
          wasBuffer = isBuffer
          write(node, view)
        }
        continue
      }
      if wasBuffer { blank() }
      wasBuffer = false
      let inner = view.entering(group.isThere)
      if group.isLine {
        for node in group.nodes {
          branch(view, group)
          write(node, inner)
          end(isInline: true)
        }
        continue
      }
      if group.isElse {
        // What the branch before does not take: its end becomes an .else.
        tree.statements[tree.statements.count - 1] = TextStatement(kind: .otherwise, span: .none)
      } else {
        branch(view, group)
      }
      for node in group.nodes { write(node, inner) }
      end(isInline: false)
    }
  }

  private mutating func branch(_ view: RollView, _ group: RollView.Group) {
    var statement = TextStatement(kind: .branch, span: .none)
    statement.first = TextNumber(
      node: condition(view.fit.condition(group.isThere, within: view.isOpen)))
    statement.isInline = group.isLine
    tree.statements.append(statement)
  }

  private mutating func end(isInline: Bool) {
    var statement = TextStatement(kind: .end, span: .none)
    statement.isInline = isInline
    tree.statements.append(statement)
  }

  /// Writes a node that is there wherever the view is open.
  private mutating func write(_ node: RollNode, _ view: RollView) {
    switch node.kind {
    case .leaf:
      switch view.pool.sample(node.turns)?.kind {
      case .tap: tap(node, view)
      case .buffer: buffer(node, view)
      default: operation(node, view)
      }
    case .scope: scope(node, view)
    case .loop:
      var statement = TextStatement(kind: .loop, span: .none)
      // The variable of a range of cores has its own name.
      let depth = loops.count - (isInCores ? 1 : 0)
      statement.name = tree.names.id(
        depth < variables.count ? variables[depth] : loopName(depth))
      statement.first = operand(0)
      statement.last = operand(node.count)
      statement.isInline = node.isLine
      loops.append((statement.name, 0))
      block(statement, node.children, view.entering(node.count, view.isOpen))
      loops.removeLast()
    case .core:
      guard let leaf = view.pool.sample(node.turns) else { return }
      var statement = TextStatement(kind: .core, span: .none)
      let first = Int(leaf.payload)
      statement.first = operand(first)
      guard node.count > 1 else { return block(statement, node.children, view) }
      statement.last = operand(first + node.count)
      isInCores = true
      loops.append((tree.names.id("core"), first))
      block(statement, node.children, view.entering(node.count, view.isOpen))
      loops.removeLast()
      isInCores = false
    }
  }

  /// The variable of a loop that is nested deep.
  private func loopName(_ depth: Int) -> String {
    var name = "i\(depth)"
    while listNames.contains(name) { name += "_" }
    return name
  }

  private mutating func block(_ statement: TextStatement, _ body: [RollNode], _ view: RollView) {
    tree.statements.append(statement)
    write(body, view)
    end(isInline: statement.isInline)
  }

  /// Scopes that hold nothing but one scope share a line.
  private mutating func scope(_ node: RollNode, _ view: RollView) {
    var statement = TextStatement(kind: .scope, span: .none)
    let first = tree.operands.count
    var current = node
    while let leaf = view.pool.sample(current.turns) {
      var label = TextOperand(kind: .tile, span: .none)
      label.name = tree.names.id(program.scopeLabels[Int(leaf.payload)])
      if let iteration = view.forms(current, view.isOpen).first {
        label.slot = operand(iteration)
      }
      tree.operands.append(label)
      guard current.children.count == 1, current.children[0].kind == .scope,
        view.presence(current.children[0]) == view.isOpen
      else { break }
      current = current.children[0]
    }
    statement.operands = slice(first, tree.operands.count)
    block(statement, current.children, view)
  }

  mutating func attribute(_ name: String, _ value: Int32) {
    tree.attributes.append(
      TextAttribute(name: tree.names.id(name), nameSpan: .none, value: TextNumber(node: value)))
  }

  func slice(_ first: Int, _ end: Int) -> TextSlice {
    TextSlice(first: Int32(first), count: Int32(end - first))
  }

  mutating func list(_ values: [Int]) -> TextSlice {
    slice(of: values.map { operand($0) })
  }

  private mutating func slice(of roots: [TextNumber]) -> TextSlice {
    let slice = TextSlice(first: Int32(tree.lists.count), count: Int32(roots.count))
    tree.lists += roots
    return slice
  }
}
