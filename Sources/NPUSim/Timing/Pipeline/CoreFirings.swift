/// The events between cores: for each, the instants at which it fired and was not waited for yet.
///
/// There are few of them, and a program without them never looks here.
struct CoreFirings {
  private struct Entry {
    /// Instants, oldest first, from `taken` on.
    var fired: [Int64] = []
    var taken = 0
    /// The core whose sequencer stands at the wait.
    var isAwaited = false
  }

  private var entries: [CoreEvent: Entry] = [:]
  /// Cores whose sequencer can go on.
  private(set) var woken: [Int] = []

  /// The event fires; its waiting core is woken if it stands there.
  mutating func fire(_ event: CoreEvent, at instant: Int64) {
    entries[event, default: Entry()].fired.append(instant)
    guard entries[event]?.isAwaited == true else { return }
    entries[event]?.isAwaited = false
    woken.append(event.waiter)
  }

  /// When the set of the next wait fired, and takes it; `nil` when it was not executed yet: then the
  /// core is woken by ``fire(_:at:)``.
  mutating func take(_ event: CoreEvent) -> Int64? {
    let entry = entries[event, default: Entry()]
    guard entry.taken < entry.fired.count else {
      entries[event, default: Entry()].isAwaited = true
      return nil
    }
    entries[event]?.taken += 1
    return entry.fired[entry.taken]
  }

  /// The cores that were woken since the last call.
  mutating func takeWoken() -> [Int] {
    defer { woken.removeAll(keepingCapacity: true) }
    return woken
  }
}
