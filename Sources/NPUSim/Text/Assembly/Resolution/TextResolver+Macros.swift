extension TextResolver {
  /// The names of the blocks around a call: a macro sees its arguments and what is declared at the
  /// outermost level.
  struct HiddenNames {
    fileprivate var symbols: [(name: UInt32, symbol: Symbol, place: TextSpan?)] = []
    /// What messages said before the call.
    fileprivate var context = ""
  }

  /// Whether the line stands in a `.core` block.
  var isInCore: Bool { open.first.map { tree.statements[$0.statement].kind == .core } ?? false }

  // MARK: Calls

  /// Opens the block that takes a call's place: its arguments have values where the call stands.
  mutating func enterCall(_ statement: TextStatement, _ index: Int) {
    for place in statement.operands.range { whole(tree.operands[place].slot) }
    plan.statements[index].operands = statement.operands
    var block = Block(statement: index, slots: slots)
    block.hidden = hide()
    open.append(block)
    plan.statements[index].variable = Int16(clamping: slots + 1)
    for place in statement.operands.range {
      let argument = tree.operands[place]
      _ = variable(argument.name, argument.nameSpan)
    }
    let line = source.location(statement.span.shifted(errors.shift)).line
    errors.context = ", in \(text(statement.name)) of line \(line)" + errors.context
  }

  private mutating func hide() -> HiddenNames {
    var hidden = HiddenNames(context: errors.context)
    for name in open.flatMap(\.names) {
      guard let symbol = symbols.removeValue(forKey: name) else { continue }
      hidden.symbols.append((name, symbol, places.removeValue(forKey: name)))
    }
    return hidden
  }

  /// Ends a call: what it hid can be seen again.
  mutating func reveal(_ hidden: HiddenNames) {
    for entry in hidden.symbols {
      symbols[entry.name] = entry.symbol
      places[entry.name] = entry.place
    }
    errors.context = hidden.context
  }

  // MARK: Counters

  /// A step of a counter.
  mutating func advance(_ statement: TextStatement, _ index: Int) {
    whole(statement.step)
    plan.statements[index].step = statement.step
    switch symbols[statement.name] {
    case .counter(let slot, let isOfCore):
      plan.statements[index].variable = slot
      if isInCore, !isOfCore {
        errors.add(
          "'\(text(statement.name))' is declared outside the .core block that moves it on",
          at: statement.nameSpan, hint: "declare it in the block: each core counts for itself")
      }
    case .broken: break
    case .parameter, .variable, .list:
      errors.add(
        "'\(text(statement.name))' is no counter", at: statement.nameSpan,
        hint: "declare a counter with .count \(text(statement.name)) = 0")
    case nil: unknown(statement.name, at: statement.nameSpan, "counter")
    }
  }
}
