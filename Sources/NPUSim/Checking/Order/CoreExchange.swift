/// What cores know of each other by events between them, while their order is executed.
///
/// Of every core there are seven lanes: for each queue, how many of its micro-ops are visible, and
/// for its sequencer, how many turns it has made. A *turn* is a wait for another core, or a barrier
/// over the cores. All that a core learns of others it learns in a turn; so what a micro-op knows of
/// them follows from the number of turns that it knows its sequencer to have made.
struct CoreExchange {
  /// Lanes of a core.
  static let lanes = EventEnd.count

  private struct Signal {
    /// What sets that no wait has taken pass on, oldest first, from `taken` on.
    var passed: [[UInt32]] = []
    var taken = 0
  }

  private var signals: [CoreEvent: Signal] = [:]
  /// Sets and waits that met.
  private(set) var matched = 0
  /// By core and turns: the lanes of every core.
  private(set) var known: [[[UInt32]]]

  init(cores: Int) {
    let nothing = [UInt32](repeating: 0, count: cores * Self.lanes)
    known = Array(repeating: [nothing], count: cores)
  }

  /// A core sets an event: what its queue knows of its own core, and by its turns of others, is
  /// passed on.
  mutating func set(_ event: CoreEvent, knowing own: OrderKnowledge) {
    var lanes = known[event.setter][Int(own.turns)]
    let base = event.setter * Self.lanes
    for queue in 0..<Queue.count { lanes[base + queue] = own.clock[queue] }
    lanes[base + Queue.count] = own.turns
    signals[event, default: Signal()].passed.append(lanes)
  }

  /// How many waits of an event have passed.
  func taken(_ event: CoreEvent) -> Int { signals[event]?.taken ?? 0 }

  /// A core's next turn is a wait for an event: what it then knows of its own queues, or `nil` where
  /// no set has been executed for it.
  mutating func take(_ event: CoreEvent) -> QueueClock? {
    guard let signal = signals[event], signal.taken < signal.passed.count else { return nil }
    signals[event]?.taken += 1
    matched += 1
    let core = event.waiter
    let passed = signal.passed[signal.taken]
    turn(core, zip(known[core][known[core].count - 1], passed).map { max($0, $1) })
    var clock = QueueClock(repeating: 0)
    for queue in 0..<Queue.count { clock[queue] = passed[core * Self.lanes + queue] }
    return clock
  }

  /// Every core's next turn is a barrier over the cores: all micro-ops so far are visible to all.
  mutating func join(counts: [QueueClock]) {
    var lanes: [UInt32] = []
    for (core, count) in counts.enumerated() {
      for queue in 0..<Queue.count { lanes.append(count[queue]) }
      lanes.append(UInt32(truncatingIfNeeded: known[core].count))
    }
    for core in counts.indices { turn(core, lanes) }
  }

  private mutating func turn(_ core: Int, _ lanes: [UInt32]) {
    var lanes = lanes
    lanes[core * Self.lanes + Queue.count] = UInt32(truncatingIfNeeded: known[core].count)
    known[core].append(lanes)
  }
}
