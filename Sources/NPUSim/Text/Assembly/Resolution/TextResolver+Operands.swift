extension TextResolver {
  // MARK: Operands

  mutating func tile(
    _ operand: TextOperand, _ description: TextForm.Operand, _ form: TextForm
  ) -> PlanOperand {
    var result = PlanOperand(kind: .tile)
    guard operand.kind == .tile else {
      errors.add(
        "found '\(source.text(operand.span))', needed a tile in \(description.space.name)",
        at: operand.span, hint: usage(form) + scalarUsage(form))
      return result
    }
    if let key = key(of: operand.name, in: description.space) {
      result.key = Int32(key)
      if !operand.slot.isThere, !held.isEmpty {
        holdTile(&result, key, form.queue, isWritten: description.isWritten)
      }
    } else {
      missing(operand, in: description.space, form)
    }
    place(&result, operand)
    return result
  }

  /// The micro-op that takes a number in place of a tile, for hints.
  private func scalarUsage(_ form: TextForm) -> String {
    let name = catalogue[form.opcode].mnemonic + "_scalar"
    return catalogue.opcode(named: name) == nil ? "" : ", or \(name) for a number"
  }

  /// Slot, rows and columns.
  mutating func place(_ result: inout PlanOperand, _ operand: TextOperand) {
    whole(operand.slot)
    whole(operand.row)
    whole(operand.rows)
    whole(operand.column)
    whole(operand.columns)
    result.slot = operand.slot
    result.row = operand.row
    result.rows = operand.rows
    result.column = operand.column
    result.columns = operand.columns
    guard operand.hasList else { return }
    if case .list(let list) = symbols[operand.other] {
      if plan.lists[list].number < 0 {
        errors.add(
          "'\(text(operand.other))' is a table, needed an index list", at: operand.otherSpan,
          hint: "declare the rows with .index")
      }
      plan.lists[list].isUsed = true
      result.list = UInt32(max(0, plan.lists[list].number) + 1)
    } else {
      unknown(operand.other, at: operand.otherSpan, "index list")
    }
  }

  /// Reports a buffer that is not in the memory that the micro-op needs.
  private mutating func missing(_ operand: TextOperand, in space: Space, _ form: TextForm) {
    let name = text(operand.name)
    let others = plan.keys.filter { $0.name == operand.name }.map(\.space.name)
    // Later uses are wrong for the same reason.
    let isNew =
      others.isEmpty
      ? missingNames.insert(operand.name).inserted
      : foreignNames.insert(UInt64(operand.name) << 8 | UInt64(space.rawValue)).inserted
    guard isNew, !misplaced.contains(operand.name) else { return errors.addConsequence() }
    let known = plan.keys.filter { $0.space == space }.map { text($0.name) }
    if others.isEmpty {
      errors.add(
        "there is no '\(name)' in \(space.name)", at: operand.nameSpan,
        hint: DidYouMean.hint(for: name, among: known)
          ?? "declare it before its first use")
    } else {
      errors.add(
        "'\(name)' is in \(others.joined(separator: " and ")), "
          + "\(catalogue[form.opcode].mnemonic) needs a tile in \(space.name) here",
        at: operand.nameSpan, hint: usage(form))
    }
  }

  mutating func event(_ operand: TextOperand, _ form: TextForm) -> PlanOperand {
    var result = PlanOperand(kind: .event)
    guard operand.kind == .event else {
      errors.add(
        "found '\(source.text(operand.span))', needed an event", at: operand.span,
        hint: usage(form))
      return result
    }
    let from = end(operand.name, at: operand.nameSpan) ?? .queue(.load)
    let to = end(operand.other, at: operand.otherSpan) ?? .queue(.load)
    whole(operand.slot)
    result.slot = operand.slot
    result.word = Event(source: from, target: to, id: 0).packed
    return result
  }

  mutating func attribute(
    _ place: Int, _ form: TextForm, _ attribute: TextAttribute
  ) -> PlanOperand {
    let description = forms.operands[place]
    guard attribute.value.isNode else {
      errors.add(
        "\(text(attribute.name)) needs one value, found a list", at: attribute.nameSpan)
      return PlanOperand(kind: .integer)
    }
    guard description.kind == .choice else { return immediate(description.kind, attribute.value) }
    let expression = tree.expressions[Int(attribute.value.node)]
    var result = PlanOperand(kind: .choice)
    if expression.kind == .name || expression.kind == .word {
      if let word = forms.word(expression.name, of: description) {
        result.word = UInt32(word)
        return result
      }
      guard symbols[expression.name] != nil && description.isFlag else {
        wrongChoice(place, form, text(expression.name), at: expression.span)
        return result
      }
    }
    guard description.isFlag else {
      wrongChoice(place, form, source.text(expression.span), at: expression.span)
      return result
    }
    // A condition: yes where it is not 0.
    whole(attribute.value)
    result.slot = attribute.value
    return result
  }

  mutating func wrongChoice(
    _ place: Int, _ form: TextForm, _ found: String, at span: TextSpan
  ) {
    let description = description(place, form)
    guard case .choice(let words) = description.kind else { return }
    let near = DidYouMean.suggest(found, among: words)
    errors.add(
      "\(description.name) needs one of \(words.joined(separator: ", ")), found '\(found)'",
      at: span, hint: near.map { "did you mean \($0)?" })
  }

  /// A number; an FP32 literal is read as FP32, without a detour.
  mutating func immediate(_ kind: PlanOperand.Kind, _ value: TextNumber) -> PlanOperand {
    guard kind == .scalar else {
      whole(value)
      var result = PlanOperand(kind: .integer)
      result.slot = value
      return result
    }
    var result = PlanOperand(kind: .scalar)
    if let literal = value.literal {
      result.word = Float(literal).bitPattern
    } else if let literal = literal(value.node) {
      result.word = literal.bitPattern
    } else {
      resolve(value.node)
      result.slot = value
      refuseQuotients(value.node)
    }
    return result
  }

  /// A quotient of whole numbers as a scalar is rounded down, which is hardly meant.
  private mutating func refuseQuotients(_ node: Int32) {
    guard node >= 0 else { return }
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
    guard node >= 0 else { return nil }
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
