/// The event IDs of a pair of queues while its events are taken one after another.
///
/// Events of a pair never cross: each has a later producer and a later consumer than the one before,
/// and a queue never forgets. So IDs come free in the order in which they were taken.
struct EventIdentifiers {
  /// A taken ID, and the place of its wait on the consumer's queue, counted from 1.
  private struct Taken {
    var wait: UInt32
    var id: UInt32
  }

  /// The oldest first, from `oldest` on: what comes before is free again.
  private var taken: [Taken] = []
  private var oldest = 0
  private var free = KeyHeap()
  /// IDs that were ever taken.
  private(set) var count = 0

  /// Whether an ID is free for a producer whose queue knows so many micro-ops of the consumer's.
  func isAnyFree(knowing known: UInt32) -> Bool {
    !free.isEmpty || oldest < taken.count && taken[oldest].wait <= known
  }

  /// IDs that are not free as far as is known.
  func takenCount(knowing known: UInt32) -> Int {
    taken[oldest...].count { $0.wait > known }
  }

  /// Takes the lowest ID that is free, if there is one.
  mutating func take(knowing known: UInt32, wait: UInt32) -> Int? {
    while oldest < taken.count && taken[oldest].wait <= known {
      free.push(Int64(taken[oldest].id), taken[oldest].id)
      oldest += 1
    }
    if 2 * oldest > taken.count && oldest > 64 {
      taken.removeFirst(oldest)
      oldest = 0
    }
    guard !free.isEmpty else { return nil }
    let id = free.pop()
    taken.append(Taken(wait: wait, id: id))
    return Int(id)
  }

  /// Takes one that was never taken before.
  mutating func takeAnother(wait: UInt32) -> Int {
    taken.append(Taken(wait: wait, id: UInt32(count)))
    count += 1
    return count - 1
  }
}
