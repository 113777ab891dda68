/// The state of every event of a core while its order is executed.
struct EventTable {
  private struct Slot {
    /// Executed so far.
    var sets: UInt32 = 0
    var waits: UInt32 = 0
    /// 1 + the position of the last wait in its queue.
    var lastWaitEnd: UInt32 = 0
    var lastWait: Int32 = -1
    /// Queues held by this event, one bit each.
    var held: UInt8 = 0
    /// What the oldest set not yet waited for passes on.
    var pending = OrderKnowledge()
  }

  private var slots: [Slot]
  /// First slot of each ordered pair of ends.
  private var bases: [Int]
  /// Whether a set waits while its event is still set.
  private let blocks: Bool
  /// What further pending sets of an event pass on, oldest first, from `head` on.
  private struct Backlog {
    var clocks: [OrderKnowledge] = []
    var head = 0
  }

  private var backlogs: [Int: Backlog] = [:]
  /// Held queues whose head can pass now, one bit each.
  var woken: UInt8 = 0
  /// Whether some set did not know, or stood before, the wait that takes the set before it.
  private(set) var hasReuse = false
  /// Sets and waits that met.
  private(set) var matched = 0

  /// `eventIDs`: IDs in use of each ordered pair of ends.
  init(eventIDs: [Int], overwrite: EventOverwrite) {
    blocks = overwrite == .blocks
    bases = []
    var total = 0
    for count in eventIDs {
      bases.append(total)
      total += count
    }
    slots = Array(repeating: Slot(), count: total)
  }

  private func slot(of event: Event) -> Int { bases[event.pair] + Int(event.id) }

  /// Executes a set of an end that knows `clock`, or returns `false` where it blocks; a queue is held
  /// then.
  mutating func set(
    _ event: Event, index: Int, knowing clock: QueueClock, passing passed: OrderKnowledge
  ) -> Bool {
    let slot = slot(of: event)
    if slots[slot].sets > slots[slot].waits {
      if blocks {
        hold(event.source, slot)
        return false
      }
      hasReuse = true
      backlogs[slot, default: Backlog()].clocks.append(passed)
    } else {
      // What the sequencer waited for is known to all that it dispatches later.
      if Int(slots[slot].lastWait) > index
        || event.target.queue.map({ clock[$0.index] < slots[slot].lastWaitEnd }) ?? false
      {
        hasReuse = true
      }
      slots[slot].pending = passed
    }
    slots[slot].sets += 1
    wake(slot)
    return true
  }

  /// Executes a wait and returns what its set passes on, or returns `nil` where it cannot pass yet; a
  /// queue is held then.
  mutating func wait(_ event: Event, index: Int, position: UInt32) -> OrderKnowledge? {
    let slot = slot(of: event)
    guard slots[slot].sets > slots[slot].waits else {
      hold(event.target, slot)
      return nil
    }
    let learnt = slots[slot].pending
    slots[slot].waits += 1
    slots[slot].lastWaitEnd = position &+ 1
    slots[slot].lastWait = Int32(truncatingIfNeeded: index)
    matched += 1
    if slots[slot].sets > slots[slot].waits {
      let head = backlogs[slot]?.head ?? 0
      if let oldest = backlogs[slot]?.clocks[head] { slots[slot].pending = oldest }
      backlogs[slot]?.head += 1
      if slots[slot].sets == slots[slot].waits + 1 { backlogs[slot] = nil }
    }
    if blocks { wake(slot) }
    return learnt
  }

  /// The sequencer is not held: it stands where it is until the walk looks again.
  private mutating func hold(_ end: EventEnd, _ slot: Int) {
    if let queue = end.queue { slots[slot].held |= 1 << queue.rawValue }
  }

  private mutating func wake(_ slot: Int) {
    woken |= slots[slot].held
    slots[slot].held = 0
  }

  /// Waits of an event executed so far: the number of the set or wait that a held queue needs next.
  func waits(of event: Event) -> Int { Int(slots[slot(of: event)].waits) }

  /// Whether every set has met its wait.
  var isBalanced: Bool { slots.allSatisfy { $0.sets == $0.waits } }
}
