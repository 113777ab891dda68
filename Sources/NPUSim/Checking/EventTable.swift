/// The state of every event of a core while its order is executed.
struct EventTable {
  /// A set that is not ordered after the wait that empties its event.
  struct DoubleSet: Hashable {
    var event: Event
    /// The set.
    var set: Int
    /// The wait that it may overtake, or −1 when that wait has not even been executed.
    var wait: Int
    /// The earlier set whose event it may overwrite.
    var earlierSet: Int
  }

  private struct Slot {
    /// Executed so far.
    var sets: UInt32 = 0
    var waits: UInt32 = 0
    /// 1 + the position of the last wait in its queue.
    var lastWaitEnd: UInt32 = 0
    var lastWait: Int32 = -1
    var lastSet: Int32 = -1
    /// Queues held by this event, one bit each.
    var held: UInt8 = 0
    /// What the oldest set not yet waited for passes on.
    var pending = QueueClock(repeating: 0)
  }

  private var slots: [Slot]
  /// First slot of each ordered pair of queues.
  private var bases: [Int]
  /// What further pending sets of an event pass on, oldest first, from `head` on.
  private struct Backlog {
    var clocks: [QueueClock] = []
    var head = 0
  }

  private var backlogs: [Int: Backlog] = [:]
  /// Held queues whose wait can pass now, one bit each.
  var woken: UInt8 = 0
  /// Sets that may overwrite an event, at most ``doubleSetLimit``.
  private(set) var doubleSets: [DoubleSet] = []
  private(set) var doubleSetCount = 0
  /// Sets and waits that met.
  private(set) var matched = 0

  static let doubleSetLimit = 1_000

  /// `eventIDs`: IDs in use of each ordered pair of queues.
  init(eventIDs: [Int]) {
    bases = []
    var total = 0
    for count in eventIDs {
      bases.append(total)
      total += count
    }
    slots = Array(repeating: Slot(), count: total)
  }

  private func slot(of event: Event) -> Int { bases[event.pair] + Int(event.id) }

  /// Executes a set of a queue that knows `clock`.
  mutating func set(
    _ event: Event, index: Int, knowing clock: QueueClock, passing passed: QueueClock
  ) {
    let slot = slot(of: event)
    if slots[slot].sets > slots[slot].waits {
      note(event, set: index, wait: -1, earlier: slots[slot].lastSet)
      backlogs[slot, default: Backlog()].clocks.append(passed)
    } else {
      if clock[event.target.index] < slots[slot].lastWaitEnd {
        note(event, set: index, wait: Int(slots[slot].lastWait), earlier: slots[slot].lastSet)
      }
      slots[slot].pending = passed
    }
    slots[slot].sets += 1
    slots[slot].lastSet = Int32(truncatingIfNeeded: index)
    woken |= slots[slot].held
    slots[slot].held = 0
  }

  /// Executes a wait and returns what its set passes on, or holds the queue and returns `nil`.
  mutating func wait(_ event: Event, index: Int, position: UInt32, queue: Int) -> QueueClock? {
    let slot = slot(of: event)
    guard slots[slot].sets > slots[slot].waits else {
      slots[slot].held |= 1 << UInt8(truncatingIfNeeded: queue)
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
    return learnt
  }

  /// Waits of an event executed so far.
  func waits(of event: Event) -> Int { Int(slots[slot(of: event)].waits) }

  /// Whether every set has met its wait.
  var isBalanced: Bool { slots.allSatisfy { $0.sets == $0.waits } }

  private mutating func note(_ event: Event, set: Int, wait: Int, earlier: Int32) {
    doubleSetCount += 1
    if doubleSets.count < Self.doubleSetLimit {
      doubleSets.append(
        DoubleSet(event: event, set: set, wait: wait, earlierSet: Int(earlier)))
    }
  }
}
