/// A set and the wait that it answers.
public struct EventPair: Sendable, Hashable {
  public var core: Int
  public var event: Event
  /// Index of the set in the core's list.
  public var set: Int
  /// Index of the wait in the core's list.
  public var wait: Int

  public init(core: Int, event: Event, set: Int, wait: Int) {
    self.core = core
    self.event = event
    self.set = set
    self.wait = wait
  }
}

extension Program {
  /// Every set with its wait: the k-th of an event with the k-th, in program order of the set.
  public var eventPairs: [EventPair] {
    cores.enumerated().flatMap { core, records in
      let census = EventCensus(records)
      return census.events.flatMap { event in
        zip(census.sets[event] ?? [], census.waits[event] ?? []).map {
          EventPair(core: core, event: event, set: $0, wait: $1)
        }
      }.sorted { $0.set < $1.set }
    }
  }

  /// The program without some events: both micro-ops of each pair are removed.
  public func removing(_ pairs: [EventPair]) -> Program {
    var result = self
    for core in cores.indices {
      let own = pairs.filter { $0.core == core }
      if !own.isEmpty {
        result = result.removingMicroOps(own.flatMap { [$0.set, $0.wait] }, core: core)
      }
    }
    return result
  }

  /// The program without some micro-ops of a core. Taps and defects of removed ones go too; what they
  /// name otherwise moves along. Indices outside the list are ignored.
  public func removingMicroOps(_ ops: [Int], core: Int) -> Program {
    applying([.remove(core: core, ops: ops)])
  }
}
