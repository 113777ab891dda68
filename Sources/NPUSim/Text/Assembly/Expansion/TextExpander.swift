/// Walks a plan: unrolls its loops, and does with each micro-op what its task is.
struct TextExpander {
  /// What becomes of the micro-ops.
  enum Task: Equatable {
    /// They are appended to a program.
    case emit
    /// Fills of rings are counted.
    case count
    /// Those of some sites are found in the text.
    case locate
  }

  let source: TextSource
  let tree: TextTree
  let plan: TextPlan
  let catalogue: OpCatalogue
  let task: Task
  let limits: TextLimits
  var builder: ProgramBuilder
  var errors: TextErrors
  /// The core, then the variables of loops and local names.
  var variables: [Int64]
  /// The names and slots of the loops that are open.
  var loops: [(name: UInt32, slot: Int)] = []
  /// The lines of the calls that are open.
  var calls: [Int] = []
  /// Index lists by their number in the plan; `nil` until they are bound.
  var lists: [[Int32]?]
  /// Values given for index lists, by name.
  var given: [String: [Int32]] = [:]
  /// Tensors by key; −1 where there is none yet.
  var hbm: [Int32]
  /// Buffers by core and key; −1 where the core has none.
  var buffers: [[Int32]] = []
  var core = 0
  var tensors: [TextTensor] = []
  var microOps: Int64 = 0
  var passes: Int64 = 0
  /// Set where nothing further can be expanded.
  var isStopped = false
  /// Lines that were reported: they are passed over.
  var broken: [Bool]
  /// Keys whose declaration was reported, and slots of names whose value was: what uses them is not.
  var brokenKeys: Set<Int32> = []
  private var unknownVariables: Set<Int16> = []
  /// Whether the declaration of a tap tensor was reported.
  var hasBrokenTaps = false

  // Emission.
  var memos: TextMemos
  var settled: TextSettled
  /// 1 + the builder's number of a label, by name; 0 where it has none yet.
  private var labels: [UInt32]
  let placeholder = Tile<UB>.placeholder.ref
  /// Micro-ops by core.
  var positions: [Int] = []
  /// The last micro-op of each core that works on values; −1 where there is none.
  var lastData: [Int] = []
  /// Fills and uses of each ring of each core so far, and the fills there will be.
  var rings: [[RingState]] = []
  var totals: [[Int]] = []
  /// Blocks that run ahead of where they are written, by core.
  var runAhead: [RunAhead] = []

  // Location.
  /// Places in the cores' lists that are looked for.
  var wanted: [Set<Int>] = []
  var found: [Finding.Site: TextPlace] = [:]
  /// Where the line of the last of them stands: one line may have thousands.
  var lastNoted: (line: Int, location: SourceLocation)?

  init(
    _ source: TextSource, _ tree: TextTree, _ plan: TextPlan, task: Task,
    machine: MachineConfiguration, catalogue: OpCatalogue, limits: TextLimits
  ) {
    self.source = source
    self.tree = tree
    self.plan = plan
    self.catalogue = catalogue
    self.task = task
    self.limits = limits
    builder = ProgramBuilder(
      machine: machine, catalogue: catalogue, isExplicit: !plan.isSequential,
      limit: Int(clamping: min(limits.microOps, Int64(Program.microOpLimit))))
    errors = TextErrors(source)
    variables = Array(repeating: 0, count: plan.variables)
    lists = Array(repeating: nil, count: plan.lists.count)
    hbm = Array(repeating: -1, count: plan.keys.count)
    broken = Array(repeating: false, count: tree.lines.count)
    memos = TextMemos(isUsed: task == .emit)
    settled = TextSettled(task == .emit ? plan.statements.count : 0)
    labels = Array(repeating: 0, count: task == .emit ? tree.names.count : 0)
    begin(0)
  }

  /// Most micro-ops that room is made for before there are any.
  private static let mostReserved: Int64 = 1 << 20

  mutating func run() {
    if task == .emit { builder.reserve(Int(min(plan.least, limits.microOps, Self.mostReserved))) }
    walk(0, tree.lines.count)
  }

  // MARK: Errors

  /// Reports what is wrong with a line, with the loops' variables as they are.
  mutating func fail(
    _ message: String, at span: TextSpan, _ line: Int, hint: String? = nil,
    category: NPUError.Category = .parse
  ) {
    broken[line] = true
    let values = iterations.map { "\($0.name) = \($0.value)" }.joined(separator: ", ")
    errors.shift = tree.lines[line].shift
    errors.context = callers.reversed().map { ", in \($0.name) of line \($0.line)" }.joined()
    errors.add(
      message + (values.isEmpty ? "" : ", where \(values)"), at: span, hint: hint,
      category: category)
    if errors.hasEnough { isStopped = true }
  }

  /// Reports why an expression has no value, unless that has been said where it comes from.
  mutating func fail(_ failure: TextEvaluationFailure, at node: Int32, _ line: Int) {
    if failure == .reported {
      broken[line] = true
    } else {
      let place = plan.failure(of: node, variables, lists)?.node ?? node
      fail(failure.words, at: tree.expressions[Int(place)].span, line)
    }
  }

  /// The variables of the loops that are open, the core first where it is not 0.
  var iterations: [(name: String, value: Int64)] {
    var result: [(String, Int64)] = core > 0 ? [("core", Int64(core))] : []
    for loop in loops { result.append((tree.names[loop.name], variables[loop.slot])) }
    return result
  }

  /// The calls of macros that are open, outermost first.
  var callers: [(name: String, line: Int)] {
    calls.map { (tree.names[tree.statement($0).name], source.location(tree.span($0)).line) }
  }

  /// Where a number stands: the statement of a line where the number has no place of its own.
  func span(_ number: TextNumber, _ line: Int) -> TextSpan {
    number.isNode ? tree.expressions[Int(number.node)].span : tree.statement(line).span
  }

  /// Whether an expression rests on no name whose value was reported wrong.
  @inline(__always)
  mutating func isKnown(_ node: Int32, _ line: Int) -> Bool {
    if unknownVariables.isEmpty || !isUnknown(node) { return true }
    broken[line] = true
    return false
  }

  private func isUnknown(_ node: Int32) -> Bool {
    guard node >= 0 else { return false }
    let entry = plan.nodes[Int(node)]
    switch entry.kind {
    case .constant, .wrong: return false
    case .variable: return unknownVariables.contains(Int16(truncatingIfNeeded: entry.value))
    case .element, .operation: return isUnknown(entry.left) || isUnknown(entry.right)
    }
  }

  /// The value of a whole number; `nil` after an error.
  mutating func value(_ number: TextNumber, _ line: Int) -> Int64? {
    if let literal = number.literal { return literal }
    let node = number.node
    guard isKnown(node, line) else { return nil }
    let kind = plan.nodes[Int(node)].kind
    if kind == .constant && !plan.nodes[Int(node)].isReal { return plan.nodes[Int(node)].value }
    if kind == .variable { return variables[Int(plan.nodes[Int(node)].value)] }
    do throws(TextEvaluationFailure) {
      return try plan.integer(node, variables, lists)
    } catch {
      fail(error, at: node, line)
      return nil
    }
  }

  // MARK: Blocks

  /// Runs the statements of lines.
  private mutating func walk(_ first: Int, _ end: Int) {
    var index = first
    while index < end && !isStopped {
      let statement = plan.statements[Int(tree.lines[index].statement)]
      switch statement.kind {
      case .operation:
        if !broken[index] { operation(index, statement) }
      case .tap:
        if task == .emit && !broken[index] { tap(index, statement) }
      case .loop, .scope, .branch, .core, .produce, .consume, .expansion:
        index = block(index, statement)
        continue
      case .input, .output, .update, .tensor, .tapTensor, .buffer, .index, .table:
        declare(index, statement)
        if broken[index] { forgetDeclaration(statement) }
      case .local, .counter:
        if !broken[index], let value = value(statement.first, index) {
          variables[Int(statement.variable)] = value
          unknownVariables.remove(statement.variable)
        } else {
          unknownVariables.insert(statement.variable)
        }
      case .advance: if !broken[index] { advance(index, statement) }
      case .blank, .comment, .synchronisation, .order, .parameter, .otherwise, .end, .macro, .call:
        break
      }
      index += 1
    }
  }

  /// Moves a counter on.
  private mutating func advance(_ index: Int, _ statement: PlanStatement) {
    guard !unknownVariables.contains(statement.variable),
      let step = statement.step.isThere ? value(statement.step, index) : 1
    else { return }
    let slot = Int(statement.variable)
    let (sum, overflow) = variables[slot].addingReportingOverflow(step)
    if overflow {
      return fail(TextEvaluationFailure.overflow.words, at: tree.statement(index).span, index)
    }
    variables[slot] = sum
  }

  /// Notes that a declaration was reported.
  private mutating func forgetDeclaration(_ statement: PlanStatement) {
    switch statement.kind {
    case .tapTensor: hasBrokenTaps = true
    case .index, .table: break
    default: brokenKeys.insert(statement.key)
    }
  }

  /// Runs a block and returns the statement after it.
  private mutating func block(_ index: Int, _ statement: PlanStatement) -> Int {
    let partner = Int(tree.lines[index].partner)
    if statement.kind == .branch {
      let hasElse = tree.statement(partner).kind == .otherwise
      let end = hasElse ? Int(tree.lines[partner].partner) : partner
      if let condition = value(statement.first, index) {
        if condition != 0 {
          walk(index + 1, partner)
        } else if hasElse {
          walk(partner + 1, end)
        }
      }
      return end + 1
    }
    guard !broken[index] else { return partner + 1 }
    switch statement.kind {
    case .loop: loop(index, statement)
    case .core: cores(index, statement)
    case .scope:
      let pushed = pushScopes(index, statement)
      walk(index + 1, partner)
      for _ in 0..<pushed { builder.popScope() }
    case .expansion:
      bind(index, statement)
      calls.append(index)
      walk(index + 1, partner)
      calls.removeLast()
    default:
      let outer = acquire(index, statement)
      walk(index + 1, partner)
      if let outer { release(index, statement, outer: outer) }
    }
    return partner + 1
  }

  /// Gives the arguments of a call their values.
  private mutating func bind(_ index: Int, _ statement: PlanStatement) {
    for (offset, place) in statement.operands.range.enumerated() {
      let slot = statement.variable + Int16(truncatingIfNeeded: offset)
      if let value = value(tree.operands[place].slot, index) {
        variables[Int(slot)] = value
        unknownVariables.remove(slot)
      } else {
        unknownVariables.insert(slot)
      }
    }
  }

  private mutating func loop(_ index: Int, _ statement: PlanStatement) {
    guard let first = value(statement.first, index), let last = value(statement.last, index),
      let step = statement.step.isThere ? value(statement.step, index) : 1
    else { return }
    guard step > 0 else {
      return fail(
        "found a step of \(step), needed at least 1",
        at: span(statement.step, index), index)
    }
    guard first < last else { return }
    let (distance, overflow) = last.subtractingReportingOverflow(first)
    let count = overflow ? .max : (distance - 1) / step + 1
    guard admit(count, statement.least, index) else { return }
    loops.append((tree.statement(index).name, Int(statement.variable)))
    unknownVariables.remove(statement.variable)
    var current = first
    for _ in 0..<count {
      variables[Int(statement.variable)] = current
      walk(index + 1, Int(tree.lines[index].partner))
      if isStopped { break }
      current &+= step
    }
    loops.removeLast()
  }

  /// Whether a loop may run so often; it is refused before its first pass.
  private mutating func admit(_ count: Int64, _ least: Int64, _ index: Int) -> Bool {
    passes = passes.addedClamped(to: count)
    let total = count.multipliedClamped(by: least).addedClamped(to: microOps)
    if passes <= limits.passes && total <= limits.microOps { return true }
    let makes =
      total > limits.microOps
      ? "at least \(total) micro-ops, the limit is \(limits.microOps)"
      : "\(passes) passes of loops, the limit is \(limits.passes)"
    fail(
      "found \(count) passes of this loop, which make \(makes)",
      at: tree.statement(index).span, index,
      hint: "use a smaller shape, or larger tiles", category: .limit)
    isStopped = true
    return false
  }

  private mutating func cores(_ index: Int, _ statement: PlanStatement) {
    guard let first = value(statement.first, index) else { return }
    var last = first &+ 1
    if statement.last.isThere {
      guard let end = value(statement.last, index) else { return }
      last = end
    }
    let most = Int64(builder.machine.cores)
    guard first >= 0, first <= last, last <= most else {
      let span = tree.statement(index).span
      return fail(
        "found cores \(first)..<\(last), the machine has \(most)", at: span, index,
        hint: "take the number of cores from 'cores', or give the machine more with --cores",
        category: .program)
    }
    for number in first..<last {
      begin(Int(number))
      walk(index + 1, Int(tree.lines[index].partner))
      if isStopped { break }
    }
    begin(0)
  }

  private mutating func begin(_ number: Int) {
    core = number
    variables[0] = Int64(number)
    builder.begin(core: number)
    settled.forget()
    while buffers.count <= number {
      buffers.append(Array(repeating: -1, count: plan.keys.count))
      positions.append(0)
      lastData.append(-1)
      runAhead.append(RunAhead())
      rings.append(Array(repeating: RingState(), count: plan.rings.count))
    }
  }

  /// Opens a scope for each label, and returns how many.
  private mutating func pushScopes(_ index: Int, _ statement: PlanStatement) -> Int {
    guard task == .emit else { return 0 }
    for place in statement.operands.range {
      let label = tree.operands[place]
      var iteration: Int?
      if label.slot.isThere {
        guard let number = value(label.slot, index) else { break }
        iteration = Int(number)
      }
      if labels[Int(label.name)] == 0 {
        labels[Int(label.name)] = 1 + builder.intern(tree.names[label.name])
      }
      builder.pushScope(labels[Int(label.name)] - 1, iteration: iteration)
    }
    return statement.operands.range.count
  }
}
