/// Puts the bodies of macros in the place of their calls.
///
/// Each call becomes a block of its own: a copy of the body in which arguments that stand for names are
/// the names given, and the others are numbers of the block. A macro is known from its end on, so that
/// none can come to call itself.
struct TextMacroExpansion {
  /// Lines that a text may have once its calls are expanded.
  static let lineLimit = 1 << 18

  /// A macro that can be called.
  private struct Macro {
    var line: Int
    var arguments: [TextOperand] = []
    /// Arguments that its body takes the values of, and those that it takes as names.
    var values: Set<UInt32> = []
    var names: Set<UInt32> = []
    /// Whether something was wrong with it: its calls are passed over.
    var isBroken = false
  }

  /// What lines are copied for.
  private struct Frame {
    /// The names that arguments stand for.
    var names: [UInt32: UInt32] = [:]
    /// Whether they are those of a call.
    var isCall = false
    /// The copies of statements.
    var statements: [Int32: Int32] = [:]
  }

  private let source: TextSource
  private let tree: TextTree
  private var result: TextTree
  private var errors: TextErrors
  private var macros: [UInt32: Macro] = [:]
  /// Blocks that are open, by their lines in the result.
  private var open: [Int] = []
  private var isFull = false

  private init(_ source: TextSource, _ tree: TextTree) {
    self.source = source
    self.tree = tree
    errors = TextErrors(source)
    result = tree
    result.lines = []
    result.statements = []
  }

  /// The tree without macros and calls, or what is wrong with them.
  static func expand(_ source: TextSource, _ tree: TextTree) -> TextOutcome<TextTree> {
    guard tree.statements.contains(where: { $0.kind == .macro || $0.kind == .call }) else {
      return TextOutcome(tree, [])
    }
    var expansion = TextMacroExpansion(source, tree)
    expansion.run()
    return TextOutcome(expansion.result, expansion.errors.sorted)
  }

  private mutating func run() {
    var frame = Frame()
    var index = 0
    while index < tree.lines.count, !isFull, !errors.hasEnough {
      if tree.statement(index).kind == .macro {
        define(index)
        index = Int(tree.lines[index].partner) + 1
      } else {
        copy(index, &frame)
        index += 1
      }
    }
  }

  // MARK: Macros

  private mutating func define(_ index: Int) {
    let statement = tree.statement(index)
    let name = tree.names[statement.name]
    if let earlier = macros[statement.name] {
      let line = source.location(tree.span(earlier.line)).line
      return errors.add(
        "'\(name)' is already declared, by line \(line)", at: statement.nameSpan,
        hint: "rename one")
    }
    var macro = Macro(line: index, arguments: Array(tree.operands[statement.operands.range]))
    var uses = Uses(tree)
    // What is given to a macro that is not known, or not right, may be used there.
    var doubtful = Uses(tree)
    let known = errors.count
    for line in (index + 1)..<Int(tree.lines[index].partner) {
      let inner = tree.statement(line)
      uses.add(inner)
      guard inner.kind == .call else { continue }
      guard let callee = callee(inner, within: statement.name), !callee.isBroken else {
        for given in inner.operands.range {
          doubtful.add(tree.operands[given].slot, asName: false, asValue: true)
        }
        continue
      }
      for (argument, given) in zip(callee.arguments, inner.operands.range) {
        uses.add(
          tree.operands[given].slot, asName: callee.names.contains(argument.name),
          asValue: callee.values.contains(argument.name))
      }
    }
    for (place, argument) in macro.arguments.enumerated() {
      let text = tree.names[argument.name]
      if macro.arguments[..<place].contains(where: { $0.name == argument.name }) {
        errors.add(
          "argument '\(text)' is given twice", at: argument.nameSpan, hint: "rename one")
      }
      if uses.names.contains(argument.name) { macro.names.insert(argument.name) }
      if uses.values.contains(argument.name) { macro.values.insert(argument.name) }
      let isUsed = [uses.names, uses.values, doubtful.values].contains {
        $0.contains(argument.name)
      }
      if !isUsed {
        errors.add(
          "macro '\(name)' does not use its argument '\(text)'", at: argument.nameSpan,
          hint: "remove it, here and from the calls")
      }
    }
    macro.isBroken = errors.count > known
    macros[statement.name] = macro
  }

  /// The macro of a call, and as many arguments as it takes; `nil` after an error.
  private mutating func callee(_ call: TextStatement, within name: UInt32? = nil) -> Macro? {
    let text = tree.names[call.name]
    guard let macro = macros[call.name] else {
      let known = macros.keys.map { tree.names[$0] }
      let near = DidYouMean.suggest(text, among: known)
      let later = tree.lines.indices.first {
        tree.statement($0).kind == .macro && tree.statement($0).name == call.name
      }
      if call.name == name {
        errors.add(
          "macro '\(text)' calls itself", at: call.nameSpan, hint: "use a loop for what repeats")
      } else if let later {
        errors.add(
          "macro '\(text)' is declared further down, in line "
            + "\(source.location(tree.span(later)).line)", at: call.nameSpan,
          hint: "declare it before its first call; macros do not call each other in turns")
      } else {
        errors.add(
          "there is no macro '\(text)'", at: call.nameSpan,
          hint: near.map { "did you mean \($0)?" } ?? "write MNEMONIC destination <- sources")
      }
      return nil
    }
    guard macro.arguments.count == Int(call.operands.count) else {
      let needed = macro.arguments.map { tree.names[$0.name] }.joined(separator: ", ")
      errors.add(
        "\(text) takes \(macro.arguments.count) argument\(macro.arguments.count == 1 ? "" : "s"), "
          + "found \(call.operands.count)", at: call.span, hint: "write \(text)(\(needed))")
      return nil
    }
    return macro
  }

  // MARK: Copies

  private mutating func copy(_ index: Int, _ frame: inout Frame) {
    let line = tree.lines[index]
    let statement = tree.statement(index)
    switch statement.kind {
    case .blank, .comment: return
    case .call: return call(line, statement, frame)
    default: break
    }
    let number = frame.statements[line.statement] ?? Int32(result.statements.count)
    if Int(number) == result.statements.count {
      result.statements.append(frame.isCall ? clone(statement, frame) : statement)
      frame.statements[line.statement] = number
    }
    append(TextLine(statement: number, shift: line.shift))
  }

  private mutating func append(_ line: TextLine) {
    let statement = result.statements[Int(line.statement)]
    if statement.closesBlock, let opener = open.popLast() {
      result.lines[opener].partner = Int32(result.lines.count)
    }
    if statement.opensBlock {
      if open.count == TextParser.nestingLimit {
        isFull = true
        return errors.add(
          "found more than \(TextParser.nestingLimit) blocks and calls inside one another",
          at: statement.span, hint: "unroll or merge some of them")
      }
      open.append(result.lines.count)
    }
    result.lines.append(line)
  }

  private mutating func call(_ line: TextLine, _ statement: TextStatement, _ frame: Frame) {
    guard let macro = callee(statement), !macro.isBroken else { return }
    let body = (macro.line + 1)...Int(tree.lines[macro.line].partner)
    guard result.lines.count + body.count < Self.lineLimit else {
      isFull = true
      return errors.add(
        "found more than \(Self.lineLimit) lines once macros are expanded", at: statement.span,
        hint: "use a loop for what repeats", category: .limit)
    }
    var inner = Frame(isCall: true)
    var values: [TextOperand] = []
    for (argument, place) in zip(macro.arguments, statement.operands.range) {
      let given = tree.operands[place]
      if macro.names.contains(argument.name) {
        guard let name = Self.plainName(given.slot, tree) else {
          return errors.add(
            "\(tree.names[statement.name]) takes '\(tree.names[argument.name])' as a name, found "
              + "'\(source.text(given.span))'", at: given.span,
            hint: "give it the name of a buffer, tensor, list or queue")
        }
        inner.names[argument.name] = frame.names[name] ?? name
      }
      if macro.values.contains(argument.name) {
        var value = argument
        value.kind = .value
        value.slot = frame.isCall ? clone(given.slot, frame) : given.slot
        values.append(value)
      }
    }
    var block = TextStatement(
      kind: .expansion, span: statement.span, name: statement.name, nameSpan: statement.nameSpan)
    block.operands = TextSlice(first: Int32(result.operands.count), count: Int32(values.count))
    result.operands += values
    result.statements.append(block)
    append(TextLine(statement: Int32(result.statements.count - 1), shift: line.shift))
    for index in body where !isFull { copy(index, &inner) }
  }

  /// The name that an expression is; `nil` for others.
  private static func plainName(_ number: TextNumber, _ tree: TextTree) -> UInt32? {
    guard number.isNode, tree.expressions[Int(number.node)].kind == .name else { return nil }
    return tree.expressions[Int(number.node)].name
  }

  private mutating func clone(_ statement: TextStatement, _ frame: Frame) -> TextStatement {
    var copy = statement
    if Uses.takesName(statement.kind) { copy.name = frame.names[copy.name] ?? copy.name }
    let names = statement.kind == .scope ? Frame() : frame
    copy.operands = clone(statement.operands, names)
    copy.waits = clone(statement.waits, frame)
    copy.sets = clone(statement.sets, frame)
    copy.first = clone(statement.first, frame)
    copy.last = clone(statement.last, frame)
    copy.step = clone(statement.step, frame)
    let attributes = tree.attributes[statement.attributes.range].map { attribute in
      var copy = attribute
      copy.value = clone(attribute.value, frame)
      let list = tree.lists[attribute.list.range].map { clone($0, frame) }
      copy.list = TextSlice(first: Int32(result.lists.count), count: Int32(list.count))
      result.lists += list
      return copy
    }
    copy.attributes = TextSlice(
      first: Int32(result.attributes.count), count: Int32(attributes.count))
    result.attributes += attributes
    if statement.declaration >= 0 {
      var details = tree.declaration(of: statement)
      details.space = frame.names[details.space] ?? details.space
      result.declare(details, by: &copy)
    }
    return copy
  }

  private mutating func clone(_ slice: TextSlice, _ frame: Frame) -> TextSlice {
    let operands = tree.operands[slice.range].map { operand in
      var copy = operand
      copy.name = frame.names[operand.name] ?? operand.name
      copy.other = frame.names[operand.other] ?? operand.other
      copy.slot = clone(operand.slot, frame)
      copy.row = clone(operand.row, frame)
      copy.rows = clone(operand.rows, frame)
      copy.column = clone(operand.column, frame)
      copy.columns = clone(operand.columns, frame)
      return copy
    }
    let first = result.operands.count
    result.operands += operands
    return TextSlice(first: Int32(first), count: slice.count)
  }

  private mutating func clone(_ number: TextNumber, _ frame: Frame) -> TextNumber {
    number.isNode ? TextNumber(node: clone(number.node, frame)) : number
  }

  /// Operands come before the node that combines them, as the parser leaves them.
  private mutating func clone(_ node: Int32, _ frame: Frame) -> Int32 {
    var copy = tree.expressions[Int(node)]
    if copy.left >= 0 { copy.left = clone(copy.left, frame) }
    if copy.right >= 0 { copy.right = clone(copy.right, frame) }
    if copy.kind == .element { copy.name = frame.names[copy.name] ?? copy.name }
    result.expressions.append(copy)
    return Int32(result.expressions.count - 1)
  }
}

extension TextMacroExpansion {
  /// The names in a body: those whose values it takes, and those that stand for something else.
  private struct Uses {
    private let tree: TextTree
    private(set) var values: Set<UInt32> = []
    private(set) var names: Set<UInt32> = []

    init(_ tree: TextTree) { self.tree = tree }

    /// Whether a statement's own name is that of something declared before.
    static func takesName(_ kind: TextStatement.Kind) -> Bool {
      switch kind {
      case .produce, .consume, .advance: true
      default: false
      }
    }

    /// A statement; the arguments of a call are added one by one.
    mutating func add(_ statement: TextStatement) {
      guard statement.kind != .call else { return }
      if Self.takesName(statement.kind) { names.insert(statement.name) }
      if statement.declaration >= 0 { names.insert(tree.declaration(of: statement).space) }
      for slice in [statement.operands, statement.waits, statement.sets] {
        for operand in tree.operands[slice.range] {
          if operand.kind != .value, statement.kind != .scope {
            names.insert(operand.name)
            if operand.kind == .event || operand.hasList { names.insert(operand.other) }
          }
          for part in [operand.slot, operand.row, operand.rows, operand.column, operand.columns] {
            add(part)
          }
        }
      }
      for number in [statement.first, statement.last, statement.step] { add(number) }
      for attribute in tree.attributes[statement.attributes.range] {
        add(attribute.value)
        for number in tree.lists[attribute.list.range] { add(number) }
      }
    }

    /// What a call gives for an argument.
    mutating func add(_ number: TextNumber, asName: Bool, asValue: Bool) {
      if asValue { add(number) }
      if asName, let name = TextMacroExpansion.plainName(number, tree) { names.insert(name) }
    }

    private mutating func add(_ number: TextNumber) {
      if number.isNode { add(number.node) }
    }

    private mutating func add(_ node: Int32) {
      let expression = tree.expressions[Int(node)]
      switch expression.kind {
      case .name: values.insert(expression.name)
      case .element: names.insert(expression.name)
      default: break
      }
      if expression.left >= 0 { add(expression.left) }
      if expression.right >= 0 { add(expression.right) }
    }
  }
}
