extension TextResolver {
  /// One end of a ring: where it is filled, or where it is used up.
  struct RingEnd: Hashable {
    /// Index in ``TextPlan/rings``; −1 for a ring that is not known.
    var ring: Int
    var isProduced: Bool
  }

  /// Reports rings of which nothing makes, or takes, anything.
  mutating func reportUnusedRings() {
    func isOpen(_ ring: Int, _ queue: Queue?, isProduced: Bool) -> Bool {
      queue == nil && !doubtfulEnds.contains(RingEnd(ring: ring, isProduced: isProduced))
        && !doubtfulEnds.contains(RingEnd(ring: -1, isProduced: isProduced))
    }
    for (number, ring) in plan.rings.enumerated() {
      let isNeverFilled = isOpen(number, ring.producer, isProduced: true)
      guard isNeverFilled || isOpen(number, ring.consumer, isProduced: false) else { continue }
      let statement = tree.statements[Int(ring.statement)]
      let missing = isNeverFilled ? "writes it between produce" : "reads it between consume"
      errors.add(
        "nothing \(missing) \(tree.names[statement.name]) and its .end", at: statement.nameSpan,
        hint: "a ring is filled in produce blocks and used up in consume blocks")
    }
  }

  /// Reports buffers that are to be filled ahead and are no rings.
  mutating func reportIdleAheads() {
    for (name, span) in aheads {
      if plan.isSequential {
        refuse("ahead", at: span)
      } else if !plan.rings.contains(where: { plan.keys[Int($0.key)].name == name }) {
        errors.add(
          "found ahead at '\(text(name))', which no produce block fills", at: span,
          hint: "it says how many turns before its place a produce block runs: leave it out, or "
            + "fill the buffer with produce and consume")
      }
    }
  }

  /// Opens a `produce` or `consume` block.
  mutating func hold(_ statement: TextStatement, _ index: Int) {
    if plan.isSequential {
      refuse("'\(statement.kind == .produce ? "produce" : "consume")'", at: statement.span)
    }
    let isProduced = statement.kind == .produce
    let found = plan.keys.indices.filter {
      plan.keys[$0].name == statement.name && plan.keys[$0].space.isOnChip
    }
    var ring = plan.rings.count
    if found.count == 1 {
      ring = plan.rings.firstIndex { $0.key == Int32(found[0]) } ?? ring
      if ring == plan.rings.count {
        plan.rings.append(PlanRing(key: Int32(found[0]), statement: Int32(index)))
      }
      if held.contains(where: { $0.ring == ring && $0.isProduced != isProduced }) {
        errors.add(
          "'\(text(statement.name))' is \(isProduced ? "used up" : "filled") around this block",
          at: statement.nameSpan,
          hint: "close the \(isProduced ? "consume" : "produce") block first")
      }
    } else if misplaced.contains(statement.name)
      || found.isEmpty && !missingNames.insert(statement.name).inserted
    {
      ring = -1
    } else {
      let known = plan.keys.filter(\.space.isOnChip).map { text($0.name) }
      errors.add(
        found.isEmpty
          ? "there is no buffer '\(text(statement.name))'"
          : "'\(text(statement.name))' stands for buffers in several memories",
        at: statement.nameSpan,
        hint: found.isEmpty
          ? DidYouMean.hint(for: text(statement.name), among: known) : "rename one of them")
      ring = -1
    }
    plan.statements[index].key = Int32(ring)
    let end = RingEnd(ring: ring, isProduced: isProduced)
    if ring < 0 { doubtfulEnds.insert(end) }
    held.append(end)
  }

  /// A tile without a slot takes the current one of a ring that is held, and tells the ring's queues.
  mutating func holdTile(
    _ result: inout PlanOperand, _ key: Int, _ queue: Queue, isWritten: Bool
  ) {
    guard
      let holder = held.last(where: {
        $0.ring >= 0 && plan.rings[$0.ring].key == Int32(key)
      })
    else { return }
    result.ring = Int32(holder.ring + 1)
    result.isProduced = holder.isProduced
    guard holder.isProduced == isWritten else { return }
    let known =
      isWritten ? plan.rings[holder.ring].producer : plan.rings[holder.ring].consumer
    if isWritten {
      plan.rings[holder.ring].producer = known ?? queue
    } else {
      plan.rings[holder.ring].consumer = known ?? queue
    }
    if let known, known != queue {
      let name = text(plan.keys[key].name)
      let statement = tree.statements[Int(plan.rings[holder.ring].statement)]
      let shift = errors.shift
      defer { errors.shift = shift }
      errors.shift = 0
      errors.add(
        "ring '\(name)' is \(isWritten ? "filled" : "used up") by the queues \(known.name) and "
          + "\(queue.name), needed one", at: statement.nameSpan,
        hint: "order the second queue with set and wait, and leave the ring to the first")
    }
  }

  /// Counts the micro-ops that each block makes at least, so that the largest loops are refused
  /// before they run.
  mutating func countLeast() {
    // The blocks that are open, outermost first, and what is made before and behind them.
    var outer: [(opener: Int, count: Int64)] = []
    var count: Int64 = 0
    for line in tree.lines {
      let index = Int(line.statement)
      switch plan.statements[index].kind {
      case .operation: count = count.addedClamped(to: 1)
      case .core, .loop, .scope, .branch, .produce, .consume, .expansion:
        outer.append((index, count))
        count = 0
      case .end:
        guard let block = outer.popLast() else { continue }
        switch plan.statements[block.opener].kind {
        // It may make nothing.
        case .branch: count = 0
        case .loop:
          plan.statements[block.opener].least = count
          count = count.multipliedClamped(by: iterations(of: block.opener))
        default: break
        }
        count = block.count.addedClamped(to: count)
      default: break
      }
    }
    let hasCores = tree.statements.contains { $0.kind == .core }
    plan.least = hasCores ? 0 : count
  }

  /// How often a loop with constant bounds runs; 0 where they are not constant.
  private func iterations(of index: Int) -> Int64 {
    let loop = plan.statements[index]
    guard let first = constant(loop.first), let last = constant(loop.last),
      let step = loop.step.isThere ? constant(loop.step) : 1
    else { return 0 }
    guard step > 0, last > first else { return 0 }
    let (distance, overflow) = last.subtractingReportingOverflow(first)
    return overflow ? .max : (distance - 1) / step + 1
  }

  /// The value of a number that is known before the expansion.
  private func constant(_ number: TextNumber) -> Int64? {
    if let literal = number.literal { return literal }
    guard number.isNode, plan.nodes[Int(number.node)].kind == .constant else { return nil }
    return plan.nodes[Int(number.node)].value
  }
}
