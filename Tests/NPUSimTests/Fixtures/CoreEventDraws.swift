import NPUSim

extension Program {
  /// In most programs of several cores, events between them: the wait mostly further on in its core's
  /// list than the set in its own, now and then more of them than are counted.
  mutating func addCoreEvents(_ random: inout SeededGenerator) {
    guard cores.count > 1, random.below(4) > 0 else { return }
    machine.coreEventCapacity = random.below(3) == 0 ? 15 : 1 + random.below(2)
    for _ in 0..<1 + random.below(6) {
      let setter = random.below(cores.count)
      let waiter = (setter + 1 + random.below(cores.count - 1)) % cores.count
      let event = Event(
        from: Queue.allCases[random.below(Queue.count)], to: random.below(2) == 0 ? .load : .vector,
        id: UInt16(random.below(2)))
      var places = [random.below(101), random.below(101)].sorted()
      if random.below(12) == 0 { places.swapAt(0, 1) }
      insert(.coreSet, event, other: waiter, in: setter, at: places[0])
      if random.below(16) > 0 { insert(.coreWait, event, other: setter, in: waiter, at: places[1]) }
    }
  }

  /// Inserts a set or wait behind so many hundredths of a core's list.
  private mutating func insert(
    _ kind: OpKind, _ event: Event, other: Int, in core: Int, at place: Int
  ) {
    guard
      let opcode = catalogue.opcode(named: kind == .coreSet ? "sync.set_core" : "sync.wait_core"),
      let queue = (kind == .coreSet ? event.source : event.target).queue
    else { return }
    var record = OpRecord(opcode: opcode, queue: queue, kind: kind)
    record.operandCount = 2
    record.words[0] = UInt32(other)
    record.words[1] = event.packed
    let at = cores[core].count * place / 100
    cores[core].insert(record, at: at)
    for index in taps.indices where taps[index].core == core && taps[index].op >= at {
      taps[index].op += 1
    }
  }
}
