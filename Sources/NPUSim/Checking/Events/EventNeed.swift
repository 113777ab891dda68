/// Judges for each event whether the program is still clean without it.
///
/// Without an event its waiting queue knows less from the wait on, and so does whoever learns from
/// that queue, until other events or a barrier make up for it. Only this window has to be looked at: a
/// conflict that the full knowledge orders and the lesser one does not means that the event is needed.
/// The program must be clean; the judgement is then exact. It knows no micro-ops of the sequencer. An event is needed, too, if without it a set
/// could come before the wait that makes room for it, and could not with it.
struct EventNeed {
  /// What each micro-op has to come after.
  private let dependences: [QueueClock]
  let core: Int
  private let records: [OpRecord]
  private var order: OrderRecord
  /// Place of a micro-op in the order of execution.
  private var places: [Int]
  /// The micro-op before it on its queue, or −1. A barrier on all queues is on each.
  private var previous: [Int]
  /// The unit flags of the core.
  private let units: UnitChains?
  /// The partner of a set or wait, −1 otherwise.
  private var partners: [Int]
  /// For a set, the wait that makes room for it, or −1.
  private var emptiedBy: [Int]
  private var isRemoved: [Bool]

  /// Knowledge that differs from the full program's.
  private struct Lesser {
    var clocks = InlineArray<6, QueueClock>(repeating: QueueClock(repeating: 0))
    /// Queues whose clock differs, one bit each.
    var queues: UInt8 = 0
    /// What sets pass on, by wait.
    var pending: [Int: QueueClock] = [:]

    func has(_ queue: Int) -> Bool { queues & (1 << UInt8(queue)) != 0 }
  }

  init(_ program: Program, core: Int, dependences: [QueueClock], order: OrderRecord) {
    self.dependences = dependences
    self.core = core
    self.order = order
    records = program.cores[core]
    units = UnitChains(records, tiles: program.tiles)
    places = Array(repeating: -1, count: records.count)
    previous = Array(repeating: -1, count: records.count)
    partners = Array(repeating: -1, count: records.count)
    emptiedBy = Array(repeating: -1, count: records.count)
    isRemoved = Array(repeating: false, count: records.count)
    var last = [Int](repeating: -1, count: Queue.count)
    for (place, entry) in order.sequence.enumerated() {
      let op = Int(entry)
      places[op] = place
      if Self.isOnAllQueues(records[op]) {
        for queue in 0..<Queue.count { last[queue] = op }
      } else {
        previous[op] = last[records[op].queue.index]
        last[records[op].queue.index] = op
      }
    }
    let census = EventCensus(records)
    let capacity = program.machine.eventOverwrite.capacity
    for event in census.events {
      let sets = census.sets[event] ?? []
      let waits = census.waits[event] ?? []
      for (k, set) in sets.enumerated() where k < waits.count {
        partners[set] = waits[k]
        partners[waits[k]] = set
        if let capacity, k >= capacity { emptiedBy[set] = waits[k - capacity] }
      }
    }
  }

  private static func isOnAllQueues(_ record: OpRecord) -> Bool {
    record.kind == .barrierAll || record.kind == .barrierCores
  }

  /// The events each of which alone can go.
  mutating func redundant() -> [EventPair] {
    pairs().filter { window($0, commits: false) }
  }

  /// Events that can go together, taken in program order; none of the rest can go alone.
  mutating func removable() -> [EventPair] {
    var removed: [EventPair] = []
    var rest = pairs()
    // An event may have been needed only so that another one, gone by now, could be set again.
    while true {
      let before = removed.count
      rest.removeAll { pair in
        guard window(pair, commits: false) else { return false }
        remove(pair)
        removed.append(pair)
        return true
      }
      if removed.count == before { return removed.sorted { $0.set < $1.set } }
    }
  }

  /// The barriers on one queue each of which alone can go.
  mutating func redundantBarriers() -> [Int] {
    records.indices.filter { op in
      records[op].kind == .barrierQueue && order.isExecuted(op)
        && window(from: op, commits: false)
    }
  }

  private mutating func remove(_ pair: EventPair) {
    _ = window(pair, commits: true)
    isRemoved[pair.set] = true
    isRemoved[pair.wait] = true
  }

  private func pairs() -> [EventPair] {
    records.indices.compactMap { op in
      records[op].kind == .set && partners[op] >= 0
        ? EventPair(core: core, event: records[op].event, set: op, wait: partners[op]) : nil
    }
  }

  private func clock(after op: Int) -> QueueClock {
    op < 0 ? QueueClock(repeating: 0) : order.clocks[op]
  }

  /// Whether the program is clean without a pair. `commits` writes the lesser knowledge down; the pair
  /// must be redundant then.
  private mutating func window(_ pair: EventPair, commits: Bool) -> Bool {
    window(from: pair.wait, commits: commits)
  }

  /// Whether the program is clean if the queue of `gone`, a wait or a barrier, learns nothing from
  /// it.
  private mutating func window(from gone: Int, commits: Bool) -> Bool {
    var lesser = Lesser()
    let first = clock(after: previous[gone])
    settle(&lesser, gone, first, commits: commits)
    if lesser.queues == 0 { return true }
    for place in (places[gone] + 1)..<max(places[gone] + 1, order.sequence.count) {
      let op = Int(order.sequence[place])
      let record = records[op]
      let queue = record.queue.index
      if isRemoved[op] {
        // It orders nothing, but hands the knowledge of its queue on.
        if lesser.has(queue) { settle(&lesser, op, lesser.clocks[queue], commits: commits) }
        continue
      }
      switch record.kind {
      case .data:
        let full = order.clocks[op]
        if record.hasUnitFlag {
          learn(&lesser, op, from: units?.source(of: op) ?? -1, commits: commits)
        }
        guard lesser.has(queue) else { continue }
        let known = lesser.clocks[queue]
        if !commits && conflicts(op, knowing: known) { return false }
        if record.hasUnitFlag, let target = units?.target(of: op), !isEqual(full, known) {
          lesser.pending[target] = passed(op, known)
        }
        if commits { order.replaceClock(of: op, by: known) }
      case .set:
        guard lesser.has(queue) else { continue }
        let known = lesser.clocks[queue]
        if !commits && !hasRoom(op, knowing: known) { return false }
        let full = passed(op, order.clocks[op])
        let less = passed(op, known)
        if partners[op] >= 0 && !isEqual(full, less) { lesser.pending[partners[op]] = less }
        if commits { order.replaceClock(of: op, by: known) }
      case .wait:
        learn(&lesser, op, from: partners[op], commits: commits)
      case .barrierQueue:
        guard lesser.has(queue) else { continue }
        var learnt = lesser.clocks[queue]
        learnt[queue] = order.positions[op]
        settle(&lesser, op, learnt, commits: commits)
      case .barrierAll, .barrierCores:
        return true
      // Programs that have these are judged by EventTrials.
      case .sequencerSet, .sequencerWait, .coreSet, .coreWait:
        return false
      }
      if lesser.queues == 0 && lesser.pending.isEmpty { return true }
    }
    return true
  }

  /// Whether a set still knows the wait that makes room for it, if it does with the full knowledge.
  ///
  /// An event that is gone may have been one of the set's own; then an earlier wait makes room for it.
  /// That need not be told apart: what a queue knows of the one that it sets the event for never came
  /// through that event.
  private func hasRoom(_ set: Int, knowing clock: QueueClock) -> Bool {
    guard let target = records[set].event.target.queue?.index else { return true }
    let wait = emptiedBy[set]
    if wait < 0 || order.clocks[set][target] <= order.positions[wait] { return true }
    return clock[target] > order.positions[wait]
  }

  /// What a micro-op knows that waits for `source`, where its queue or that one knows less.
  private mutating func learn(
    _ lesser: inout Lesser, _ op: Int, from source: Int, commits: Bool
  ) {
    let queue = records[op].queue.index
    let less = lesser.pending.removeValue(forKey: op)
    guard less != nil || lesser.has(queue) else { return }
    var learnt = lesser.has(queue) ? lesser.clocks[queue] : clock(after: previous[op])
    if let less {
      learnt.join(less)
    } else if source >= 0 {
      learnt.join(passed(source, order.clocks[source]))
    }
    settle(&lesser, op, learnt, commits: commits)
  }

  /// Notes what a queue knows from `op` on, and whether that differs from the full knowledge.
  private mutating func settle(
    _ lesser: inout Lesser, _ op: Int, _ clock: QueueClock, commits: Bool
  ) {
    let queue = records[op].queue.index
    if isEqual(clock, order.clocks[op]) {
      lesser.queues &= ~(1 << UInt8(queue))
    } else {
      lesser.queues |= 1 << UInt8(queue)
      lesser.clocks[queue] = clock
      if commits { order.replaceClock(of: op, by: clock) }
    }
  }

  private func passed(_ set: Int, _ clock: QueueClock) -> QueueClock {
    var result = clock
    result[records[set].queue.index] = order.positions[set] + 1
    return result
  }

  private func isEqual(_ a: QueueClock, _ b: QueueClock) -> Bool {
    for k in 0..<Queue.count where a[k] != b[k] { return false }
    return true
  }

  /// Whether a micro-op has to come after one that only the full knowledge orders before it.
  private func conflicts(_ op: Int, knowing clock: QueueClock) -> Bool {
    for queue in 0..<Queue.count where dependences[op][queue] > clock[queue] { return true }
    return false
  }
}
