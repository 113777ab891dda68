/// Finds the neighbours of a micro-op in its core's list: earlier ones of a queue, the set of a wait,
/// and the barriers on all queues. Eight bytes a micro-op.
struct QueueIndex {
  /// For each micro-op the last one of its queue before it; for a barrier on all queues
  /// ``wideBit`` and its number among these.
  private var before: [UInt32]
  /// For each wait the set that it matches.
  private var sets: [UInt32]
  private var wide: [UInt32] = []
  /// For each barrier on all queues, the last micro-op of each queue before it.
  private var beforeWide: [QueueClock] = []
  private var joins: [UInt32] = []

  private static let wideBit: UInt32 = 1 << 31
  /// No micro-op.
  private static let none = wideBit - 1

  init(_ records: [OpRecord]) {
    before = Array(repeating: Self.none, count: records.count)
    sets = before
    var last = QueueClock(repeating: Self.none)
    var identifiers = [Int](repeating: 0, count: Event.pairs)
    for (index, record) in records.enumerated() {
      let op = UInt32(truncatingIfNeeded: index)
      if record.kind.isOfEvent {
        let event = record.event
        identifiers[event.pair] = max(identifiers[event.pair], Int(event.id) + 1)
      }
      switch record.kind {
      case .data, .set, .wait, .coreSet, .barrierQueue:
        let queue = record.queue.index
        before[index] = last[queue]
        last[queue] = op
      case .sequencerSet, .sequencerWait, .coreWait:
        break
      case .barrierAll, .barrierCores:
        before[index] = Self.wideBit | UInt32(truncatingIfNeeded: wide.count)
        beforeWide.append(last)
        last = QueueClock(repeating: op)
        wide.append(op)
        if record.kind == .barrierCores { joins.append(op) }
      }
    }
    match(records, identifiers)
  }

  /// The sets, or the waits, of an event that have not met their partners yet, oldest first: each is
  /// linked to the next one in ``sets``.
  private struct Pending {
    var first: UInt32
    var last: UInt32
    var areWaits: Bool
  }

  /// Matches the k-th set of each event with its k-th wait.
  private mutating func match(_ records: [OpRecord], _ identifiers: [Int]) {
    var firsts: [Int] = []
    var count = 0
    for number in identifiers {
      firsts.append(count)
      count += number
    }
    var pending = [Pending](
      repeating: Pending(first: Self.none, last: Self.none, areWaits: false), count: count)
    for (index, record) in records.enumerated() where record.kind.isOfEvent {
      let op = UInt32(truncatingIfNeeded: index)
      let isWait = record.kind.isWait
      let event = record.event
      let slot = firsts[event.pair] + Int(event.id)
      let oldest = pending[slot].first
      if oldest == Self.none {
        pending[slot] = Pending(first: op, last: op, areWaits: isWait)
      } else if pending[slot].areWaits == isWait {
        sets[Int(pending[slot].last)] = op
        pending[slot].last = op
      } else {
        pending[slot].first = sets[Int(oldest)]
        sets[Int(isWait ? op : oldest)] = isWait ? oldest : op
      }
    }
    // Waits without a set match none.
    for rest in pending where rest.areWaits {
      var wait = rest.first
      while wait != Self.none {
        let next = sets[Int(wait)]
        sets[Int(wait)] = Self.none
        wait = next
      }
    }
  }

  /// The micro-op `places` before `op` on `queue`, which `op` is on.
  func previous(of op: Int, on queue: Queue, places: Int = 1) -> Int? {
    var current = op
    for _ in 0..<places {
      let word = before[current]
      let earlier =
        word & Self.wideBit == 0
        ? word : beforeWide[Int(word & ~Self.wideBit)][queue.index]
      if earlier == Self.none { return nil }
      current = Int(earlier)
    }
    return current
  }

  /// The set that matches a wait.
  func set(of wait: Int) -> Int? { sets[wait] == Self.none ? nil : Int(sets[wait]) }

  /// The last barrier on all queues before `op`.
  func previousWide(before op: Int) -> Int? {
    let place = Self.place(of: op, in: wide) - 1
    return place >= 0 ? Int(wide[place]) : nil
  }

  /// Which barrier over the cores `op` is, from 0.
  func ordinal(ofJoin op: Int) -> Int { Self.place(of: op, in: joins) }

  /// The barrier over the cores of that number.
  func join(_ ordinal: Int) -> Int? {
    joins.indices.contains(ordinal) ? Int(joins[ordinal]) : nil
  }

  /// Entries of a sorted list that are below `op`.
  private static func place(of op: Int, in list: [UInt32]) -> Int {
    var low = 0
    var high = list.count
    while low < high {
      let middle = (low + high) / 2
      if Int(list[middle]) < op { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
