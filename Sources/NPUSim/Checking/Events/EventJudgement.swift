/// Judges events: every set has a wait and every wait a set, pairs of queues and IDs exist.
struct EventJudgement {
  private let program: Program
  private let writer: FindingWriter
  private let order: ProgramOrder
  private let use: TileUse

  init(_ program: Program, _ writer: FindingWriter, _ order: ProgramOrder, _ use: TileUse) {
    self.program = program
    self.writer = writer
    self.order = order
    self.use = use
  }

  func findings() -> [Finding] {
    program.cores.indices.flatMap { core in
      balance(core) + identifiers(core) + pairs(core)
    }
  }

  /// S001, S002, S003. Only looked at event by event where something is left over.
  private func balance(_ core: Int) -> [Finding] {
    if order.stops[core] == .finished && order.walks[core].events.isBalanced { return [] }
    let census = EventCensus(program.cores[core])
    return census.events.flatMap { event -> [Finding] in
      let sets = census.sets[event] ?? []
      let waits = census.waits[event] ?? []
      let name = writer.describe(event)
      func site(_ op: Int) -> Finding.Site { .init(core: core, op: op) }
      if waits.count > sets.count {
        let first = site(waits[sets.count])
        return [
          Finding(
            .S002,
            "\(writer.describe(first)) waits for \(name) a \(ordinal(sets.count + 1)) time, but it "
              + "is set \(times(sets.count))"
              + (sets.isEmpty ? elsewhere(event, core, isSet: true) : ""),
            sites: [first], fix: "set the event once more, or remove the wait",
            folded: waits.count - sets.count - 1,
            edits: [.remove(core: core, ops: Array(waits[sets.count...]))])
        ]
      }
      if sets.count > waits.count && waits.isEmpty {
        let first = site(sets[0])
        return [
          Finding(
            .S001,
            "\(writer.describe(first)) sets \(name), for which nothing waits"
              + elsewhere(event, core, isSet: false),
            sites: [first],
            fix: "wait for it on \(event.target.name) before the micro-op that needs it, or remove "
              + "the set",
            folded: sets.count - 1, edits: [.remove(core: core, ops: sets)])
        ]
      }
      if sets.count > waits.count {
        let first = site(sets[waits.count])
        return [
          Finding(
            .S003,
            "\(writer.describe(first)) sets \(name) a \(ordinal(waits.count + 1)) time, but it is "
              + "waited for \(times(waits.count)): the event is left set",
            sites: [first], fix: "wait for it as often as it is set, or remove the set",
            folded: sets.count - waits.count - 1,
            edits: [.remove(core: core, ops: Array(sets[waits.count...]))])
        ]
      }
      return []
    }
  }

  /// What is said where another core sets, or waits for, an event of that name without a partner.
  private func elsewhere(_ event: Event, _ core: Int, isSet: Bool) -> String {
    let other = program.cores.indices.first { other in
      guard other != core else { return false }
      let census = EventCensus(program.cores[other])
      let (own, opposite) = isSet ? (census.sets, census.waits) : (census.waits, census.sets)
      return own[event] != nil && opposite[event] == nil
    }
    guard let other, event.source.queue != nil, event.target.queue != nil else { return "" }
    let name = writer.describe(event)
    let (setter, waiter) = isSet ? (other, core) : (core, other)
    return "; core \(other) \(isSet ? "sets it" : "waits for it"), but an event is one core's own: "
      + "write set core \(waiter) \(name) on core \(setter) and wait core \(setter) \(name) on "
      + "core \(waiter)"
  }

  /// S005.
  private func identifiers(_ core: Int) -> [Finding] {
    guard let limit = program.machine.eventsPerPair,
      use.eventIDs[core].contains(where: { $0 > limit })
    else { return [] }
    let census = EventCensus(program.cores[core])
    return census.events.filter { Int($0.id) >= limit }.compactMap { event in
      let users = ((census.sets[event] ?? []) + (census.waits[event] ?? [])).sorted()
      guard let first = users.first else { return nil }
      let site = Finding.Site(core: core, op: first)
      return Finding(
        .S005,
        "\(writer.describe(site)) names \(writer.describe(event)), but the machine has "
          + "\(limit.counted("event")) from \(event.source.name) to \(event.target.name)",
        sites: [site], fix: "use IDs from 0 to \(limit - 1)", folded: users.count - 1)
    }
  }

  /// S007: one finding for each pair of queues.
  private func pairs(_ core: Int) -> [Finding] {
    let known = program.machine.allEventPairs
    let absent = EventEnd.all.flatMap { source in
      EventEnd.all.filter { target in
        use.eventIDs[core][Event(source: source, target: target, id: 0).pair] > 0
          && !known.contains(source, target)
      }.map { (source: source, target: $0) }
    }
    return absent.compactMap { pair in
      let users = program.cores[core].indices.filter { op in
        let record = program.cores[core][op]
        return record.kind.isOfEvent && record.event.source == pair.source
          && record.event.target == pair.target
      }
      guard let first = users.first else { return nil }
      let site = Finding.Site(core: core, op: first)
      let detour = EventDetour(program.machine, from: pair.source, to: pair.target)
      return Finding(
        .S007,
        "\(writer.describe(site)) names \(writer.describe(writer.record(site).event)), but "
          + detour.message,
        sites: [site], fix: detour.fix, folded: users.count - 1)
    }
  }

  private func times(_ count: Int) -> String {
    switch count {
    case 0: "never"
    case 1: "once"
    default: "\(count) times"
    }
  }

  private func ordinal(_ count: Int) -> String {
    switch (count % 10, count % 100) {
    case (1, 0...10), (1, 20...): "\(count)st"
    case (2, 0...10), (2, 20...): "\(count)nd"
    case (3, 0...10), (3, 20...): "\(count)rd"
    default: "\(count)th"
    }
  }
}

/// Where each event of a core is set and waited for, in program order.
struct EventCensus {
  private(set) var sets: [Event: [Int]] = [:]
  private(set) var waits: [Event: [Int]] = [:]
  /// Every event, in the order of its pair and ID.
  private(set) var events: [Event] = []

  init(_ records: [OpRecord]) {
    for (index, record) in records.enumerated() {
      if record.kind.isSet { sets[record.event, default: []].append(index) }
      if record.kind.isWait { waits[record.event, default: []].append(index) }
    }
    events = Set(sets.keys).union(waits.keys).sorted { $0.packed < $1.packed }
  }
}
