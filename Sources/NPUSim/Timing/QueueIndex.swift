/// Finds the neighbours of a micro-op in its core's list: earlier ones of a queue, the set of a wait,
/// and the barriers on all queues.
struct QueueIndex {
  private var lists = [[UInt32]](repeating: [], count: Queue.count)
  private var wide: [UInt32] = []
  private var joins: [UInt32] = []
  /// The waits in the order of the list, and the set of each.
  private var waits: [UInt32] = []
  private var sets: [UInt32] = []

  init(_ records: [OpRecord]) {
    var counts = [Int](repeating: 0, count: Queue.count)
    var wideCount = 0
    for record in records {
      switch record.kind {
      case .barrierAll, .barrierCores: wideCount += 1
      case .data, .set, .wait, .barrierQueue: counts[record.queue.index] += 1
      }
    }
    for queue in 0..<Queue.count { lists[queue].reserveCapacity(counts[queue] + wideCount) }
    for (index, record) in records.enumerated() {
      let op = UInt32(truncatingIfNeeded: index)
      switch record.kind {
      case .data, .set, .wait, .barrierQueue:
        lists[record.queue.index].append(op)
      case .barrierAll, .barrierCores:
        wide.append(op)
        if record.kind == .barrierCores { joins.append(op) }
        for queue in 0..<Queue.count { lists[queue].append(op) }
      }
    }
    match(records)
  }

  /// Matches the k-th set of each event with its k-th wait.
  private mutating func match(_ records: [OpRecord]) {
    // First ID of each pair of queues among all events.
    var firsts = InlineArray<37, Int>(repeating: 0)
    for record in records where record.kind == .set || record.kind == .wait {
      let event = record.event
      firsts[event.pair + 1] = max(firsts[event.pair + 1], Int(event.id) + 1)
    }
    for pair in 0..<36 { firsts[pair + 1] += firsts[pair] }
    // The sets, by event and then in order.
    var next = [Int](repeating: 0, count: firsts[36] + 1)
    for record in records where record.kind == .set {
      next[firsts[record.event.pair] + Int(record.event.id) + 1] += 1
    }
    for event in 0..<firsts[36] { next[event + 1] += next[event] }
    var taken = next
    var fired = [UInt32](repeating: 0, count: next[firsts[36]])
    for (index, record) in records.enumerated() where record.kind == .set {
      let event = firsts[record.event.pair] + Int(record.event.id)
      fired[next[event]] = UInt32(truncatingIfNeeded: index)
      next[event] += 1
    }
    for (index, record) in records.enumerated() where record.kind == .wait {
      let event = firsts[record.event.pair] + Int(record.event.id)
      guard taken[event] < next[event] else { continue }
      waits.append(UInt32(truncatingIfNeeded: index))
      sets.append(fired[taken[event]])
      taken[event] += 1
    }
  }

  /// The micro-op `places` before `op` on `queue`, which `op` is on.
  func previous(of op: Int, on queue: Queue, places: Int = 1) -> Int? {
    let list = lists[queue.index]
    let place = Self.place(of: op, in: list) - places
    return place >= 0 ? Int(list[place]) : nil
  }

  /// The set that matches a wait.
  func set(of wait: Int) -> Int? {
    let place = Self.place(of: wait, in: waits)
    return place < waits.count && Int(waits[place]) == wait ? Int(sets[place]) : nil
  }

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
