/// Judges events between cores, and which queues cores have: S001 to S004, S007, M005.
struct CoreEventJudgement {
  private let program: Program
  private let writer: FindingWriter
  private let use: TileUse
  private let isFinished: Bool

  init(_ program: Program, _ writer: FindingWriter, _ order: ProgramOrder, _ use: TileUse) {
    self.program = program
    self.writer = writer
    self.use = use
    isFinished = order.stops.allSatisfy { $0 == .finished }
  }

  func findings() -> [Finding] {
    let lacking = program.machine.groups.isStated ? lackingQueues() : []
    guard use.hasCoreEvents else { return lacking }
    let census = CoreEventCensus(program)
    let orders = OrderRecord.record(program, use)
    return lacking
      + census.events.flatMap { event -> [Finding] in
        let sets = (census.sets[event] ?? []).map { Finding.Site(core: event.setter, op: $0) }
        let waits = (census.waits[event] ?? []).map { Finding.Site(core: event.waiter, op: $0) }
        return ends(event, sets + waits) + balance(event, sets, waits)
          + pending(event, sets, waits, orders)
      }
  }

  /// S001, S002, S003.
  private func balance(
    _ event: CoreEvent, _ sets: [Finding.Site], _ waits: [Finding.Site]
  ) -> [Finding] {
    let name = writer.describe(event.event)
    let rest = sets.count > waits.count ? Array(sets[waits.count...]) : []
    let missing = waits.count > sets.count ? Array(waits[sets.count...]) : []
    func removal(_ sites: [Finding.Site]) -> [ProgramEdit] {
      [.remove(core: sites[0].core, ops: sites.map(\.op))]
    }
    if let first = missing.first {
      return [
        Finding(
          .S002,
          "\(writer.describe(first)) waits for \(name) of core \(event.setter), which sets it for "
            + "core \(event.waiter) \(sets.count.counted("time")), and waits \(waits.count.counted("time"))",
          sites: [first],
          fix: "write set core \(event.waiter) \(name) once more on core \(event.setter), or "
            + "remove the wait",
          folded: missing.count - 1, edits: removal(missing))
      ]
    }
    guard let first = rest.first else { return [] }
    return [
      Finding(
        waits.isEmpty ? .S001 : .S003,
        "\(writer.describe(first)) sets \(name) for core \(event.waiter), which waits for it "
          + "\(waits.count.counted("time")), and is set \(sets.count.counted("time"))",
        sites: [first],
        fix: "write wait core \(event.setter) \(name) on core \(event.waiter) as often as it is "
          + "set, or remove the set",
        folded: rest.count - 1, edits: removal(rest))
    ]
  }

  /// S004: more sets pending, in some timing, than are counted.
  private func pending(
    _ event: CoreEvent, _ sets: [Finding.Site], _ waits: [Finding.Site], _ orders: [OrderRecord]
  ) -> [Finding] {
    let most = program.machine.coreEventCapacity
    let late = sets.indices.dropFirst(most).filter { number in
      let set = sets[number]
      guard orders[set.core].isExecuted(set.op) else { return false }
      guard number - most < waits.count else { return true }
      let wait = waits[number - most]
      guard orders[wait.core].isExecuted(wait.op) else { return true }
      let made = orders[set.core].known(lane: Queue.count, of: wait.core, to: set.op) ?? 0
      return made < orders[wait.core].turns[wait.op]
    }
    guard let first = late.first else { return [] }
    return [
      Finding(
        .S004,
        "\(writer.describe(sets[first])) may set \(writer.describe(event.event)) for core "
          + "\(event.waiter) while \(most.counted("set")) of it \(most == 1 ? "is" : "are") pending, as many as the machine counts",
        sites: [sets[first - most], sets[first]],
        fix: "wait on core \(event.setter) for an event back from core \(event.waiter) before it, "
          + "or use another event ID",
        folded: late.count - 1)
    ]
  }

  /// S007: the two are no two cores of one group.
  private func ends(_ event: CoreEvent, _ users: [Finding.Site]) -> [Finding] {
    guard let first = users.min(by: { ($0.core, $0.op) < ($1.core, $1.op) }) else { return [] }
    let other = first.core == event.setter ? event.waiter : event.setter
    let cores = program.cores.indices
    let wrong: (text: String, fix: String)
    if event.setter == event.waiter {
      wrong = ("but that is the core itself", "use an event of the core: set, and wait")
    } else if !cores.contains(other) {
      wrong = (
        "but the program has \(cores.count.counted("core"))",
        cores.count == 1
          ? "give core \(other) micro-ops, or take the event away"
          : "name one from 0 to \(cores.count - 1)"
      )
    } else if !program.machine.groups.joins(event.setter, event.waiter) {
      wrong = (
        "but \(program.machine.name) has events between the cores of a group only",
        "order the two with barrier_cores"
      )
    } else {
      return []
    }
    return [
      Finding(
        .S007, "\(writer.describe(first)) names core \(other), \(wrong.text)", sites: [first],
        fix: wrong.fix, folded: users.count - 1)
    ]
  }

  /// M005: micro-ops on queues that their core does not have, by core and queue.
  private func lackingQueues() -> [Finding] {
    let groups = program.machine.groups
    return program.cores.indices.flatMap { core -> [Finding] in
      let lacking = Queue.allCases.filter { !groups.has($0, core: core) }
      return lacking.compactMap { queue in
        let users = program.cores[core].indices.filter {
          let record = program.cores[core][$0]
          return record.queue == queue && !record.kind.isInSequencer
            && !record.kind.joinsQueues
        }
        guard let first = users.first else { return nil }
        let site = Finding.Site(core: core, op: first)
        let side = queue == .vector ? "matrix" : "vector"
        return Finding(
          .M005,
          "\(writer.describe(site)): core \(core) of \(program.machine.name) has no \(queue.name) "
            + "queue, as it is a \(side) core of its group",
          sites: [site], fix: "move it to a core of the other side", folded: users.count - 1)
      }
    }
  }
}
