/// Finds the neighbours of a micro-op in its core's list: earlier ones of a queue, the set of a wait,
/// and the barriers on all queues.
struct QueueIndex {
  private var lists = [[UInt32]](repeating: [], count: Queue.count)
  private var wide: [UInt32] = []
  private var joins: [UInt32] = []
  private var sets: [UInt32: UInt32] = [:]

  init(_ records: [OpRecord]) {
    var fired: [Event: [UInt32]] = [:]
    var waited: [Event: [UInt32]] = [:]
    for (index, record) in records.enumerated() {
      let op = UInt32(truncatingIfNeeded: index)
      switch record.kind {
      case .data, .barrierQueue:
        break
      case .set: fired[record.event, default: []].append(op)
      case .wait: waited[record.event, default: []].append(op)
      case .barrierAll, .barrierCores:
        wide.append(op)
        if record.kind == .barrierCores { joins.append(op) }
      }
      if record.kind == .barrierAll || record.kind == .barrierCores {
        for queue in 0..<Queue.count { lists[queue].append(op) }
      } else {
        lists[record.queue.index].append(op)
      }
    }
    for (event, waits) in waited {
      for (wait, set) in zip(waits, fired[event] ?? []) { sets[wait] = set }
    }
  }

  /// The micro-op `places` before `op` on `queue`, which `op` is on.
  func previous(of op: Int, on queue: Queue, places: Int = 1) -> Int? {
    let list = lists[queue.index]
    let place = Self.place(of: op, in: list) - places
    return place >= 0 ? Int(list[place]) : nil
  }

  /// The set that matches a wait.
  func set(of wait: Int) -> Int? { sets[UInt32(truncatingIfNeeded: wait)].map(Int.init) }

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
