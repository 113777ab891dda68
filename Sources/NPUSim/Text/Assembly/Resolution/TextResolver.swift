/// Finds what each name of a tree stands for, and puts operands in the order of records.
struct TextResolver {
  /// What a plain name stands for.
  enum Symbol {
    case parameter(PlanNode)
    case variable(Int16)
    /// A counter, and whether it is one of a core's own.
    case counter(Int16, isOfCore: Bool)
    case list(Int)
    /// Declared, but wrongly: its uses are not reported again.
    case broken
  }

  let source: TextSource
  let tree: TextTree
  let catalogue: OpCatalogue
  var plan = TextPlan()
  var errors: TextErrors
  var symbols: [UInt32: Symbol] = [:]
  /// Where each symbol was declared.
  var places: [UInt32: TextSpan] = [:]
  /// Names that were used without a declaration.
  var missingNames: Set<UInt32> = []
  /// Names that were used in a memory where they are not declared.
  var foreignNames: Set<UInt64> = []
  /// Names of buffers whose memory is wrong: their uses are not.
  var misplaced: Set<UInt32> = []
  /// The last key of each name; −1 for none.
  var lastKeys: [Int32]
  /// Keys declared in the block that is open, or outside of any.
  private var declaredHere: Set<Int> = []
  var taps: [UInt32: Int] = [:]
  private var indexLists: Int32 = 0
  /// The micro-ops, as far as the text names them.
  let forms: TextForms
  /// Rings that are held where the resolver is, innermost last.
  var held: [RingEnd] = []
  /// Ends of rings that a statement which was not understood may have filled or used up.
  var doubtfulEnds: Set<RingEnd> = []
  /// A block that is open: its statement, the names that end with it, and the slots before it.
  struct Block {
    var statement: Int
    var names: [UInt32] = []
    var slots: Int
    /// Of the call of a macro: what cannot be seen from inside.
    var hidden = HiddenNames()
  }

  private static let mostVariables = 1000

  var open: [Block] = []
  /// Variables that are in use.
  var slots = 0
  /// Names that need no declaration.
  let builtIn: [String]
  private var overrides: [String: String]
  /// Where the text asks for another order than the written one.
  /// Names of buffers that are to be filled ahead, and where that stands.
  var aheads: [(name: UInt32, span: TextSpan)] = []
  var foundOrder: TextSpan?

  init(
    _ source: TextSource, _ tree: TextTree, catalogue: OpCatalogue, parameters: [String: String],
    constants: [(name: String, value: Int)]
  ) {
    self.source = source
    self.tree = tree
    self.catalogue = catalogue
    overrides = parameters
    errors = TextErrors(source)
    plan.nodes = Array(repeating: PlanNode(kind: .wrong), count: tree.expressions.count)
    plan.operands.reserveCapacity(tree.operands.count)
    lastKeys = Array(repeating: -1, count: tree.names.count)
    forms = TextForms(catalogue, tree.names)
    builtIn = ["core"] + constants.map(\.name)
    var names = tree.names
    symbols[names.id("core")] = .variable(0)
    for constant in constants {
      symbols[names.id(constant.name)] = .parameter(
        PlanNode(kind: .constant, value: Int64(constant.value)))
    }
  }

  mutating func run() {
    plan.statements.reserveCapacity(tree.statements.count)
    for line in tree.lines {
      let index = Int(line.statement)
      let statement = tree.statements[index]
      if index == plan.statements.count {
        plan.statements.append(PlanStatement(kind: statement.kind))
      } else if errors.isEmpty, statement.kind == .operation || statement.kind == .tap {
        // It means the same on all of its lines; what is wrong is wrong on each.
        continue
      }
      errors.shift = line.shift
      resolve(statement, index)
      if errors.hasEnough { break }
    }
    errors.shift = 0
    reportUnusedRings()
    reportIdleAheads()
    reportExplicitOrder()
    for name in overrides.keys.sorted() {
      let known = tree.statements.filter { $0.kind == .parameter }.map { tree.names[$0.name] }
      errors.add(
        "there is no parameter '\(name)'", at: TextSpan(start: 0, end: 0),
        hint: DidYouMean.hint(for: name, among: known) ?? "the text has no .param",
        category: .usage)
    }
    if errors.isEmpty { countLeast() }
  }

  func text(_ id: UInt32) -> String { tree.names[id] }

  // MARK: Statements

  private mutating func resolve(_ statement: TextStatement, _ index: Int) {
    if statement.isDeclaration, let outer = open.last {
      let isCore = tree.statements[outer.statement].kind == .core
      if !isCore || statement.kind != .buffer {
        errors.add(
          "found a declaration inside \(isCore ? "a .core block" : "a block")", at: statement.span,
          hint: "declare it before the block" + (isCore ? "; only .buf may stand in .core" : ""))
      }
    }
    switch statement.kind {
    case .blank, .comment: break
    case .synchronisation, .order: setting(statement)
    case .parameter: parameter(statement)
    case .input, .output, .update, .tensor, .buffer, .tapTensor: tensor(statement, index)
    case .index: indexList(statement, index)
    case .table: table(statement, index)
    case .operation:
      let known = errors.count
      operation(statement, index)
      // Whatever it was meant to do with the rings that are held, it may have done.
      if errors.count > known { doubtfulEnds.formUnion(held) }
    case .tap: tap(statement, index)
    case .core, .loop, .scope, .branch, .produce, .consume: enter(statement, index)
    case .expansion: enterCall(statement, index)
    case .local, .counter:
      whole(statement.first)
      plan.statements[index].first = statement.first
      plan.statements[index].variable = variable(
        statement.name, statement.nameSpan, isCounter: statement.kind == .counter)
    case .advance: advance(statement, index)
    case .macro, .call: break
    case .otherwise: if let block = open.last { forget(block) }
    case .end: leave()
    }
  }

  private mutating func enter(_ statement: TextStatement, _ index: Int) {
    plan.statements[index].first = statement.first
    plan.statements[index].last = statement.last
    plan.statements[index].step = statement.step
    switch statement.kind {
    case .core:
      if !open.isEmpty {
        errors.add(
          "found .core inside another block", at: statement.span,
          hint: "cores stand at the outermost level")
      }
      whole(statement.first)
      whole(statement.last)
      declaredHere = []
    case .loop:
      whole(statement.first)
      whole(statement.last)
      whole(statement.step)
      open.append(Block(statement: index, slots: slots))
      plan.statements[index].variable = variable(statement.name, statement.nameSpan)
      return
    case .scope: scope(statement, index)
    case .branch: whole(statement.first)
    default: hold(statement, index)
    }
    open.append(Block(statement: index, slots: slots))
  }

  /// A slot for a name that holds until the end of its block.
  mutating func variable(
    _ name: UInt32, _ span: TextSpan, isCounter: Bool = false
  ) -> Int16 {
    slots += 1
    if slots > Self.mostVariables {
      errors.add(
        "found more than \(Self.mostVariables) variables and local names at a time",
        at: span, hint: "use .param for what is constant", category: .limit)
      slots = Self.mostVariables
    }
    plan.variables = max(plan.variables, slots + 1)
    let slot = Int16(clamping: slots)
    if symbols[name] == nil, !open.isEmpty { open[open.count - 1].names.append(name) }
    declare(name, span, isCounter ? .counter(slot, isOfCore: isInCore) : .variable(slot))
    return slot
  }

  /// Ends the names of a block.
  private mutating func forget(_ block: Block) {
    for name in block.names {
      symbols[name] = nil
      places[name] = nil
    }
    slots = block.slots
    if !open.isEmpty { open[open.count - 1].names = [] }
  }

  private mutating func leave() {
    guard let block = open.last else { return }
    forget(block)
    open.removeLast()
    switch tree.statements[block.statement].kind {
    case .core: declaredHere = []
    case .produce, .consume: if !held.isEmpty { held.removeLast() }
    case .expansion: reveal(block.hidden)
    default: break
    }
  }

  private mutating func scope(_ statement: TextStatement, _ index: Int) {
    plan.statements[index].operands = statement.operands
    for label in statement.operands.range { whole(tree.operands[label].slot) }
  }

  // MARK: Declarations

  /// Gives a name a meaning; names that mean something already keep it.
  mutating func declare(_ name: UInt32, _ span: TextSpan, _ symbol: Symbol) {
    guard symbols[name] == nil else {
      let place = places[name].map { "line \(source.location($0).line)" } ?? "the language itself"
      errors.add("'\(text(name))' is already declared, by \(place)", at: span, hint: "rename one")
      return
    }
    symbols[name] = symbol
    places[name] = span
  }

  private mutating func parameter(_ statement: TextStatement) {
    guard statement.first.isThere else { return }
    var node = resolve(statement.first)
    if node.kind != .constant, node.kind != .wrong {
      notConstant(statement.first)
      node.kind = .wrong
    }
    if let given = overrides.removeValue(forKey: text(statement.name)) {
      if let value = Int64(given), !node.isReal {
        node = PlanNode(kind: .constant, value: value)
      } else if let value = Double(given), value.isFinite, node.isReal {
        node = PlanNode(kind: .constant, isReal: true, real: value)
      } else {
        errors.add(
          "--param \(text(statement.name)) needs a \(node.isReal ? "" : "whole ")number, found "
            + "'\(given)'", at: statement.nameSpan,
          hint: "for example "
            + "--param \(text(statement.name))=\(node.isReal ? "0.5" : "256")", category: .usage)
      }
    }
    if node.kind == .constant { plan.parameters.append((statement.name, node)) }
    declare(
      statement.name, statement.nameSpan, node.kind == .constant ? .parameter(node) : .broken)
  }

  private mutating func indexList(_ statement: TextStatement, _ index: Int) {
    let details = tree.declaration(of: statement)
    if text(details.format) != "i32" {
      errors.add(
        "found '\(text(details.format))', needed i32", at: details.formatSpan,
        hint: "an index list holds row numbers")
    }
    for entry in details.dimensions.range { whole(tree.lists[entry]) }
    for entry in details.values.range { whole(tree.lists[entry]) }
    declare(statement.name, statement.nameSpan, .list(plan.lists.count))
    plan.statements[index].key = Int32(plan.lists.count)
    plan.lists.append(
      PlanList(name: statement.name, statement: Int32(index), number: indexLists))
    indexLists += 1
  }

  /// Values for expressions, which are no part of the program.
  private mutating func table(_ statement: TextStatement, _ index: Int) {
    let details = tree.declaration(of: statement)
    for entry in details.values.range { whole(tree.lists[entry]) }
    declare(statement.name, statement.nameSpan, .list(plan.lists.count))
    plan.statements[index].key = Int32(plan.lists.count)
    plan.lists.append(PlanList(name: statement.name, statement: Int32(index), number: -1))
  }

  private mutating func tensor(_ statement: TextStatement, _ index: Int) {
    let details = tree.declaration(of: statement)
    let space = memory(of: statement, details)
    let needed = statement.kind == .buffer ? 2...2 : 1...64
    if !needed.contains(Int(details.dimensions.count)) {
      let hint =
        details.dimensions.count == 1
        ? "a row is [1, columns], a column [rows, 1]"
        : "the number of slots is an attribute: {slots=2}"
      errors.add(
        "found \(Self.count(details.dimensions, "dimension")), needed "
          + (statement.kind == .buffer ? "rows and columns" : "1 to 64"), at: statement.span,
        hint: statement.kind == .buffer ? hint : nil)
    }
    for entry in details.dimensions.range { whole(tree.lists[entry]) }
    declarationAttributes(statement)
    if statement.kind == .tapTensor {
      if taps[statement.name] != nil {
        errors.add(
          "'\(text(statement.name))' is already declared", at: statement.nameSpan,
          hint: "rename one")
      }
      plan.statements[index].key = Int32(taps.count)
      taps[statement.name] = taps[statement.name] ?? taps.count
      return
    }
    guard let space else {
      misplaced.insert(statement.name)
      return
    }
    let key = key(of: statement.name, in: space) ?? plan.keys.count
    if key == plan.keys.count {
      plan.keys.append(
        PlanKey(name: statement.name, space: space, namesake: lastKeys[Int(statement.name)]))
      lastKeys[Int(statement.name)] = Int32(key)
    } else if declaredHere.contains(key) || space == .hbm {
      errors.add(
        "'\(text(statement.name))' is already declared in \(space.name)", at: statement.nameSpan,
        hint: "a name stands for one buffer of a memory: rename one")
    }
    declaredHere.insert(key)
    plan.statements[index].key = Int32(key)
  }

  /// The memory of a tensor or buffer, `nil` where it is wrong, once its format and memory are judged.
  private mutating func memory(of statement: TextStatement, _ details: TextDeclaration)
    -> Space?
  {
    let format = text(details.format)
    let formats = ElementFormat.allCases.map(\.name) + ["acc"]
    let isFormat = formats.contains(format)
    let word = text(details.space)
    let memories = Space.allCases.filter(\.isOnChip).map(\.name)
    if statement.kind == .buffer, !memories.contains(word), formats.contains(word),
      memories.contains(format)
    {
      errors.add(
        "found '\(word)', needed a memory", at: details.spaceSpan,
        hint: "the memory stands before the format: \(format) \(word)")
      return nil
    }
    if !isFormat {
      errors.add(
        "there is no format '\(format)'", at: details.formatSpan,
        hint: DidYouMean.hint(for: format, among: formats))
    }
    guard statement.kind == .buffer else { return .hbm }
    if let found = Space(name: word), found.isOnChip { return found }
    errors.add(
      "there is no memory '\(word)' on chip", at: details.spaceSpan,
      hint: DidYouMean.hint(for: word, among: memories))
    return nil
  }

  /// How many there are, for messages.
  static func count(_ slice: TextSlice, _ word: String) -> String {
    "\(slice.count) \(word)\(slice.count == 1 ? "" : "s")"
  }

  /// The buffer that a name stands for in a memory.
  func key(of name: UInt32, in space: Space) -> Int? {
    guard Int(name) < lastKeys.count else { return nil }
    var key = lastKeys[Int(name)]
    while key >= 0, plan.keys[Int(key)].space != space { key = plan.keys[Int(key)].namesake }
    return key < 0 ? nil : Int(key)
  }

  /// Where a number stands, if that is known.
  func span(_ number: TextNumber, _ otherwise: TextSpan) -> TextSpan {
    number.isNode ? tree.expressions[Int(number.node)].span : otherwise
  }
}
