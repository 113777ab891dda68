/// A program as text: parsed, not yet made for a machine.
///
/// docs/assembly.md has the language.
public struct TextProgram: Sendable {
  public let source: TextSource
  /// As it is written.
  let tree: TextTree
  /// With the bodies of macros in the place of their calls, or what is wrong with those.
  let expansion: TextOutcome<TextTree>

  /// Reads a text. Errors of its lines are all found in one run.
  public static func parse(_ source: TextSource) -> TextOutcome<TextProgram> {
    let outcome = TextParser.parse(source)
    return TextOutcome(
      outcome.value.map { TextProgram(source: source, tree: $0) }, outcome.errors)
  }

  private init(source: TextSource, tree: TextTree) {
    self.source = source
    self.tree = tree
    expansion = TextMacroExpansion.expand(source, tree)
  }

  /// The names of the index lists, as declared.
  public var indexNames: [String] { names(of: [.index]) }

  /// The names of everything that has words before the run, as declared, and its other names.
  public var givenNames: [String] {
    let kinds: [TextStatement.Kind] = [.input, .update, .index]
    let given = tree.statements.filter { kinds.contains($0.kind) }
    return names(of: kinds) + given.flatMap(aliases)
  }

  private func aliases(of statement: TextStatement) -> [String] {
    statement.attributes.range.map { tree.attributes[$0] }
      .filter { tree.names[$0.name] == "aliases" }
      .flatMap { $0.list.range.map { tree.lists[$0] } }
      .filter { $0.isNode && tree.expressions[Int($0.node)].kind == .name }
      .map { tree.names[tree.expressions[Int($0.node)].name] }
  }

  private func names(of kinds: [TextStatement.Kind]) -> [String] {
    tree.statements.filter { kinds.contains($0.kind) }.map { tree.names[$0.name] }
  }

  /// The text in its canonical layout, comments kept.
  public func formatted() -> [UInt8] { TextFormatter.print(tree) }

  /// The program for a machine.
  ///
  /// - Parameters:
  ///   - parameters: values in place of those of `.param`, as text.
  ///   - indices: values of index lists by name; what is missing comes from the text.
  /// - Returns: the program, or every error that was found. What is wrong with the layout of a program
  ///   that could be built (bounds, alignment, capacity) is among its defects.
  public func assemble(
    machine: MachineConfiguration, catalogue: OpCatalogue, parameters: [String: String] = [:],
    indices: [String: [Int32]] = [:], limits: TextLimits = TextLimits()
  ) -> TextOutcome<TextAssembly> {
    guard let tree = expansion.value else { return TextOutcome(nil, expansion.errors) }
    var resolver = TextResolver(
      source, tree, catalogue: catalogue, parameters: parameters,
      constants: [("lanes", machine.vector.lanes), ("cores", machine.cores)])
    resolver.run()
    guard resolver.errors.isEmpty else { return TextOutcome(nil, resolver.errors.sorted) }
    let plan = resolver.plan
    func expander(_ task: TextExpander.Task) -> TextExpander {
      var expander = TextExpander(
        source, tree, plan, task: task, machine: machine, catalogue: catalogue, limits: limits)
      expander.given = indices
      return expander
    }
    var totals: [[Int]] = []
    if !plan.rings.isEmpty {
      var counter = expander(.count)
      counter.run()
      guard counter.errors.isEmpty else { return TextOutcome(nil, counter.errors.sorted) }
      totals = counter.rings.map { $0.map(\.produced.next) }
    }
    var emitter = expander(.emit)
    emitter.totals = totals
    emitter.run()
    guard emitter.errors.isEmpty else { return TextOutcome(nil, emitter.errors.sorted) }
    let tensors = emitter.tensors
    let orders = emitter.ordersAhead
    let sequence = emitter.finished()
    let ordered =
      orders.map { FoundOrder(sequence, explicitly: $0) } ?? FoundOrder(sequence, order: plan.order)
    return TextOutcome(
      TextAssembly(
        sequence: sequence, ordered: ordered, tensors: tensors, source: source, tree: tree,
        plan: plan,
        totals: totals, indices: indices, limits: limits), [])
  }
}

/// A program made from a text, which knows where each of its micro-ops stands.
public struct TextAssembly: Sendable {
  /// The micro-ops as they were written.
  public let sequence: SequentialProgram
  /// The program in the order that the text asks for.
  public let ordered: FoundOrder
  public var program: Program { ordered.program }
  /// Tensors in the order of the text: inputs, outputs, taps, index lists.
  public let tensors: [TextTensor]
  private let source: TextSource
  /// The text without macros.
  private let tree: TextTree
  private let plan: TextPlan
  private let totals: [[Int]]
  private let indices: [String: [Int32]]
  private let limits: TextLimits

  init(
    sequence: SequentialProgram, ordered: FoundOrder, tensors: [TextTensor], source: TextSource,
    tree: TextTree, plan: TextPlan,
    totals: [[Int]], indices: [String: [Int32]], limits: TextLimits
  ) {
    self.sequence = sequence
    self.ordered = ordered
    self.tensors = tensors
    self.source = source
    self.tree = tree
    self.plan = plan
    self.totals = totals
    self.indices = indices
    self.limits = limits
  }

  /// The file of the text, as messages call it.
  public var file: String { source.file }

  /// The file that micro-ops stand in: the first that a line says it comes from, or the text itself.
  public var mainFile: String {
    tree.origins.first.map { tree.names[$0.file] } ?? source.file
  }

  /// The parameters in the order of the text.
  public var parameters: [TextParameter] {
    plan.parameters.map { name, node in
      TextParameter(
        name: tree.names[name], value: node.isReal ? .real(node.real) : .whole(node.value))
    }
  }

  /// A one-based line of the text without the space around it, `nil` if there is none.
  public func line(_ number: Int) -> String? { source.line(number) }

  /// Where a defect of the program is to be mended: at its micro-op, or where its buffer is declared;
  /// `nil` where it has neither.
  public func location(of defect: ProgramDefect) -> SourceLocation? {
    if let op = defect.op {
      let site = Finding.Site(core: defect.core, op: op)
      return places(of: [site])[site]?.location
    }
    return defect.buffer.flatMap { name in
      // A memory that is full is named first.
      let space = program.buffers.lazy.filter { $0.name == name }.map(\.space)
        .first { defect.message.hasPrefix("\($0.name) ") }
      return declaration(of: name, in: space)
    }
  }

  /// Where a buffer or a tensor is declared, `nil` where none has that name. Without a memory it is the
  /// first of that name in any.
  public func declaration(of name: String, in space: Space? = nil) -> SourceLocation? {
    let tensors: [TextStatement.Kind] = [.input, .output, .update, .tensor]
    let statement = tree.statements.first { statement in
      guard tree.names[statement.name] == name else { return false }
      if statement.kind == .buffer {
        let memory = tree.names[tree.declaration(of: statement).space]
        return space.map { $0.name == memory } ?? true
      }
      return tensors.contains(statement.kind) && space.map { $0 == .hbm } ?? true
    }
    return statement.map { source.location($0.nameSpan) }
  }

  /// Where micro-ops stand in the text. The text is walked again: nothing is kept for each micro-op.
  public func places(of sites: [Finding.Site]) -> [Finding.Site: TextPlace] {
    guard !sites.isEmpty else { return [:] }
    var locator = TextExpander(
      source, tree, plan, task: .locate, machine: program.machine,
      catalogue: program.catalogue, limits: limits)
    locator.given = indices
    locator.totals = totals
    locator.wanted = Array(repeating: [], count: program.cores.count)
    let written = ordered.written(sites)
    for site in written where site.core < locator.wanted.count {
      locator.wanted[site.core].insert(site.op)
    }
    locator.run()
    var result: [Finding.Site: TextPlace] = [:]
    for (site, own) in zip(sites, written) { result[site] = locator.found[own] }
    return result
  }

  /// Where its micro-ops come from, as far as the text says it; `nil` where it says nothing.
  public var origins: OpOrigins? {
    guard !tree.origins.isEmpty else { return nil }
    let places = places(
      of: program.cores.indices.flatMap { core in
        program.cores[core].indices.map { Finding.Site(core: core, op: $0) }
      })
    var numbers: [String: UInt32] = [:]
    var result = OpOrigins()
    result.places = program.cores.map { $0.map { _ in .none } }
    for (site, place) in places where place.isGenerated {
      let file = place.location.file
      let number = numbers[file] ?? UInt32(result.files.count)
      if numbers.updateValue(number, forKey: file) == nil { result.files.append(file) }
      result.places[site.core][site.op] = OpOrigins.Place(
        file: number, line: Int32(clamping: place.location.line))
    }
    return result
  }
}

extension TextExpander {
  /// The orders of cores in which rings run ahead; `nil` where there is none.
  var ordersAhead: [[UInt32]?]? {
    let orders = runAhead.indices.map { runAhead[$0].order(positions[$0]) }
    return orders.contains { $0 != nil } ? orders : nil
  }

  /// The program, once everything is expanded.
  consuming func finished() -> SequentialProgram { builder.sequential() }
}
