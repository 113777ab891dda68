/// How often each event of a core was set and waited for.
struct EventCounters {
  /// For each ordered pair of ends, where its IDs begin in the tables.
  private let offsets: [Int]
  private var sets: [UInt32]
  private var waits: [UInt32]

  init(_ records: [OpRecord]) {
    var sizes = [Int](repeating: 0, count: Event.pairs)
    for record in records where record.kind.isOfEvent {
      let event = record.event
      sizes[event.pair] = max(sizes[event.pair], Int(event.id) + 1)
    }
    var offsets: [Int] = []
    var next = 0
    for size in sizes {
      offsets.append(next)
      next += size
    }
    self.offsets = offsets
    sets = Array(repeating: 0, count: next)
    waits = Array(repeating: 0, count: next)
  }

  /// Executes a set.
  mutating func set(_ event: Event) { sets[offsets[event.pair] + Int(event.id)] &+= 1 }

  /// Whether the next wait for the event would pass: its matching set has executed.
  func isReady(_ event: Event) -> Bool {
    let index = offsets[event.pair] + Int(event.id)
    return sets[index] > waits[index]
  }

  /// Executes a wait that is ready.
  mutating func wait(_ event: Event) { waits[offsets[event.pair] + Int(event.id)] &+= 1 }

  /// The number, from 1, of the set that the next wait for the event needs.
  func needed(_ event: Event) -> Int { Int(waits[offsets[event.pair] + Int(event.id)]) + 1 }
}
