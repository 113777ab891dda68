/// What a queue, or the sequencer, knows before its next micro-op.
struct OrderKnowledge {
  /// For each queue of the core, how many of its micro-ops are visible.
  var clock = QueueClock(repeating: 0)
  /// Turns that the sequencer of the core has made; see ``CoreExchange``.
  var turns: UInt32 = 0

  mutating func join(_ other: OrderKnowledge) {
    clock.join(other.clock)
    turns = max(turns, other.turns)
  }
}
