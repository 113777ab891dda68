/// Judges a state without progress: which queues wait for which, and why that never ends.
struct DeadlockJudgement {
  private let program: Program
  private let writer: FindingWriter
  private let order: ProgramOrder

  init(_ program: Program, _ writer: FindingWriter, _ order: ProgramOrder) {
    self.program = program
    self.writer = writer
    self.order = order
  }

  func findings() -> [Finding] {
    var result: [Finding] = []
    for core in program.cores.indices {
      switch order.stops[core] {
      case .stuck: result += stuck(core)
      case .coreBarrier(let index): result += lonely(core, index)
      case .finished: break
      }
      // With unlimited queues it finishes, so it is the depth that stops it.
      if order.stops[core] != .stuck, let stop = order.walks[core].capacityStop {
        result.append(capacity(core, stop))
      }
    }
    return result
  }

  // MARK: Order

  /// What holds a queue, or the sequencer, that stands at a micro-op which waits for another one.
  private struct Hold {
    /// Index of the end that is held.
    var end: Int
    var op: Int
    var words: HoldWords
    /// The micro-op that it needs, if the program has it.
    var partner: Int?
    /// It stands behind what the sequencer cannot pass.
    var isUndispatched: Bool
  }

  /// D001 and D002 of one core.
  private func stuck(_ core: Int) -> [Finding] {
    let records = program.cores[core]
    let walk = order.walks[core]
    let stand = walk.next < records.count ? walk.next : nil
    let census = EventCensus(records)
    func hold(_ end: Int, at op: Int) -> Hold {
      let partner: Int?
      if records[op].kind == .data {
        partner = walk.unitChains?.source(of: op)
      } else {
        let event = records[op].event
        let partners = (records[op].kind.isSet ? census.waits : census.sets)[event] ?? []
        let needed = walk.events.waits(of: event)
        partner = needed < partners.count ? partners[needed] : nil
      }
      return Hold(
        end: end, op: op, words: words(.init(core: core, op: op)), partner: partner,
        isUndispatched: stand.map { (partner ?? 0) > $0 } ?? false)
    }
    var holds: [Hold] = []
    for queue in 0..<Queue.count where walk.blocked & (1 << UInt8(queue)) != 0 {
      holds.append(hold(queue, at: Int(walk.deferred[queue][walk.heads[queue]])))
    }
    let sequencer = EventEnd.sequencer.index
    // At a barrier the sequencer waits for every blocked queue, elsewhere for an event.
    let isAtBarrier = stand.map { records[$0].kind.joinsQueues } ?? false
    if let stand, !isAtBarrier { holds.append(hold(sequencer, at: stand)) }

    var reach = [UInt8](repeating: 0, count: EventEnd.count)
    for hold in holds {
      // What is not dispatched stands behind its queue's head, too.
      if let partner = hold.partner { reach[hold.end] = 1 << UInt8(records[partner].end.index) }
      if hold.isUndispatched { reach[hold.end] |= 1 << UInt8(sequencer) }
      if isAtBarrier { reach[sequencer] |= 1 << UInt8(hold.end) }
    }
    for _ in reach {
      for node in reach.indices {
        for other in reach.indices where reach[node] & (1 << UInt8(other)) != 0 {
          reach[node] |= reach[other]
        }
      }
    }
    let cycle = holds.filter { reach[$0.end] & (1 << UInt8($0.end)) != 0 }
    let lines = holds.map { describe($0, core, stand) }
    var result: [Finding] = []
    if !cycle.isEmpty {
      result.append(
        Finding(
          .D001,
          (cycle.allSatisfy { $0.end == sequencer }
            ? "the sequencer waits for what stands behind its wait:\n"
            : "queues wait for each other and never go on:\n")
            + cycle.map { "  " + describe($0, core, stand) }.joined(separator: "\n"),
          sites: cycle.map { .init(core: core, op: $0.op) },
          fix: HoldWords.fix(ofCycle: cycle.map(\.words))))
    }
    for hold in holds where hold.partner == nil {
      let others = lines.filter { $0 != describe(hold, core, stand) }
      let rest = others.isEmpty ? "" : "\nheld with it:\n  " + others.joined(separator: "\n  ")
      result.append(
        Finding(
          .D002, "\(hold.words.title):\n  " + describe(hold, core, stand) + rest,
          sites: [.init(core: core, op: hold.op)], fix: hold.words.fix))
    }
    return result
  }

  /// `stand`: what the sequencer cannot pass.
  private func describe(_ hold: Hold, _ core: Int, _ stand: Int?) -> String {
    let head =
      "\(EventEnd.all[hold.end].name): \(writer.describe(.init(core: core, op: hold.op))) "
      + hold.words.waits
    guard let partner = hold.partner else { return "\(head), \(hold.words.unanswered)" }
    let text =
      "\(head), \(hold.words.answered) \(writer.describe(.init(core: core, op: partner))), "
      + "which stands behind "
    if hold.isUndispatched, let stand {
      return text + writer.describe(.init(core: core, op: stand))
    }
    let other = program.cores[core][partner].queue.index
    let walk = order.walks[core]
    let blocker = Int(walk.deferred[other][walk.heads[other]])
    return text + writer.describe(.init(core: core, op: blocker))
  }

  private func words(_ site: Finding.Site) -> HoldWords {
    let record = writer.record(site)
    let tile = record.accumulator(program.tiles)
    return HoldWords(
      record, event: record.kind == .data ? "" : writer.describe(record.event),
      tile: tile.map { program.describe(program.tiles[Int($0)]) } ?? "")
  }

  /// D002: a barrier over the cores that another core never reaches because it has ended.
  private func lonely(_ core: Int, _ index: Int) -> [Finding] {
    let ended = program.cores.indices.filter { order.stops[$0] == .finished }
    guard !ended.isEmpty else { return [] }
    let site = Finding.Site(core: core, op: index)
    let names = ended.map(String.init).joined(separator: ", ")
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
