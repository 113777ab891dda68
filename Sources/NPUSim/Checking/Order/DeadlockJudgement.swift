/// Judges a state without progress: which queues wait for which, and why that never ends.
struct DeadlockJudgement {
  private let program: Program
  private let writer: FindingWriter
  private let order: ProgramOrder
  /// Where events between cores are set.
  private let coreSets: [CoreEvent: [Int]]

  init(_ program: Program, _ writer: FindingWriter, _ order: ProgramOrder) {
    self.program = program
    self.writer = writer
    self.order = order
    coreSets = order.exchange == nil ? [:] : CoreEventCensus(program).sets
  }

  func findings() -> [Finding] {
    var graph = HoldGraph(cores: program.cores.count)
    for core in program.cores.indices where isHeld(core) { addHolds(of: core, to: &graph) }
    // Nobody is looked at in a program that ends.
    let isMet =
      order.stops.allSatisfy { $0 == .finished }
      ? [] : program.cores.map { $0.count { $0.kind == .barrierCores } > order.phases }
    for core in program.cores.indices where isAtCoreBarrier(core) {
      // It waits for every core that has not come there and would.
      for other in program.cores.indices where other != core && isHeld(other) && isMet[other] {
        graph.join(core, .sequencer, to: other, .sequencer)
        for hold in graph.holds[other] { graph.join(core, .sequencer, to: other, hold.end) }
      }
    }
    graph.close()
    var result: [Finding] = []
    for core in program.cores.indices {
      switch order.stops[core] {
      case .stuck, .coreWait: result += stuck(core, graph)
      case .coreBarrier(let index): result += lonely(core, index, isMet)
      case .finished: break
      }
      // With unlimited queues it finishes, so it is the depth that stops it.
      if !isHeld(core), let stop = order.walks[core].capacityStop {
        result.append(capacity(core, stop))
      }
    }
    return result
  }

  /// Whether the core can never go on, other than by the others' coming to a barrier.
  private func isHeld(_ core: Int) -> Bool {
    switch order.stops[core] {
    case .stuck, .coreWait: true
    case .coreBarrier, .finished: false
    }
  }

  /// Whether the sequencer of a core stands at a barrier over the cores.
  private func isAtCoreBarrier(_ core: Int) -> Bool {
    stand(core).map { program.cores[core][$0].kind == .barrierCores } ?? false
  }

  // MARK: Order

  /// What the sequencer of a core cannot pass.
  private func stand(_ core: Int) -> Int? {
    if case .coreBarrier(let index) = order.stops[core] { return index }
    let next = order.walks[core].next
    return next < program.cores[core].count ? next : nil
  }

  /// What holds the queues and the sequencer of a core.
  private func addHolds(of core: Int, to graph: inout HoldGraph) {
    let records = program.cores[core]
    let walk = order.walks[core]
    let census = EventCensus(records)
    let units = UnitChains(records, tiles: program.tiles)
    func partner(of op: Int) -> Finding.Site? {
      let record = records[op]
      if record.kind == .data { return units?.source(of: op).map { .init(core: core, op: $0) } }
      if record.kind == .coreWait {
        let event = record.coreEvent(on: core)
        let sets = coreSets[event] ?? []
        let needed = order.exchange?.taken(event) ?? 0
        return needed < sets.count ? .init(core: event.setter, op: sets[needed]) : nil
      }
      let partners = (record.kind.isSet ? census.waits : census.sets)[record.event] ?? []
      let needed = walk.events.waits(of: record.event)
      return needed < partners.count ? .init(core: core, op: partners[needed]) : nil
    }
    func add(_ end: EventEnd, at op: Int) {
      let site = Finding.Site(core: core, op: op)
      let partner = partner(of: op)
      let isUndispatched = partner.map { found in
        stand(found.core).map { found.op > $0 } ?? false
      }
      graph.holds[core].append(
        HoldGraph.Hold(
          end: end, site: site, words: words(site), partner: partner,
          isUndispatched: isUndispatched ?? false))
      guard let partner else { return }
      // What is not dispatched stands behind its queue's head, too.
      graph.join(core, end, to: partner.core, writer.record(partner).end)
      if isUndispatched == true { graph.join(core, end, to: partner.core, .sequencer) }
    }
    for queue in Queue.allCases where walk.blocked & (1 << queue.rawValue) != 0 {
      add(.queue(queue), at: Int(walk.deferred[queue.index][walk.heads[queue.index]]))
    }
    guard let stand = stand(core) else { return }
    if records[stand].kind.joinsQueues {
      for hold in graph.holds[core] { graph.join(core, .sequencer, to: core, hold.end) }
    } else {
      add(.sequencer, at: stand)
    }
  }

  /// D001 and D002 of one core; a cycle through several is reported with the first of them.
  private func stuck(_ core: Int, _ graph: HoldGraph) -> [Finding] {
    let holds = graph.holds[core]
    let cycle = graph.cycle(through: core)
    let lines = holds.map(describe)
    var result: [Finding] = []
    if let first = cycle.first, first.site.core == core {
      let heads: String
      if cycle.contains(where: { $0.site.core != core }) {
        heads = "cores wait for each other and never go on:\n"
      } else if cycle.allSatisfy({ $0.end == .sequencer }) {
        heads = "the sequencer waits for what stands behind its wait:\n"
      } else {
        heads = "queues wait for each other and never go on:\n"
      }
      result.append(
        Finding(
          .D001, heads + cycle.map { "  " + describe($0) }.joined(separator: "\n"),
          sites: cycle.map(\.site), fix: HoldWords.fix(ofCycle: cycle.map(\.words))))
    }
    for hold in holds where hold.partner == nil {
      let others = lines.filter { $0 != describe(hold) }
      let rest = others.isEmpty ? "" : "\nheld with it:\n  " + others.joined(separator: "\n  ")
      result.append(
        Finding(
          .D002, "\(hold.words.title):\n  " + describe(hold) + rest, sites: [hold.site],
          fix: hold.words.fix))
    }
    return result
  }

  private func describe(_ hold: HoldGraph.Hold) -> String {
    let head = "\(hold.end.name): \(writer.describe(hold.site)) \(hold.words.waits)"
    guard let partner = hold.partner else { return "\(head), \(hold.words.unanswered)" }
    let text =
      "\(head), \(hold.words.answered) \(writer.describe(partner)), which stands behind "
    if hold.isUndispatched, let stand = stand(partner.core) {
      return text + writer.describe(.init(core: partner.core, op: stand))
    }
    let queue = writer.record(partner).queue.index
    let walk = order.walks[partner.core]
    guard walk.heads[queue] < walk.deferred[queue].count else { return text + "others" }
    let blocker = Int(walk.deferred[queue][walk.heads[queue]])
    return text + writer.describe(.init(core: partner.core, op: blocker))
  }

  private func words(_ site: Finding.Site) -> HoldWords {
    let record = writer.record(site)
    let tile = record.accumulator(program.tiles)
    return HoldWords(
      record, event: record.kind == .data ? "" : writer.describeEvent(of: site),
      tile: tile.map { program.describe(program.tiles[Int($0)]) } ?? "")
  }

  /// D002: a barrier over the cores that another core's list does not have, whether that core ends or
  /// is stuck itself, perhaps as it waits for what comes behind this barrier.
  private func lonely(_ core: Int, _ index: Int, _ isMet: [Bool]) -> [Finding] {
    let without = program.cores.indices.filter { !isMet[$0] }
    guard !without.isEmpty else { return [] }
    let site = Finding.Site(core: core, op: index)
    let names = without.map(String.init).joined(separator: ", ")
    return [
      Finding(
        .D002,
        "\(writer.describe(site)) is barrier \(order.phases + 1) over the cores, but core \(names) "
          + "ends after \(order.phases)",
        sites: [site], fix: "give every core the same number of sync.barrier_cores")
    ]
  }

  // MARK: Capacity

  /// D003.
  private func capacity(_ core: Int, _ stop: OrderWalk.CapacityStop) -> Finding {
    let records = program.cores[core]
    let depth = program.machine.queueDepth ?? 0
    let site = Finding.Site(core: core, op: stop.index)
    let queue = records[stop.index].queue
    let lines = stop.heads.map { head in
      let site = Finding.Site(core: core, op: head.op)
      let words = words(site)
      return "  \(Queue.allCases[head.queue].name): \(writer.describe(site)) \(words.waits), "
        + words.undispatched
    }
    return Finding(
      .D003,
      "the sequencer never gets past \(writer.describe(site)): \(queue.name) holds its \(depth) "
        + "micro-ops, none of which can start\n" + lines.joined(separator: "\n"),
      sites: [site] + stop.heads.map { .init(core: core, op: $0.op) },
      fix: "move the sets before this micro-op in program order, or use deeper queues")
  }
}
