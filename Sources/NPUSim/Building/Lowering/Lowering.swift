extension CoreStream {
  /// Records with the events and barriers that order them.
  struct Lowered {
    var records: [OpRecord]
    /// Where each emitted record ended up, in the order in which they were written.
    var positions: [UInt32]
    /// Bytes of what was held to find them.
    var workingBytes = 0
  }

  /// Gives micro-ops that are written one after another the events and barriers that keep the order
  /// of those that conflict: two that share a byte, where one of them writes.
  ///
  /// An event is set right after its producer and waited for right before its consumer: before the
  /// first micro-op of a queue that conflicts with another queue's, from the last such one on. What
  /// another edge already implies makes none: the edges into a micro-op are taken latest first, and
  /// one is dropped when the vector clock of the consumer's queue covers it. What is left is the
  /// transitive reduction of what conflicts need. Between one pair of queues such edges never cross,
  /// so matching the k-th set with the k-th wait is right by itself; an ID is reused when the
  /// producer's queue is known to be past the wait that emptied it.
  ///
  /// Where a pair of queues has too few IDs (2^16 of a machine without a limit), producers wait for acknowledgements of earlier events;
  /// where that is not enough, an event is set behind a later micro-op of the producer's queue, from
  /// which on an ID is free; and where there is none, or the machine has no events between the two
  /// queues, a barrier on all queues takes the place of the event. So every stream can be lowered.
  ///
  /// On a queue that does not interlock, a barrier is placed before a micro-op that touches what an
  /// earlier one of the queue wrote, unless that is known to be visible.
  ///
  /// - Parameters:
  ///   - order: the places of the micro-ops in the order of dispatch; `nil` for the written one.
  ///   - graph: which of them conflict; `nil` for a stream that is kept as written.
  func lower(
    in order: [UInt32]?, _ graph: ConflictGraph?, machine: MachineConfiguration
  ) -> Lowered {
    guard let graph else {
      var lowered = Lowered(records: records, positions: records.indices.map { UInt32($0) })
      for (index, place) in (order ?? []).enumerated() {
        lowered.records[index] = records[Int(place)]
        lowered.positions[Int(place)] = UInt32(index)
      }
      return lowered
    }
    var reduction = EdgeReduction(records, in: order, graph, machine)
    reduction.run()
    let limit = machine.eventsPerPair ?? Event.identifierCount
    if reduction.mostIdentifiers > limit {
      let acknowledgements = reduction.acknowledgements(limit: limit)
      reduction = EdgeReduction(
        records, in: order, graph, machine, limit: limit, acknowledgements: acknowledgements)
      reduction.run()
    }
    return reduction.weave()
  }
}
