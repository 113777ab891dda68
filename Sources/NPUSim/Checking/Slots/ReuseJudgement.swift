/// Judges the sets of an event that is set more than once: S004 where no wait that makes room for a set
/// stands before it in the program, S008 where one does and need not come before it in time.
///
/// On a machine that keeps N sets of an event, the wait that makes room for the k-th set is the
/// (k − N)-th.
struct ReuseJudgement {
  private let program: Program
  private let writer: FindingWriter
  private let orders: [OrderRecord]
  private let capacity: Int

  /// `nil` where no set of the program has to be judged.
  init?(_ program: Program, _ writer: FindingWriter, _ order: ProgramOrder, _ use: TileUse) {
    guard let capacity = program.machine.eventOverwrite.capacity,
      order.walks.contains(where: { $0.events.hasReuse })
    else { return nil }
    self.program = program
    self.writer = writer
    self.capacity = capacity
    orders = OrderRecord.record(program, use)
  }

  func findings() -> [Finding] { program.cores.indices.flatMap { findings($0) } }

  /// One finding for each event and code, in the order of their first sets.
  private func findings(_ core: Int) -> [Finding] {
    let census = EventCensus(program.cores[core])
    return census.events.flatMap { event in
      judge(event, census.sets[event] ?? [], census.waits[event] ?? [], core)
    }.sorted { ($0.sites.last?.op ?? 0) < ($1.sites.last?.op ?? 0) }
  }

  private func judge(_ event: Event, _ sets: [Int], _ waits: [Int], _ core: Int) -> [Finding] {
    let order = orders[core]
    // What the sequencer waited for is known to all that it dispatches later.
    let places = waits.map { event.target == .sequencer ? UInt32($0) : order.positions[$0] }
    var doubled: [Int] = []
    var overtaking: [Int] = []
    /// Sets that may stand untaken at once, one that is just set included.
    var most = 0
    for (number, set) in sets.enumerated() where order.isExecuted(set) {
      // Waits of one queue execute in order, those that never do last.
      let known = event.target.queue.map { order.clocks[set][$0.index] } ?? UInt32(set)
      most = max(most, number + 1 - count(places) { $0 < known })
      guard number >= capacity else { continue }
      let room = number - capacity
      if room >= waits.count || waits[room] > set {
        doubled.append(number)
      } else if places[room] >= known {
        overtaking.append(number)
      }
    }
    func site(_ op: Int) -> Finding.Site { Finding.Site(core: core, op: op) }
    var result: [Finding] = []
    if let first = doubled.first {
      result.append(
        self.doubled(
          event, set: site(sets[first]), earlier: site(sets[first - 1]), more: doubled.count - 1))
    }
    if let first = overtaking.first {
      result.append(
        self.overtaking(
          event, earlier: site(sets[first - 1]),
          reuses: overtaking.map {
            Finding.Reuse(wait: site(waits[$0 - capacity]), set: site(sets[$0]))
          }, identifiers: (most + capacity - 1) / capacity))
    }
    return result
  }

  /// How many elements of an ascending list satisfy what no later one satisfies.
  private func count(_ places: [UInt32], where isKnown: (UInt32) -> Bool) -> Int {
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if isKnown(places[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// S004.
  private func doubled(
    _ event: Event, set: Finding.Site, earlier: Finding.Site, more: Int
  ) -> Finding {
    let kept =
      capacity == 1
      ? "while it is still set by \(writer.describe(earlier)): no wait for it stands between"
      : "with \(capacity.counted("set")) before it that no wait stands behind, the last "
        + "\(writer.describe(earlier)): the machine keeps \(capacity)"
    return Finding(
      .S004, "\(writer.describe(set)) sets \(writer.describe(event)) \(kept)",
      sites: [earlier, set],
      fix: "use another event ID, or wait for the first before the second is set", folded: more)
  }

  /// S008. `identifiers` in turn would do.
  private func overtaking(
    _ event: Event, earlier: Finding.Site, reuses: [Finding.Reuse], identifiers: Int
  ) -> Finding {
    let (wait, set) = (reuses[0].wait, reuses[0].set)
    let back = "\(event.target.name)->\(event.source.name)"
    let order = "order \(event.source.name) after the wait with an event \(back)"
    let isFree =
      identifiers <= min(program.machine.eventsPerPair ?? .max, ProgramEdit.mostIdentifiers)
    var finding = Finding(
      .S008,
      "\(writer.describe(set)) may set \(writer.describe(event)) while it is still set by "
        + "\(writer.describe(earlier)): \(writer.describe(wait)), which makes room for it, stands "
        + "before it in the program, and nothing orders it before",
      sites: [earlier, wait, set],
      fix: isFree
        ? "give the event \(identifiers) IDs in turn, one a slot; or \(order)"
        : order,
      folded: reuses.count - 1,
      edits: isFree ? [.rotate(core: set.core, event: event, identifiers: identifiers)] : [])
    finding.reuses = reuses
    return finding
  }
}
