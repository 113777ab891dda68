import NPUSim

/// A second timing engine, written from docs/machine.md alone: it visits every cycle and asks every
/// queue of every core what it does in it. Slow and plain; the oracle of the real one.
struct CycleSteppedEngine {
  struct Answer {
    var cycles: Int
    var instants: [[OpInstants]]
    /// By core and queue.
    var busy: [[Int]]
    /// By core, queue and reason.
    var stalls: [[[StallReason: Int]]]
  }

  /// A micro-op as it stands in the program.
  private struct Op {
    var kind: OpKind
    var queues: [Int]
    var port = 1
    var latency = 0
    var hbmBytes: Int?
    var writesHBM = false
    var propagation = 0
    /// Earlier micro-ops whose results it must see.
    var interlocks: [Int] = []
    var matchingSet: Int?
    /// The core of that set, where it is another one.
    var matchingCore: Int?
    /// What its unit flag lets it wait for.
    var unit = UnitFlagOracle.Need.nothing
    /// Which barrier over the cores it is.
    var ordinal = 0
  }

  /// What has happened to a micro-op; `later` where it has not.
  private struct Moment {
    var dispatch = later
    var start = later
    var free = later
    var visible = later
    var fire = later
  }

  private static let later = Int.max

  private let machine: MachineConfiguration
  private let isUncontended: Bool
  private let ops: [[Op]]
  /// Micro-ops of each core and queue, in order.
  private let lists: [[[Int]]]
  private var moments: [[Moment]]
  /// Micro-ops dispatched, by core.
  private var dispatched: [Int]
  /// Micro-ops started, by core and queue.
  private var started: [[Int]]
  /// When HBM is free, in units of 1 / numerator of its rate.
  private var hbmFree = 0
  /// Whether the last service of HBM wrote.
  private var wrote: Bool?

  init(_ program: Program, uncontended: Bool) {
    machine = program.machine
    isUncontended = uncontended
    ops = program.cores.enumerated().map { core, list in
      let sites = ByteSets(program, list)
      let units = UnitFlagOracle(program, list)
      return list.indices.map { index in
        var op = Self.prepare(program, core, list, index, sites)
        op.unit = units.needs[index]
        return op
      }
    }
    lists = ops.map { ops in
      (0..<6).map { q in ops.indices.filter { ops[$0].queues.contains(q) } }
    }
    moments = ops.map { $0.map { _ in Moment() } }
    dispatched = ops.map { _ in 0 }
    started = ops.map { _ in Array(repeating: 0, count: 6) }
  }

  // MARK: Preparation

  private static func prepare(
    _ program: Program, _ coreNumber: Int, _ list: [OpRecord], _ index: Int, _ sites: ByteSets
  ) -> Op {
    let record = list[index]
    var queues = [record.queue.index]
    switch record.kind {
    case .barrierAll, .barrierCores: queues = Array(0..<6)
    case .sequencerSet, .sequencerWait, .coreWait: queues = []
    default: break
    }
    var op = Op(kind: record.kind, queues: queues)
    switch record.kind {
    case .data:
      price(&op, program.works[Int(record.work)], program.machine)
      switch program.works[Int(record.work)].kind {
      case .vector: op.port = VectorOracle.cycles(program, record)
      case .transfer: op.port = TransferOracle.cycles(program, record)
      case .none, .matrix, .stated: break
      }
      if program.machine.interlocks(record.queue) {
        op.interlocks = list[..<index].indices.filter { sites.mustSee(index, $0) }
      }
    case .wait, .sequencerWait:
      let same = list.indices.filter {
        list[$0].kind != .data && list[$0].words[0] == record.words[0]
      }
      let sets = same.filter { [.set, .sequencerSet].contains(list[$0].kind) }
      let waits = same.filter { [.wait, .sequencerWait].contains(list[$0].kind) }
      let place = waits.firstIndex(of: index) ?? 0
      op.matchingSet = place < sets.count ? sets[place] : nil
      let event = record.event
      let own = program.machine.propagationBetween.list.first {
        $0.source == event.source && $0.target == event.target
      }
      op.propagation = Int(own?.cycles ?? program.machine.eventPropagation)
    case .coreWait:
      op.propagation = Int(program.machine.eventPropagation)
      let other = Int(record.words[0])
      func places(_ list: [OpRecord], _ kind: OpKind, _ partner: Int) -> [Int] {
        list.indices.filter {
          list[$0].kind == kind && Int(list[$0].words[0]) == partner
            && list[$0].words[1] == record.words[1]
        }
      }
      let sets =
        program.cores.indices.contains(other)
        ? places(program.cores[other], .coreSet, coreNumber) : []
      let place = places(list, .coreWait, other).firstIndex(of: index) ?? 0
      op.matchingCore = other
      op.matchingSet = place < sets.count ? sets[place] : nil
    case .barrierCores:
      op.ordinal = list[..<index].count { $0.kind == .barrierCores }
    case .set, .sequencerSet, .coreSet, .barrierQueue, .barrierAll:
      break
    }
    return op
  }

  private static func price(_ op: inout Op, _ work: Work, _ machine: MachineConfiguration) {
    if let path = work.path {
      op.latency = Int(machine[path].latency)
      if path.readsHBM || path.writesHBM { op.hbmBytes = Int(work.hbmBytes) }
      op.writesHBM = path.writesHBM
    } else if let kind = work.vectorClass {
      op.latency = Int(machine.vector.latencies[kind.index])
    } else if work.kind == .stated {
      (op.port, op.latency) = (Int(work.amounts.0), Int(work.amounts.1))
    } else {
      let (m, k, n) = work.amounts
      let unit = machine.matrix
      op.port = MatrixOracle.cycles(Int(m), Int(k), Int(n), unit) + Int(unit.overhead)
      op.latency = Int(unit.latency)
    }
  }

  // MARK: Time

  /// The whole run, or `nil` when nothing can ever happen again.
  mutating func run() -> Answer? {
    var answer = Answer(
      cycles: 0, instants: [], busy: ops.map { _ in Array(repeating: 0, count: 6) },
      stalls: ops.map { _ in Array(repeating: [:], count: 6) })
    var marks: [[[StallReason?]]] = ops.map { _ in Array(repeating: [], count: 6) }
    var t = 0
    /// The latest instant of anything that has happened.
    var horizon = 0
    while true {
      var unfinished = false
      for c in ops.indices {
        for q in 0..<6 where started[c][q] < lists[c][q].count { unfinished = true }
        if dispatched[c] < ops[c].count || isHeld(c) { unfinished = true }
      }
      if !unfinished && t >= horizon { break }
      // Longer than any propagation or joining of cores: nothing will happen any more.
      if t > horizon + 100 { return nil }
      horizon = max(horizon, step(t))
      for c in ops.indices {
        for q in 0..<6 { marks[c][q].append(reason(c, q, t)) }
      }
      t += 1
    }
    for list in moments {
      for moment in list { answer.cycles = max(answer.cycles, moment.visible) }
    }
    for c in ops.indices {
      for q in 0..<6 {
        for mark in marks[c][q].prefix(answer.cycles) {
          if let mark {
            answer.stalls[c][q][mark, default: 0] += 1
          } else {
            answer.busy[c][q] += 1
          }
        }
      }
      answer.instants.append(
        moments[c].map {
          OpInstants(
            dispatch: Int64($0.dispatch), start: Int64($0.start), free: Int64($0.free),
            visible: Int64($0.visible))
        })
    }
    return answer
  }

  /// Everything that happens in cycle `t`: one dispatch a core, and every start that is possible,
  /// lowest core and queue first. Returns the latest instant that follows from it.
  private mutating func step(_ t: Int) -> Int {
    var latest = 0
    var again = true
    while again {
      again = false
      for c in ops.indices where dispatch(c, t) { latest = max(latest, t) }
      search: for c in ops.indices {
        // The sequencer does its own micro-ops one at a time, as it comes to them.
        let last = dispatched[c] - 1
        if last >= 0, ops[c][last].queues.isEmpty, moments[c][last].start == Self.later,
          canStart(c, last, t)
        {
          start(c, last, t)
          latest = max(latest, moments[c][last].visible)
          again = true
          break
        }
        for q in 0..<6 {
          if let i = head(c, q), canStart(c, i, t) {
            start(c, i, t)
            latest = max(latest, moments[c][i].visible)
            again = true
            break search
          }
        }
      }
    }
    return latest
  }

  /// The oldest micro-op of a queue that is dispatched and not started.
  private func head(_ c: Int, _ q: Int) -> Int? {
    guard started[c][q] < lists[c][q].count else { return nil }
    let i = lists[c][q][started[c][q]]
    return i < dispatched[c] ? i : nil
  }

  private func isFull(_ c: Int, _ q: Int) -> Bool {
    guard !isUncontended, let depth = machine.queueDepth else { return false }
    let waiting = lists[c][q][started[c][q]...].count { $0 < dispatched[c] }
    return waiting >= depth
  }

  /// Whether the sequencer stands at a barrier on all, or a wait of its own, that has not started.
  private func isHeld(_ c: Int) -> Bool {
    guard dispatched[c] > 0 else { return false }
    let last = dispatched[c] - 1
    return ops[c][last].queues.count != 1 && moments[c][last].start == Self.later
  }

  private mutating func dispatch(_ c: Int, _ t: Int) -> Bool {
    let i = dispatched[c]
    guard i < ops[c].count, !isHeld(c) else { return false }
    if i > 0 && moments[c][i - 1].dispatch >= t { return false }
    if i > 0 && ops[c][i - 1].queues.isEmpty && moments[c][i - 1].free > t { return false }
    for q in ops[c][i].queues where isFull(c, q) { return false }
    moments[c][i].dispatch = t
    dispatched[c] += 1
    return true
  }

  private func canStart(_ c: Int, _ i: Int, _ t: Int) -> Bool {
    for q in ops[c][i].queues {
      if head(c, q) != i { return false }
      for j in lists[c][q] where j < i && moments[c][j].free > t { return false }
    }
    switch ops[c][i].kind {
    case .data:
      return hasUnit(c, i, t) && ops[c][i].interlocks.allSatisfy { moments[c][$0].visible <= t }
    case .set, .sequencerSet, .coreSet:
      return true
    case .wait, .sequencerWait, .coreWait:
      let setter = ops[c][i].matchingCore ?? c
      guard let set = ops[c][i].matchingSet, moments[setter][set].fire != Self.later else {
        return false
      }
      return moments[setter][set].fire + ops[c][i].propagation <= t
    case .barrierQueue:
      return lists[c][ops[c][i].queues[0]].allSatisfy { $0 >= i || moments[c][$0].visible <= t }
    case .barrierAll:
      return (0..<i).allSatisfy { moments[c][$0].visible <= t }
    case .barrierCores:
      var latest = 0
      for core in ops.indices {
        guard let own = ownStart(core, ordinal: ops[c][i].ordinal) else { return false }
        latest = max(latest, own)
      }
      return latest + Int(machine.coreBarrier) <= t
    }
  }

  /// Whether the micro-op that one waits for by its unit flag is visible, and all before it are.
  private func hasUnit(_ c: Int, _ i: Int, _ t: Int) -> Bool {
    switch ops[c][i].unit {
    case .nothing: return true
    case .never: return false
    case .op(let source):
      return lists[c][ops[c][source].queues[0]].allSatisfy {
        $0 > source || moments[c][$0].visible <= t
      }
    }
  }

  /// When a core alone could start its barrier over the cores, if that is known by now.
  private func ownStart(_ c: Int, ordinal: Int) -> Int? {
    guard
      let i = ops[c].indices.first(where: {
        ops[c][$0].kind == .barrierCores && ops[c][$0].ordinal == ordinal
      }), moments[c][i].dispatch != Self.later
    else { return nil }
    var latest = moments[c][i].dispatch
    for j in 0..<i {
      if moments[c][j].visible == Self.later { return nil }
      latest = max(latest, moments[c][j].visible)
    }
    return latest
  }

  private mutating func start(_ c: Int, _ i: Int, _ t: Int) {
    moments[c][i].start = t
    var free = t + ops[c][i].port
    if let bytes = ops[c][i].hbmBytes, !machine.hbm.rate.isUnlimited {
      // bytes / (rate · share), where time counts in parts of a cycle that suit both shares.
      let (rate, hbm) = (machine.hbm.rate, machine.hbm)
      let shares = [hbm.readEfficiency, hbm.mixedEfficiency]
      let isMixed = !isUncontended && wrote == !ops[c][i].writesHBM
      let share = shares[isMixed ? 1 : 0]
      let unit = shares.reduce(Int(rate.numerator)) { $0 * Int($1.numerator) }
      let service =
        bytes * Int(rate.denominator) * Int(share.denominator)
        * Int(shares[isMixed ? 0 : 1].numerator)
      if !isUncontended { wrote = ops[c][i].writesHBM }
      let begin = isUncontended ? t * unit : max(t * unit, hbmFree)
      let end = begin + service
      if !isUncontended { hbmFree = end }
      while free * unit < end { free += 1 }
    }
    moments[c][i].free = free
    moments[c][i].visible = free + ops[c][i].latency
    if ops[c][i].kind == .sequencerSet { moments[c][i].fire = free }
    if [.set, .coreSet].contains(ops[c][i].kind) {
      var fire = free
      for j in lists[c][ops[c][i].queues[0]] where j < i { fire = max(fire, moments[c][j].visible) }
      moments[c][i].fire = fire
    }
    for q in ops[c][i].queues { started[c][q] += 1 }
  }

  // MARK: Accounts

  /// What queue `q` does in cycle `t`, after everything of `t` has happened; `nil` is busy.
  private func reason(_ c: Int, _ q: Int, _ t: Int) -> StallReason? {
    let list = lists[c][q]
    for i in list[..<started[c][q]].reversed() {
      let moment = moments[c][i]
      if moment.free > t { return t < moment.start + ops[c][i].port ? nil : .hbmShare }
    }
    guard started[c][q] < list.count else { return .drained }
    if let i = head(c, q) {
      switch ops[c][i].kind {
      case .wait: return .waitEvent
      case .barrierQueue, .barrierAll, .barrierCores: return .barrier
      case .data: return hasUnit(c, i, t) ? .interlock : .waitEvent
      case .set, .sequencerSet, .sequencerWait, .coreSet, .coreWait: return .interlock
      }
    }
    let next = dispatched[c]
    // A sequencer that waits, or does its wait's one cycle, does not stand before a queue.
    if next > 0 && ops[c][next - 1].queues.isEmpty && moments[c][next - 1].free > t {
      return .dispatch
    }
    if isHeld(c) { return .barrier }
    let dispatchedNow = next > 0 && moments[c][next - 1].dispatch == t
    if !dispatchedNow && ops[c][next].queues.contains(where: { $0 != q && isFull(c, $0) }) {
      return .starved
    }
    return .dispatch
  }
}
