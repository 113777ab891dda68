/// The events of one core: for each, the instants at which it fired and was not waited for yet.
///
/// A program whose sets are ordered after the waits that empty their events has at most one such
/// instant at a time; the rest is kept aside for programs that are not so.
struct FiredEvents {
  private struct Entry {
    var fired: Int64 = 0
    var pending: UInt32 = 0
    /// The end that waits for the event to fire; −1 for none.
    var waiter: Int32 = -1
  }

  /// Position of each ordered pair's ID 0.
  private let offsets: UnsafeMutablePointer<Int>
  private let entries: UnsafeMutablePointer<Entry>
  private var later: [Int: [Int64]] = [:]

  /// Room for the events of `identifiers` IDs for each ordered pair of ends.
  init(identifiers: InlineArray<49, Int>) {
    // Behind a pointer: an array in line would be copied to be read.
    offsets = .allocate(capacity: Event.pairs)
    var count = 0
    for pair in 0..<Event.pairs {
      (offsets + pair).initialize(to: count)
      count += identifiers[pair]
    }
    entries = .allocate(capacity: max(1, count))
    entries.initialize(repeating: Entry(), count: max(1, count))
  }

  func deallocate() {
    offsets.deallocate()
    entries.deallocate()
  }

  /// Position of an event.
  @inline(__always) func index(_ event: Event) -> Int { offsets[event.pair] &+ Int(event.id) }

  /// When the set of the next wait fired; `nil` when it was not executed yet: then the end is told
  /// of it by ``fire(_:at:)``.
  @inline(__always) func fired(_ index: Int, for end: Int) -> Int64? {
    if entries[index].pending != 0 { return entries[index].fired }
    entries[index].waiter = Int32(truncatingIfNeeded: end)
    return nil
  }

  /// The event fires; returns the end that waits for it, −1 for none.
  @inline(__always) mutating func fire(_ index: Int, at instant: Int64) -> Int {
    if entries[index].pending == 0 {
      entries[index].fired = instant
    } else {
      keep(index, instant)
    }
    entries[index].pending &+= 1
    let waiter = Int(entries[index].waiter)
    entries[index].waiter = -1
    return waiter
  }

  @inline(never) private mutating func keep(_ index: Int, _ instant: Int64) {
    later[index, default: []].append(instant)
  }

  /// The wait passed.
  @inline(__always) mutating func consume(_ index: Int) {
    entries[index].pending &-= 1
    if entries[index].pending > 0 { recall(index) }
  }

  @inline(never) private mutating func recall(_ index: Int) {
    var rest = later[index] ?? []
    entries[index].fired = rest.removeFirst()
    later[index] = rest.isEmpty ? nil : rest
  }
}
