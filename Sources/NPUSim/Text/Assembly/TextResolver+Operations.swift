extension TextResolver {
  // MARK: Micro-ops

  mutating func operation(_ statement: TextStatement, _ index: Int) {
    guard let opcode = opcode(statement.name) else {
      let known = catalogue.entries.map { entry in
        entry.mnemonic.hasPrefix("sync.") ? String(entry.mnemonic.dropFirst(5)) : entry.mnemonic
      }
      let near = DidYouMean.suggest(
        text(statement.name), among: known + ["produce", "consume", "tap"])
      errors.add(
        "there is no micro-op '\(text(statement.name))'", at: statement.nameSpan,
        hint: near.map { "did you mean \($0)?" } ?? "docs/isa.md lists them")
      return
    }
    let entry = catalogue[opcode]
    plan.statements[index].opcode = opcode
    let first = plan.operands.count
    let isPositional = !entry.operands.contains { $0.tileAccess != nil }
    if isPositional {
      positional(statement, entry)
    } else {
      tiles(statement, entry)
    }
    plan.statements[index].operands = TextSlice(
      first: Int32(first), count: Int32(plan.operands.count - first))
    plan.statements[index].waits = events(statement.waits, entry, isSet: false)
    plan.statements[index].sets = events(statement.sets, entry, isSet: true)
  }

  /// The events beside a micro-op: those that its queue waits for, or sets.
  private mutating func events(_ slice: TextSlice, _ entry: OpEntry, isSet: Bool) -> TextSlice {
    let first = plan.operands.count
    for place in slice.range {
      let operand = tree.operands[place]
      guard entry.hasTiles else {
        errors.add(
          "\(entry.mnemonic) has no events beside it", at: operand.span,
          hint: "they stand beside micro-ops with tiles; otherwise write set or wait on its line")
        continue
      }
      var result = PlanOperand(kind: .event)
      let name = text(operand.name)
      let other = Queue(name: name)
      if other == nil {
        errors.add(
          "there is no queue '\(name)'", at: operand.nameSpan,
          hint: DidYouMean.hint(for: name, among: Queue.allCases.map(\.name)))
      }
      if other == entry.queue {
        errors.add(
          "found an event of \(name) with itself", at: operand.nameSpan,
          hint: "a queue works in order; name the queue on the other side")
      }
      let queue = other ?? .load
      result.word =
        Event(from: isSet ? entry.queue : queue, to: isSet ? queue : entry.queue, id: 0).packed
      whole(operand.slot)
      whole(operand.row)
      result.slot = operand.slot
      result.row = operand.row
      plan.operands.append(result)
    }
    return TextSlice(first: Int32(first), count: Int32(plan.operands.count - first))
  }

  /// Operands of a micro-op without tiles, in order.
  private mutating func positional(_ statement: TextStatement, _ entry: OpEntry) {
    guard statement.destinations < 0, Int(statement.operands.count) == entry.operands.count else {
      let names = entry.operands.map(\.name).joined(separator: ", ")
      errors.add(
        "\(text(statement.name)) takes \(names.isEmpty ? "no operand" : names), found "
          + "\(statement.operands.count) operand\(statement.operands.count == 1 ? "" : "s")",
        at: statement.span, hint: Self.usage(entry))
      return
    }
    noAttributes(statement, entry)
    for (description, place) in zip(entry.operands, statement.operands.range) {
      let operand = tree.operands[place]
      switch description.kind {
      case .event: plan.operands.append(event(operand, entry))
      case .choice(let words):
        guard operand.kind == .tile, operand.slot < 0, !operand.hasRegion else {
          wrongChoice(description.name, words, source.text(operand.span), at: operand.span)
          continue
        }
        var result = PlanOperand(kind: .choice)
        if let word = words.firstIndex(of: text(operand.name)) {
          result.word = UInt32(word)
        } else {
          wrongChoice(description.name, words, text(operand.name), at: operand.span)
        }
        plan.operands.append(result)
      case .integer, .scalar, .tile:
        guard operand.kind == .value else {
          errors.add("found '\(source.text(operand.span))', needed a number", at: operand.span)
          continue
        }
        plan.operands.append(immediate(description, operand.slot))
      }
    }
  }

  /// Operands of a micro-op with tiles: what it writes, what it reads, and the rest by name.
  private mutating func tiles(_ statement: TextStatement, _ entry: OpEntry) {
    let written = entry.operands.filter { $0.tileAccess?.contains(.write) == true }
    let read = entry.operands.filter { $0.tileAccess?.contains(.write) == false }
    let count = Int(statement.operands.count)
    let before = statement.destinations < 0 ? count : Int(statement.destinations)
    guard before == written.count, count - before == read.count else {
      errors.add(
        "\(entry.mnemonic) writes \(Self.list(written)) and reads \(Self.list(read)), found "
          + "\(before) written and \(count - before) read", at: statement.span,
        hint: Self.usage(entry))
      return
    }
    var nextWritten = Int(statement.operands.first)
    var nextRead = nextWritten + before
    var used: Set<Int> = []
    for description in entry.operands {
      if case .tile(let space, let access) = description.kind {
        let isWritten = access.contains(.write)
        let place = isWritten ? nextWritten : nextRead
        if isWritten { nextWritten += 1 } else { nextRead += 1 }
        plan.operands.append(
          tile(tree.operands[place], in: space, entry, isWritten: isWritten))
      } else if let place = statement.attributes.range.first(where: {
        text(tree.attributes[$0].name) == description.name
      }) {
        used.insert(place)
        plan.operands.append(attribute(description, tree.attributes[place]))
      } else {
        errors.add(
          "\(entry.mnemonic) needs \(description.name)", at: statement.span,
          hint: Self.usage(entry))
      }
    }
    for place in statement.attributes.range where !used.contains(place) {
      let attribute = tree.attributes[place]
      let known = entry.operands.filter { $0.tileAccess == nil }.map(\.name)
      let isKnown = known.contains(text(attribute.name))
      errors.add(
        isKnown
          ? "\(text(attribute.name)) is given twice"
          : "\(entry.mnemonic) has no attribute '\(text(attribute.name))'", at: attribute.nameSpan,
        hint: isKnown
          ? "keep one of them" : DidYouMean.hint(for: text(attribute.name), among: known))
    }
  }

  private mutating func noAttributes(_ statement: TextStatement, _ entry: OpEntry) {
    guard let first = statement.attributes.range.first else { return }
    errors.add(
      "\(text(statement.name)) has no attributes", at: tree.attributes[first].nameSpan,
      hint: Self.usage(entry))
  }

  private static func list(_ operands: [OperandDescription]) -> String {
    switch operands.count {
    case 0: "nothing"
    default: operands.map(\.name).joined(separator: ", ")
    }
  }

  /// The form of a micro-op, for hints.
  static func usage(_ entry: OpEntry) -> String {
    let written = entry.operands.filter { $0.tileAccess?.contains(.write) == true }.map(\.name)
    let read = entry.operands.filter { $0.tileAccess?.contains(.write) == false }.map(\.name)
    var form = entry.mnemonic
    if entry.mnemonic.hasPrefix("sync.") { form = String(form.dropFirst(5)) }
    if written.isEmpty && read.isEmpty {
      let operands = entry.operands.map { operand in
        if case .event = operand.kind { return "load->vector:0" }
        return operand.name
      }
      return "write \(form) \(operands.joined(separator: ", "))"
    }
    form += " " + written.joined(separator: ", ")
    if !read.isEmpty { form += " <- " + read.joined(separator: ", ") }
    let others = entry.operands.filter { $0.tileAccess == nil }.map { operand -> String in
      if case .choice(let words) = operand.kind {
        return "\(operand.name)=\(words.joined(separator: "|"))"
      }
      return "\(operand.name)=…"
    }
    if !others.isEmpty { form += " {\(others.joined(separator: ", "))}" }
    return "write \(form)"
  }

  // MARK: Operands

  mutating func tile(
    _ operand: TextOperand, in space: Space, _ entry: OpEntry, isWritten: Bool
  ) -> PlanOperand {
    var result = PlanOperand(kind: .tile)
    guard operand.kind == .tile else {
      errors.add(
        "found '\(source.text(operand.span))', needed a tile in \(space.name)", at: operand.span,
        hint: Self.usage(entry))
      return result
    }
    if let key = keyIDs[UInt64(operand.name) << 8 | UInt64(space.rawValue)] {
      result.key = Int32(key)
      if operand.slot < 0 { holdTile(&result, key, entry, isWritten: isWritten) }
    } else {
      missing(operand, in: space, entry)
    }
    place(&result, operand)
    return result
  }

  /// Slot, rows and columns.
  mutating func place(_ result: inout PlanOperand, _ operand: TextOperand) {
    for node in [operand.slot, operand.row, operand.rows, operand.column, operand.columns] {
      whole(node)
    }
    result.slot = operand.slot
    result.row = operand.row
    result.rows = operand.rows
    result.column = operand.column
    result.columns = operand.columns
    guard operand.hasList else { return }
    if case .list(let list) = symbols[operand.list] {
      if plan.lists[list].number < 0 {
        errors.add(
          "'\(text(operand.list))' is a table, needed an index list", at: operand.listSpan,
          hint: "declare the rows with .index")
      }
      result.list = UInt32(max(0, plan.lists[list].number) + 1)
    } else {
      unknown(operand.list, at: operand.listSpan, "index list")
    }
  }

  /// Reports a buffer that is not in the memory that the micro-op needs.
  private mutating func missing(_ operand: TextOperand, in space: Space, _ entry: OpEntry) {
    let name = text(operand.name)
    let others = plan.keys.filter { $0.name == operand.name }.map(\.space.name)
    let known = plan.keys.filter { $0.space == space }.map { text($0.name) }
    if others.isEmpty {
      errors.add(
        "there is no '\(name)' in \(space.name)", at: operand.nameSpan,
        hint: DidYouMean.hint(for: name, among: known)
          ?? "declare it before its first use")
    } else {
      errors.add(
        "'\(name)' is in \(others.joined(separator: " and ")), \(entry.mnemonic) needs a tile in "
          + "\(space.name) here", at: operand.nameSpan, hint: Self.usage(entry))
    }
  }

  private mutating func event(_ operand: TextOperand, _ entry: OpEntry) -> PlanOperand {
    var result = PlanOperand(kind: .event)
    guard operand.kind == .event else {
      errors.add(
        "found '\(source.text(operand.span))', needed an event", at: operand.span,
        hint: Self.usage(entry))
      return result
    }
    let names = Queue.allCases.map(\.name)
    for (name, span) in [(operand.name, operand.nameSpan), (operand.target, operand.targetSpan)]
    where Queue(name: text(name)) == nil {
      errors.add(
        "there is no queue '\(text(name))'", at: span,
        hint: DidYouMean.hint(for: text(name), among: names))
    }
    whole(operand.slot)
    result.slot = operand.slot
    let from = Queue(name: text(operand.name)) ?? .load
    let to = Queue(name: text(operand.target)) ?? .load
    result.word = Event(from: from, to: to, id: 0).packed
    return result
  }

  private mutating func attribute(
    _ description: OperandDescription, _ attribute: TextAttribute
  ) -> PlanOperand {
    guard attribute.value >= 0 else {
      errors.add("\(description.name) needs one value, found a list", at: attribute.nameSpan)
      return PlanOperand(kind: .integer)
    }
    guard case .choice(let words) = description.kind else {
      return immediate(description, attribute.value)
    }
    let expression = tree.expressions[Int(attribute.value)]
    var result = PlanOperand(kind: .choice)
    if expression.kind == .name || expression.kind == .word {
      if let word = words.firstIndex(of: text(expression.name)) {
        result.word = UInt32(word)
        return result
      }
      let isVariable = symbols[expression.name] != nil && words == Bool.choices
      guard isVariable else {
        wrongChoice(description.name, words, text(expression.name), at: expression.span)
        return result
      }
    }
    guard words == Bool.choices else {
      wrongChoice(description.name, words, source.text(expression.span), at: expression.span)
      return result
    }
    // A condition: yes where it is not 0.
    whole(attribute.value)
    result.slot = attribute.value
    return result
  }

  private mutating func wrongChoice(
    _ name: String, _ words: [String], _ found: String, at span: TextSpan
  ) {
    let near = DidYouMean.suggest(found, among: words)
    errors.add(
      "\(name) needs one of \(words.joined(separator: ", ")), found '\(found)'", at: span,
      hint: near.map { "did you mean \($0)?" })
  }

  /// A number; an FP32 literal is read as FP32, without a detour.
  private mutating func immediate(_ description: OperandDescription, _ node: Int32) -> PlanOperand {
    guard case .scalar = description.kind else {
      whole(node)
      var result = PlanOperand(kind: .integer)
      result.slot = node
      return result
    }
    var result = PlanOperand(kind: .scalar)
    if let literal = literal(node) {
      result.word = literal.bitPattern
    } else {
      resolve(node)
      result.slot = node
      refuseQuotients(node)
    }
    return result
  }

  /// A quotient of whole numbers as a scalar is rounded down, which is hardly meant.
  private mutating func refuseQuotients(_ node: Int32) {
    let expression = tree.expressions[Int(node)]
    if expression.kind == .divide, plan.nodes[Int(node)].kind != .wrong,
      !plan.nodes[Int(node)].isReal
    {
      errors.add(
        "a quotient of whole numbers is rounded down, needed a real number", at: expression.span,
        hint: "write one of them with a point, such as 1.0")
    }
  }

  /// The FP32 value of a number, `inf`, `nan`, their negatives, or a word in quotes.
  private func literal(_ node: Int32) -> Float? {
    let expression = tree.expressions[Int(node)]
    switch expression.kind {
    case .real: return Float(text(expression.name))
    case .integer: return Float(expression.value)
    case .negate: return literal(expression.left).map { -$0 }
    case .name:
      switch text(expression.name) {
      case "inf": return .infinity
      case "nan": return .nan
      case let word where word.hasPrefix("0x"):
        return UInt32(word.dropFirst(2), radix: 16).map { Float(bitPattern: $0) }
      default: return nil
      }
    default: return nil
    }
  }
}

extension OperandDescription {
  /// How a tile is used; `nil` for what is no tile.
  var tileAccess: Access? {
    if case .tile(_, let access) = kind { return access }
    return nil
  }
}
