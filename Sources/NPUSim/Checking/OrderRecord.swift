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

  /// The position of a micro-op that is never executed.
  static let never = UInt32.max

  init(count: Int) {
    clocks = Array(repeating: QueueClock(repeating: 0), count: count)
    positions = Array(repeating: Self.never, count: count)
    sequence.reserveCapacity(count)
  }

  mutating func data(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {
    clocks[index] = clock
    positions[index] = position
    sequence.append(UInt32(truncatingIfNeeded: index))
  }

  mutating func synchronisation(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {
    data(index, record, position, clock)
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
