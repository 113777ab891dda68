extension TextResolver {
  /// `op QUEUE NAME results <- sources {cycles=N, latency=N, stream=yes, unit=hold}`: its tiles and its
  /// attributes become operands of the plan. The queue of the form becomes that of the statement.
  mutating func opaque(_ statement: TextStatement, _ form: inout TextForm) {
    let details = tree.declaration(of: statement)
    form.queue = queue(details.space, at: details.spaceSpan) ?? form.queue
    let count = Int(statement.operands.count)
    if count > OpRecord.maximumOperands {
      errors.add(
        "found \(count) tiles, needed at most \(OpRecord.maximumOperands)", at: statement.span,
        hint: "state it in two parts, or take neighbouring tiles as one")
    }
    if text(details.format).isEmpty {
      errors.add(
        "found an empty name, needed a word for findings and reports", at: details.formatSpan)
    }
    for (place, index) in statement.operands.range.enumerated() {
      let isWritten = statement.destinations < 0 || place < Int(statement.destinations)
      plan.operands.append(opaqueTile(tree.operands[index], form, isWritten: isWritten))
    }
    opaqueAttributes(statement, on: form.queue)
  }

  private static let opaqueUsage = "write op vector NAME results <- sources {cycles=1}"

  /// A tile of a buffer that is named alone, or behind its memory.
  private mutating func opaqueTile(
    _ operand: TextOperand, _ form: TextForm, isWritten: Bool
  ) -> PlanOperand {
    var result = PlanOperand(kind: .tile)
    guard operand.kind == .tile else {
      errors.add(
        "found '\(source.text(operand.span))', needed a tile", at: operand.span,
        hint: Self.opaqueUsage)
      return result
    }
    if let key = key(ofOpaque: operand) {
      result.key = Int32(key)
      if !operand.slot.isThere, !held.isEmpty {
        holdTile(&result, key, form.queue, isWritten: isWritten)
      }
    }
    place(&result, operand)
    return result
  }

  private mutating func key(ofOpaque operand: TextOperand) -> Int? {
    let name = text(operand.name)
    if operand.memory != TextOperand.noMemory {
      let memory = text(operand.memory)
      guard let space = Space(name: memory) else {
        errors.add(
          "there is no memory '\(memory)'", at: operand.span,
          hint: DidYouMean.hint(for: memory, among: Space.allCases.map(\.name)))
        return nil
      }
      if let key = key(of: operand.name, in: space) { return key }
      missing(operand, in: space)
      return nil
    }
    var found: [Int] = []
    var key = Int(operand.name) < lastKeys.count ? lastKeys[Int(operand.name)] : -1
    while key >= 0 {
      found.append(Int(key))
      key = plan.keys[Int(key)].namesake
    }
    if found.count > 1 {
      let memories = found.reversed().map { plan.keys[$0].space.name }
      errors.add(
        "'\(name)' is in \(memories.joined(separator: " and "))", at: operand.nameSpan,
        hint: "say which one: \(memories[0]):\(name)")
    } else if found.isEmpty {
      missing(operand, in: nil)
    }
    return found.count == 1 ? found[0] : nil
  }

  /// Reports a name that no buffer has, in a memory or in any.
  private mutating func missing(_ operand: TextOperand, in space: Space?) {
    let isNew = missingNames.insert(operand.name).inserted
    guard isNew, !misplaced.contains(operand.name) else { return errors.addConsequence() }
    let name = text(operand.name)
    let known = plan.keys.filter { space == nil || $0.space == space }.map { text($0.name) }
    errors.add(
      "there is no '\(name)' in \(space?.name ?? "any memory")", at: operand.nameSpan,
      hint: DidYouMean.hint(for: name, among: known) ?? "declare it before its first use")
  }

  /// Its cycles, which must be there, its latency, 0 where it is left out, and two choices, whose first
  /// words are meant where they are left out.
  private mutating func opaqueAttributes(_ statement: TextStatement, on queue: Queue) {
    let choices = [("stream", Bool.choices), ("unit", OpaqueOp.unitWords(on: queue))]
    let names = ["cycles", "latency"] + choices.map(\.0)
    var values: [String: TextNumber] = [:]
    for place in statement.attributes.range {
      let attribute = tree.attributes[place]
      let name = text(attribute.name)
      guard names.contains(name), values[name] == nil else {
        let isKnown = names.contains(name)
        errors.add(
          isKnown ? "\(name) is given twice" : "op has no attribute '\(name)'",
          at: attribute.nameSpan,
          hint: isKnown ? "keep one of them" : DidYouMean.hint(for: name, among: names))
        continue
      }
      if !attribute.value.isThere {
        errors.add("\(name) needs one value, found a list", at: attribute.nameSpan)
      }
      if name == "cycles" || name == "latency" { whole(attribute.value) }
      values[name] = attribute.value
    }
    if values["cycles"] == nil {
      errors.add(
        "op needs the cycles for which it occupies its queue", at: statement.span,
        hint: Self.opaqueUsage)
    }
    for name in ["cycles", "latency"] {
      var operand = PlanOperand(kind: .integer)
      operand.slot = values[name] ?? TextNumber(literal: 0)
      plan.operands.append(operand)
    }
    for (name, words) in choices {
      plan.operands.append(opaqueChoice(name, words, values[name] ?? .none, statement))
    }
  }

  /// One of some words; of no and yes a condition, too.
  private mutating func opaqueChoice(
    _ name: String, _ words: [String], _ value: TextNumber, _ statement: TextStatement
  ) -> PlanOperand {
    var result = PlanOperand(kind: .choice)
    guard value.isThere else { return result }
    let expression = value.isNode ? tree.expressions[Int(value.node)] : nil
    let isWord = expression?.kind == .name || expression?.kind == .word
    let word = isWord ? expression.map { text($0.name) } ?? "" : ""
    if let index = words.firstIndex(of: word) {
      result.word = UInt32(index)
    } else if words == Bool.choices, !isWord || symbols[expression?.name ?? 0] != nil {
      // A condition: yes where it is not 0.
      whole(value)
      result.slot = value
    } else {
      let span = expression?.span ?? statement.span
      let found = value.literal.map(String.init) ?? source.text(span)
      errors.add(
        "\(name) needs one of \(words.joined(separator: ", ")), found '\(found)'", at: span,
        hint: DidYouMean.suggest(found, among: words).map { "did you mean \($0)?" })
    }
    return result
  }
}
