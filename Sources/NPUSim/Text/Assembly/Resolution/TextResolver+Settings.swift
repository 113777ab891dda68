extension TextResolver {
  /// `.sync auto`, or `.order found`: once, at the head of the text.
  mutating func setting(_ statement: TextStatement) {
    let isOfOrder = statement.kind == .order
    let directive = isOfOrder ? ".order" : ".sync"
    let words = isOfOrder ? QueueOrder.allCases.map(\.name) : ["auto"]
    guard words.contains(text(statement.name)) else {
      return errors.add(
        "found '\(directive) \(text(statement.name))', needed \(words.joined(separator: " or "))",
        at: statement.nameSpan,
        hint: isOfOrder
          ? "without it the micro-ops keep the order in which they are written"
          : "without it every event is written in the text")
    }
    // The statement itself is the last one.
    let earlier = plan.statements.dropLast().map(\.kind)
    if earlier.contains(statement.kind) {
      errors.add("found a second \(directive)", at: statement.span, hint: "remove one of them")
    } else if earlier.contains(where: Self.acts) {
      errors.add(
        "found \(directive) behind the first micro-op or block", at: statement.span,
        hint: "it says something of the whole program: write it at the head")
    }
    if isOfOrder {
      plan.order = text(statement.name) == QueueOrder.found.name ? .found : .written
      foundOrder = plan.order == .found ? statement.span : nil
    } else {
      plan.isSequential = true
    }
  }

  /// Whether a statement does something, or may.
  private static func acts(_ kind: TextStatement.Kind) -> Bool {
    switch kind {
    case .operation, .tap, .core, .loop, .scope, .branch, .produce, .consume, .call, .expansion:
      true
    default: false
    }
  }

  /// Reports a found order where the text has one of its own.
  mutating func reportExplicitOrder() {
    guard let span = foundOrder, !plan.isSequential else { return }
    errors.add(
      "found '.order found' without '.sync auto'", at: span,
      hint: "a program with events of its own is kept as it is written")
  }

  /// Reports what orders micro-ops where their order is made; returns whether there was any.
  mutating func refuseSynchronisation(_ statement: TextStatement, _ form: TextForm) -> Bool {
    guard plan.isSequential else { return false }
    for slice in [statement.waits, statement.sets] where !slice.isEmpty {
      refuse("an event beside a micro-op", at: tree.operands[Int(slice.first)].span)
      return true
    }
    let mnemonic = catalogue[form.opcode].mnemonic
    guard mnemonic.hasPrefix("sync."), mnemonic != ChipBarrier.mnemonic else { return false }
    refuse("'\(text(statement.name))'", at: statement.nameSpan)
    return true
  }

  /// Reports something that orders micro-ops.
  mutating func refuse(_ what: String, at span: TextSpan) {
    errors.add(
      "found \(what) in a text with '.sync auto'", at: span,
      hint: "micro-ops mean what they do one after another, and events are made for them: leave it "
        + "out, or remove '.sync auto'")
  }
}
