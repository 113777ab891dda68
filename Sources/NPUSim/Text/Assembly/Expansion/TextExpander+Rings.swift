extension TextExpander {
  /// How far a ring of a core has come.
  struct RingState {
    /// Turns of one side, each of which is one slot.
    struct Side {
      /// The turn that the next block holds.
      var next = 0
      /// The turn of the innermost block that is open.
      var current = 0
      /// Blocks that are open: the slots that are held at once.
      var open = 0
      /// Micro-ops of the core before the outermost block that is open.
      var start = 0
    }

    var produced = Side()
    var consumed = Side()
    var slots = 0
    /// By how many turns it is filled before where that is written.
    var ahead = 0
    /// First ID of the events that say a slot is full, and of those that say it is free.
    var full = 0
    var free = 0
  }

  /// The rings of a key start anew with a buffer of so many slots, which are filled so many turns ahead;
  /// their events take the lowest IDs of their pairs that no ring before them has.
  mutating func startRings(_ key: Int, slots: Int, ahead: Int) {
    for (number, ring) in plan.rings.enumerated() where ring.key == Int32(key) {
      rings[core][number].slots = slots
      rings[core][number].ahead = ahead
      guard let producer = ring.producer, let consumer = ring.consumer else { continue }
      func used(from: Queue, to: Queue) -> Int {
        rings[core].enumerated().reduce(0) { highest, entry in
          guard entry.offset != number, entry.element.slots > 0 else { return highest }
          let other = plan.rings[entry.offset]
          if other.producer == from && other.consumer == to {
            return max(highest, entry.element.full + entry.element.slots)
          }
          if other.producer == to && other.consumer == from {
            return max(highest, entry.element.free + entry.element.slots)
          }
          return highest
        }
      }
      rings[core][number].full = used(from: producer, to: consumer)
      rings[core][number].free = used(from: consumer, to: producer)
    }
  }

  /// Before a block: a producer waits until the next slot is free, a consumer until it is full.
  /// Returns the turn that is held around the block; `nil` where there is no slot.
  mutating func acquire(_ index: Int, _ statement: PlanStatement) -> Int? {
    let number = Int(statement.key)
    let ring = plan.rings[number]
    let state = rings[core][number]
    guard let producer = ring.producer, let consumer = ring.consumer else { return nil }
    let isProduced = statement.kind == .produce
    var side = isProduced ? state.produced : state.consumed
    guard side.open < state.slots else {
      if brokenKeys.contains(ring.key) {
        broken[index] = true
      } else {
        failToHold(index, side.open + 1, slots: state.slots)
      }
      return nil
    }
    let slot = side.next % state.slots
    if isProduced && side.open == 0 {
      side.start = positions[core]
      guard state.ahead == 0 || opens(number, index) else { return nil }
    }
    if !isProduced {
      let full = Event(from: producer, to: consumer, id: UInt16(clamping: state.full + slot))
      synchronise(index, full, .wait)
    } else if side.next >= state.slots {
      let free = Event(from: consumer, to: producer, id: UInt16(clamping: state.free + slot))
      synchronise(index, free, .wait)
    }
    let outer = side.current
    side.current = side.next
    side.next += 1
    side.open += 1
    keep(side, of: number, isProduced: isProduced)
    return outer
  }

  /// Opens a block that runs ahead; `false` where it is inside another one.
  private mutating func opens(_ ring: Int, _ index: Int) -> Bool {
    guard let outer = runAhead[core].open(ring) else { return true }
    let key = plan.keys[Int(plan.rings[outer].key)]
    fail(
      "found a block that runs ahead inside one of '\(tree.names[key.name])', which does, too",
      at: tree.statement(index).span, index,
      hint: "leave ahead to one of the two, or close the outer block first")
    return false
  }

  private mutating func keep(_ side: RingState.Side, of ring: Int, isProduced: Bool) {
    if isProduced { rings[core][ring].produced = side } else { rings[core][ring].consumed = side }
  }

  /// A ring has fewer slots than are to be held at once.
  private mutating func failToHold(_ index: Int, _ count: Int, slots: Int) {
    let statement = tree.statement(index)
    let name = tree.names[statement.name]
    if slots == 0 {
      return fail(
        "core \(core) has no slot of '\(name)'", at: statement.span, index,
        hint: "declare the buffer in the core's block")
    }
    fail(
      "found \(count) slots of '\(name)' held at once, it has \(slots): the last one never comes",
      at: statement.span, index,
      hint: "declare \(name) with {slots=\(count)} or more, or close a block that holds one first")
  }

  /// After a block: the slot is full, or free for a later one if there is one.
  mutating func release(_ index: Int, _ statement: PlanStatement, outer: Int) {
    let number = Int(statement.key)
    let ring = plan.rings[number]
    let state = rings[core][number]
    guard let producer = ring.producer, let consumer = ring.consumer else { return }
    let isProduced = statement.kind == .produce
    var side = isProduced ? state.produced : state.consumed
    let end = Int(tree.lines[index].partner)
    let slot = side.current % state.slots
    let total = core < totals.count ? totals[core][number] : 0
    if isProduced {
      let full = Event(from: producer, to: consumer, id: UInt16(clamping: state.full + slot))
      synchronise(end, full, .set)
    } else if side.current + state.slots < total {
      let free = Event(from: consumer, to: producer, id: UInt16(clamping: state.free + slot))
      synchronise(end, free, .set)
    }
    side.current = outer
    side.open -= 1
    if isProduced && side.open == 0 && state.ahead > 0 {
      runAhead[core].close(number, side.start..<positions[core], turns: state.ahead)
    }
    keep(side, of: number, isProduced: isProduced)
  }
}
