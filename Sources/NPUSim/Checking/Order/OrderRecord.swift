/// The order of one core written down: what each micro-op knew, and when it was executed.
///
/// Only made for a program that has something to list; it costs 32 bytes a micro-op.
struct OrderRecord: OrderObserver {
  /// What a micro-op knew to be visible when it started; meaningless if it never executed.
  private(set) var clocks: [QueueClock]
  /// Position of a micro-op in its queue, or ``never``.
  private(set) var positions: [UInt32]
  /// The micro-ops in the order of their execution.
  private(set) var sequence: [UInt32] = []
  /// Indices of the executed barriers over the cores.
  var coreBarriers: [Int] = []
  /// In a program with events between cores: the turns that a micro-op knows its sequencer to have made,
  /// and by turns the lanes of every core; see ``CoreExchange``. Otherwise empty.
  private(set) var turns: [UInt32] = []
  var known: [[UInt32]] = []
  private var nextTurns: UInt32 = 0

  /// The position of a micro-op that is never executed.
  static let never = UInt32.max

  init(count: Int, countsTurns: Bool) {
    if countsTurns { turns = Array(repeating: 0, count: count) }
    clocks = Array(repeating: QueueClock(repeating: 0), count: count)
    positions = Array(repeating: Self.never, count: count)
    sequence.reserveCapacity(count)
  }

  mutating func data(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {
    clocks[index] = clock
    positions[index] = position
    if !turns.isEmpty { turns[index] = nextTurns }
    sequence.append(UInt32(truncatingIfNeeded: index))
  }

  mutating func synchronisation(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {
    data(index, record, position, clock)
  }

  mutating func knows(turns: UInt32) { nextTurns = turns }

  /// How many micro-ops of a queue of another core a micro-op knows to be visible, or, for the lane
  /// behind the queues, how many turns it knows that core to have made. `nil` in a program without
  /// events between cores.
  func known(lane: Int, of core: Int, to index: Int) -> UInt32? {
    turns.isEmpty ? nil : known[Int(turns[index])][core * CoreExchange.lanes + lane]
  }

  mutating func replaceClock(of index: Int, by clock: QueueClock) { clocks[index] = clock }

  func isExecuted(_ index: Int) -> Bool { positions[index] != Self.never }

  /// Barriers over the cores that are executed before a micro-op.
  func phase(of index: Int) -> Int {
    var low = 0
    var high = coreBarriers.count
    while low < high {
      let middle = (low + high) / 2
      if coreBarriers[middle] < index { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
