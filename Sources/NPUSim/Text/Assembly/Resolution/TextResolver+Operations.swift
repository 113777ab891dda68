extension TextResolver {
  // MARK: Micro-ops

  mutating func operation(_ statement: TextStatement, _ index: Int) {
    guard var form = forms.form(statement.name) else {
      return unknownMnemonic(statement)
    }
    if refuseSynchronisation(statement, form) { return }
    plan.statements[index].opcode = form.opcode
    let first = plan.operands.count
    if form.isOpaque {
      opaque(statement, &form)
      plan.statements[index].opaqueQueue = form.queue
    } else if form.hasTiles {
      tiles(statement, form)
    } else {
      positional(statement, form)
    }
    plan.statements[index].operands = TextSlice(
      first: Int32(first), count: Int32(plan.operands.count - first))
    plan.statements[index].isConstant = Self.isConstant(plan.operands[first...], plan.nodes)
    if !statement.waits.isEmpty {
      plan.statements[index].waits = events(statement.waits, form, isSet: false)
    }
    if !statement.sets.isEmpty {
      plan.statements[index].sets = events(statement.sets, form, isSet: true)
    }
  }

  /// Whether operands depend on no variable and on no ring.
  private static func isConstant(_ operands: ArraySlice<PlanOperand>, _ nodes: [PlanNode]) -> Bool {
    func isConstant(_ number: TextNumber) -> Bool {
      !number.isNode || nodes[Int(number.node)].kind == .constant
    }
    for operand in operands {
      guard operand.ring == 0, isConstant(operand.slot), isConstant(operand.row),
        isConstant(operand.rows), isConstant(operand.column), isConstant(operand.columns)
      else { return false }
    }
    return true
  }

  private mutating func unknownMnemonic(_ statement: TextStatement) {
    let word = text(statement.name)
    let mnemonics = catalogue.entries.map(\.mnemonic)
    let short = mnemonics.map { $0.hasPrefix("sync.") ? String($0.dropFirst(5)) : $0 }
    // Without its queue, or a queue alone.
    let same = mnemonics.filter { $0.hasSuffix("." + word) }
    let queue = mnemonics.filter { $0.hasPrefix(word + ".") }
    var hint = "docs/isa.md lists them"
    if let near = same.first {
      hint = "did you mean \(near)?"
    } else if word != "sync", !queue.isEmpty {
      hint = "known: " + queue.prefix(8).joined(separator: ", ") + (queue.count > 8 ? ", …" : "")
    } else if let near = DidYouMean.suggest(word, among: short + ["produce", "consume", "tap"]) {
      hint = "did you mean \(near)?"
    }
    errors.add("there is no micro-op '\(word)'", at: statement.nameSpan, hint: hint)
  }

  /// The events beside a micro-op: those that its queue waits for, or sets.
  private mutating func events(_ slice: TextSlice, _ form: TextForm, isSet: Bool) -> TextSlice {
    let first = plan.operands.count
    for place in slice.range {
      let operand = tree.operands[place]
      guard form.hasTiles else {
        errors.add(
          "\(catalogue[form.opcode].mnemonic) has no events beside it", at: operand.span,
          hint: "they stand beside micro-ops with tiles; otherwise write set or wait on its line")
        continue
      }
      var result = PlanOperand(kind: .event)
      let own = EventEnd.queue(form.queue)
      let other = end(operand.name, at: operand.nameSpan)
      if other == own {
        errors.add(
          "found an event of \(form.queue.name) with itself", at: operand.nameSpan,
          hint: "a queue works in order; name the queue on the other side")
      }
      let end = other ?? .queue(.load)
      result.word =
        Event(source: isSet ? own : end, target: isSet ? end : own, id: 0).packed
      whole(operand.slot)
      whole(operand.row)
      result.slot = operand.slot
      result.row = operand.row
      plan.operands.append(result)
    }
    return TextSlice(first: Int32(first), count: Int32(plan.operands.count - first))
  }

  /// The queue of a name, or the sequencer; reported where there is none.
  mutating func end(_ name: UInt32, at span: TextSpan) -> EventEnd? {
    if let end = forms.end(name) { return end }
    reportQueue(name, at: span, among: EventEnd.all.map(\.name))
    return nil
  }

  /// The queue of a name; reported where there is none.
  mutating func queue(_ name: UInt32, at span: TextSpan) -> Queue? {
    if let queue = forms.end(name)?.queue { return queue }
    reportQueue(name, at: span, among: Queue.allCases.map(\.name))
    return nil
  }

  private mutating func reportQueue(_ name: UInt32, at span: TextSpan, among known: [String]) {
    errors.add(
      "there is no queue '\(text(name))'", at: span,
      hint: DidYouMean.hint(for: text(name), among: known))
  }

  /// Operands of a micro-op without tiles, in order.
  private mutating func positional(_ statement: TextStatement, _ form: TextForm) {
    guard statement.destinations < 0, Int(statement.operands.count) == form.end - form.first else {
      let names = catalogue[form.opcode].operands.map(\.name).joined(separator: ", ")
      errors.add(
        "\(text(statement.name)) takes \(names.isEmpty ? "no operand" : names), found "
          + Self.count(statement.operands, "operand"),
        at: statement.span, hint: usage(form))
      return
    }
    if !statement.attributes.isEmpty { noAttributes(statement, form) }
    for offset in 0..<Int(statement.operands.count) {
      let operand = tree.operands[Int(statement.operands.first) + offset]
      let description = forms.operands[form.first + offset]
      switch description.kind {
      case .event: plan.operands.append(event(operand, form))
      case .choice:
        guard operand.kind == .tile, !operand.slot.isThere, !operand.hasRegion else {
          wrongChoice(form.first + offset, form, source.text(operand.span), at: operand.span)
          continue
        }
        var result = PlanOperand(kind: .choice)
        if let word = forms.word(operand.name, of: description) {
          result.word = UInt32(word)
        } else {
          wrongChoice(form.first + offset, form, text(operand.name), at: operand.span)
        }
        plan.operands.append(result)
      case .integer, .scalar, .tile:
        guard operand.kind == .value else {
          errors.add("found '\(source.text(operand.span))', needed a number", at: operand.span)
          continue
        }
        plan.operands.append(immediate(description.kind, operand.slot))
      }
    }
  }

  /// Operands of a micro-op with tiles: what it writes, what it reads, and the rest by name.
  private mutating func tiles(_ statement: TextStatement, _ form: TextForm) {
    let count = Int(statement.operands.count)
    let before = statement.destinations < 0 ? count : Int(statement.destinations)
    guard before == form.written, count - before == form.read else {
      return wrongCounts(statement, form, before)
    }
    var nextWritten = Int(statement.operands.first)
    var nextRead = nextWritten + before
    var used = 0
    var missing: Int?
    for place in form.first..<form.end {
      let description = forms.operands[place]
      if description.kind == .tile {
        let operand = description.isWritten ? nextWritten : nextRead
        if description.isWritten { nextWritten += 1 } else { nextRead += 1 }
        plan.operands.append(tile(tree.operands[operand], description, form))
      } else if let attribute = attribute(description.name, of: statement) {
        used += 1
        plan.operands.append(self.attribute(place, form, tree.attributes[attribute]))
      } else if description.isOptional {
        plan.operands.append(PlanOperand(kind: .choice))
      } else {
        missing = missing ?? place
      }
    }
    if used < statement.attributes.count {
      excess(statement, form)
    } else if let missing {
      errors.add(
        "\(catalogue[form.opcode].mnemonic) needs \(description(missing, form).name)",
        at: statement.span, hint: usage(form))
    }
  }

  /// The first attribute of a name.
  mutating func attribute(_ name: UInt32, of statement: TextStatement) -> Int? {
    for place in statement.attributes.range where tree.attributes[place].name == name {
      return place
    }
    return nil
  }

  private mutating func wrongCounts(_ statement: TextStatement, _ form: TextForm, _ before: Int) {
    let entry = catalogue[form.opcode]
    let written = entry.operands.filter { $0.tileAccess?.contains(.write) == true }
    let read = entry.operands.filter { $0.tileAccess?.contains(.write) == false }
    errors.add(
      "\(entry.mnemonic) writes \(Self.list(written)) and reads \(Self.list(read)), found "
        + "\(before) written and \(Int(statement.operands.count) - before) read",
      at: statement.span, hint: Self.usage(entry))
  }

  /// Reports the attributes that a micro-op does not have, or has twice.
  private mutating func excess(_ statement: TextStatement, _ form: TextForm) {
    let entry = catalogue[form.opcode]
    let known = entry.operands.filter { $0.tileAccess == nil }.map(\.name)
    for place in statement.attributes.range {
      let attribute = tree.attributes[place]
      let name = text(attribute.name)
      let isKnown = known.contains(name)
      if isKnown, self.attribute(attribute.name, of: statement) == place { continue }
      errors.add(
        isKnown ? "\(name) is given twice" : "\(entry.mnemonic) has no attribute '\(name)'",
        at: attribute.nameSpan,
        hint: isKnown ? "keep one of them" : DidYouMean.hint(for: name, among: known))
    }
  }

  /// The operand of the catalogue that a place in ``TextForms/operands`` stands for.
  func description(_ place: Int, _ form: TextForm) -> OperandDescription {
    catalogue[form.opcode].operands[place - form.first]
  }

  private mutating func noAttributes(_ statement: TextStatement, _ form: TextForm) {
    errors.add(
      "\(text(statement.name)) has no attributes",
      at: tree.attributes[Int(statement.attributes.first)].nameSpan, hint: usage(form))
  }

  private static func list(_ operands: [OperandDescription]) -> String {
    switch operands.count {
    case 0: "nothing"
    default: operands.map(\.name).joined(separator: ", ")
    }
  }

  func usage(_ form: TextForm) -> String { Self.usage(catalogue[form.opcode]) }

  /// The form of a micro-op, for hints.
  static func usage(_ entry: OpEntry) -> String {
    let written = entry.operands.filter { $0.tileAccess?.contains(.write) == true }.map(\.name)
    let read = entry.operands.filter { $0.tileAccess?.contains(.write) == false }.map(\.name)
    var form = entry.mnemonic
    if entry.mnemonic.hasPrefix("sync.") { form = String(form.dropFirst(5)) }
    if entry.kind.isBetweenCores {
      return "write \(entry.kind == .coreSet ? "set" : "wait") core 1 load->vector:0"
    }
    if written.isEmpty && read.isEmpty {
      let operands = entry.operands.map { operand in
        if case .event = operand.kind { return "load->vector:0" }
        return operand.name
      }
      return "write \(form) \(operands.joined(separator: ", "))"
    }
    form += " " + written.joined(separator: ", ")
    if !read.isEmpty { form += " <- " + read.joined(separator: ", ") }
    let needed = entry.operands.filter { $0.tileAccess == nil && !$0.isOptional }
    let others = needed.map { operand -> String in
      if case .choice(let words) = operand.kind {
        return "\(operand.name)=\(words.joined(separator: "|"))"
      }
      return "\(operand.name)=…"
    }
    if !others.isEmpty { form += " {\(others.joined(separator: ", "))}" }
    return "write \(form)"
  }
}
