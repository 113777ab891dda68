/// An event between two cores. Its k-th set matches its k-th wait; sets that no wait has taken are
/// counted.
public struct CoreEvent: Sendable, Hashable {
  /// The core that sets.
  public var setter: Int
  /// The core that waits.
  public var waiter: Int
  /// The queue that sets, the queue of the other core that it is for, and the ID.
  public var event: Event

  public init(setter: Int, waiter: Int, event: Event) {
    self.setter = setter
    self.waiter = waiter
    self.event = event
  }
}

extension OpRecord {
  /// The event of a set or wait between cores that stands on `core`.
  func coreEvent(on core: Int) -> CoreEvent {
    let other = Int(Int32(bitPattern: words[0]))
    return kind == .coreSet
      ? CoreEvent(setter: core, waiter: other, event: Event(packed: words[1]))
      : CoreEvent(setter: other, waiter: core, event: Event(packed: words[1]))
  }
}

/// Where each event between cores is set and waited for, in program order of its two cores.
struct CoreEventCensus {
  /// Positions in the list of the core that sets, and of the one that waits.
  private(set) var sets: [CoreEvent: [Int]] = [:]
  private(set) var waits: [CoreEvent: [Int]] = [:]
  /// Every event, by its cores, pair and ID.
  private(set) var events: [CoreEvent] = []

  init(_ program: Program) {
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() where record.kind.isBetweenCores {
        if record.kind == .coreSet {
          sets[record.coreEvent(on: core), default: []].append(op)
        } else {
          waits[record.coreEvent(on: core), default: []].append(op)
        }
      }
    }
    events = Set(sets.keys).union(waits.keys).sorted {
      ($0.setter, $0.waiter, $0.event.packed) < ($1.setter, $1.waiter, $1.event.packed)
    }
  }
}
