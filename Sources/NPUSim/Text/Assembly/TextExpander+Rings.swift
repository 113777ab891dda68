extension TextExpander {
  /// The rings of a key start anew with a buffer of so many slots; their events take the lowest IDs of
  /// their pairs that no ring before them has.
  mutating func startRings(_ key: Int, slots: Int) {
    for (number, ring) in plan.rings.enumerated() where ring.key == Int32(key) {
      rings[core][number].slots = slots
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

  /// Before a block: a producer waits until the slot is free, a consumer until it is full.
  mutating func acquire(_ index: Int, _ statement: PlanStatement) {
    let ring = plan.rings[Int(statement.key)]
    let state = rings[core][Int(statement.key)]
    guard let producer = ring.producer, let consumer = ring.consumer else { return }
    guard state.slots > 0 else {
      guard !brokenKeys.contains(ring.key) else { return broken[index] = true }
      return fail(
        "core \(core) has no slot of '\(tree.names[tree.statement(index).name])'",
        at: tree.statement(index).span, index, hint: "declare the buffer in the core's block")
    }
    if statement.kind == .produce {
      if state.produced >= state.slots {
        let id = state.free + state.produced % state.slots
        synchronise(index, Event(from: consumer, to: producer, id: UInt16(clamping: id)), .wait)
      }
    } else {
      let id = state.full + state.consumed % state.slots
      synchronise(index, Event(from: producer, to: consumer, id: UInt16(clamping: id)), .wait)
    }
  }

  /// After a block: the slot is full, or free for a later one if there is one.
  mutating func release(_ index: Int, _ statement: PlanStatement) {
    let ring = plan.rings[Int(statement.key)]
    let state = rings[core][Int(statement.key)]
    guard let producer = ring.producer, let consumer = ring.consumer, state.slots > 0 else {
      return
    }
    let end = Int(tree.lines[index].partner)
    if statement.kind == .produce {
      let id = state.full + state.produced % state.slots
      synchronise(end, Event(from: producer, to: consumer, id: UInt16(clamping: id)), .set)
      rings[core][Int(statement.key)].produced += 1
    } else {
      let total = core < totals.count ? totals[core][Int(statement.key)] : 0
      if state.consumed + state.slots < total {
        let id = state.free + state.consumed % state.slots
        synchronise(end, Event(from: consumer, to: producer, id: UInt16(clamping: id)), .set)
      }
      rings[core][Int(statement.key)].consumed += 1
    }
  }
}
