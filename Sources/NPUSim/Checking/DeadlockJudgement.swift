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

  /// What holds a queue at the head of which a wait stands.
  private struct Hold {
    var queue: Int
    var wait: Int
    /// The set that it needs, if the program has it.
    var set: Int?
    /// It stands behind the barrier that the core cannot pass.
    var isBehindBarrier: Bool
  }

  /// D001 and D002 of one core.
  private func stuck(_ core: Int) -> [Finding] {
    let records = program.cores[core]
    let walk = order.walks[core]
    let barrier = walk.next < records.count ? walk.next : nil
    let census = EventCensus(records)
    var holds: [Hold] = []
    for queue in 0..<Queue.count where walk.blocked & (1 << UInt8(queue)) != 0 {
      let wait = Int(walk.deferred[queue][walk.heads[queue]])
      let event = records[wait].event
      let sets = census.sets[event] ?? []
      let needed = walk.events.waits(of: event)
      let set = needed < sets.count ? sets[needed] : nil
      holds.append(
        Hold(
          queue: queue, wait: wait, set: set,
          isBehindBarrier: barrier.map { (set ?? 0) > $0 } ?? false))
    }

    // Bit 6 stands for the barrier, which waits for every blocked queue.
    var reach = [UInt8](repeating: 0, count: 7)
    for hold in holds {
      if hold.isBehindBarrier {
        reach[hold.queue] = 1 << 6
      } else if let set = hold.set {
        reach[hold.queue] = 1 << records[set].queue.rawValue
      }
      if barrier != nil { reach[6] |= 1 << UInt8(hold.queue) }
    }
    for _ in 0..<7 {
      for node in 0..<7 {
        for other in 0..<7 where reach[node] & (1 << UInt8(other)) != 0 {
          reach[node] |= reach[other]
        }
      }
    }
    let cycle = holds.filter { reach[$0.queue] & (1 << UInt8($0.queue)) != 0 }
    let lines = holds.map { describe($0, core, barrier) }
    var result: [Finding] = []
    if !cycle.isEmpty {
      result.append(
        Finding(
          .D001,
          "queues wait for each other and never go on:\n"
            + cycle.map { "  " + describe($0, core, barrier) }.joined(separator: "\n"),
          sites: cycle.map { .init(core: core, op: $0.wait) },
          fix: "move one of the waits after the micro-ops that its set depends on"))
    }
    for hold in holds where hold.set == nil {
      let others = lines.filter { $0 != describe(hold, core, barrier) }
      let rest = others.isEmpty ? "" : "\nheld with it:\n  " + others.joined(separator: "\n  ")
      result.append(
        Finding(
          .D002, "a wait is never answered:\n  " + describe(hold, core, barrier) + rest,
          sites: [.init(core: core, op: hold.wait)],
          fix: "set \(writer.describe(records[hold.wait].event)) once more, or remove the wait"))
    }
    return result
  }

  private func describe(_ hold: Hold, _ core: Int, _ barrier: Int?) -> String {
    let wait = Finding.Site(core: core, op: hold.wait)
    let event = writer.describe(program.cores[core][hold.wait].event)
    let head = "\(Queue.allCases[hold.queue].name): \(writer.describe(wait)) waits for \(event)"
    guard let set = hold.set else { return head + ", which is not set again" }
    let setText = writer.describe(.init(core: core, op: set))
    if hold.isBehindBarrier, let barrier {
      return head + ", set by \(setText), which stands behind "
        + writer.describe(.init(core: core, op: barrier))
    }
    let other = program.cores[core][set].queue.index
    let walk = order.walks[core]
    let blocker = Int(walk.deferred[other][walk.heads[other]])
    return head + ", set by \(setText), which stands behind "
      + writer.describe(.init(core: core, op: blocker))
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
      let event = records[head.wait].event
      return "  \(Queue.allCases[head.queue].name): "
        + writer.describe(.init(core: core, op: head.wait))
        + " waits for \(writer.describe(event)), whose set is not dispatched yet"
    }
    return Finding(
      .D003,
      "the sequencer never gets past \(writer.describe(site)): \(queue.name) holds its \(depth) "
        + "micro-ops, none of which can start\n" + lines.joined(separator: "\n"),
      sites: [site] + stop.heads.map { .init(core: core, op: $0.wait) },
      fix: "move the sets before this micro-op in program order, or use deeper queues")
  }
}
