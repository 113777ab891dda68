/// Walks the chain of a run back from its last instant. See ``BindingPath``.
struct BindingWalk {
  /// An instant of a micro-op, or the end of its HBM service.
  private enum Point {
    case visible, free, start, dispatch, served
  }

  private let program: Program
  private let machine: MachineConfiguration
  private let prices: PriceTable
  private let timeline: [[OpInstants]]
  private let isUncontended: Bool
  private let layout: TileLayout
  private let index: [QueueIndex]
  private let units: [UnitChains?]
  /// For each wait for another core the set that it matches.
  private let coreSets: [OpSite: OpSite]
  private let causes: [BindingPath.Cause]
  private let services: ServiceIndex
  /// Cycles by cause, queue and work: a flat table, as a chain may have millions of links.
  private var booked = [Int64](
    repeating: 0, count: BindingPath.Cause.allCases.count * Queue.count * Self.workCount)
  /// Where the walk is: the lists of its core are at hand.
  private var core = 0
  private var op = 0
  private var records: [OpRecord] = []
  private var times: [OpInstants] = []
  /// The account of each amount of work.
  private let accounts: [UInt8]
  private var point = Point.visible
  private var now: Int64 = 0

  init(
    _ program: Program, _ prices: PriceTable, _ timeline: [[OpInstants]],
    _ services: [MemoryService], isUncontended: Bool
  ) {
    self.program = program
    machine = program.machine
    self.prices = prices
    self.timeline = timeline
    self.isUncontended = isUncontended
    layout = TileLayout(program)
    index = program.cores.map { QueueIndex($0) }
    units = program.cores.map { UnitChains($0, tiles: program.tiles) }
    coreSets = Self.coreSets(program)
    causes = BindingPath.Cause.allCases
    self.services = ServiceIndex(services, of: program)
    accounts = program.works.map { UInt8(truncatingIfNeeded: Self.account(of: $0)) }
  }

  private static func coreSets(_ program: Program) -> [OpSite: OpSite] {
    let census = CoreEventCensus(program)
    var result: [OpSite: OpSite] = [:]
    for event in census.events {
      for (set, wait) in zip(census.sets[event] ?? [], census.waits[event] ?? []) {
        result[OpSite(core: UInt32(event.waiter), op: UInt32(wait))] = OpSite(
          core: UInt32(event.setter), op: UInt32(set))
      }
    }
    return result
  }

  /// Goes to a micro-op.
  private mutating func move(to op: Int, of core: Int) {
    if core != self.core || records.isEmpty {
      self.core = core
      records = program.cores[core]
      times = timeline[core]
    }
    self.op = op
  }

  /// Walks from the micro-op that is visible at `cycles` to cycle 0; `false` if a link is missing.
  mutating func run(from cycles: Int64) -> Bool {
    now = cycles
    guard moveToVisible(at: cycles, in: timeline.indices.map { ($0, 0, timeline[$0].count) })
    else { return false }
    while true {
      switch point {
      case .visible:
        book(.latency, back: instants.free, to: .free)
      case .free: leaveFree()
      case .served: leaveService()
      case .start:
        guard leaveStart() else { return false }
      case .dispatch:
        if now == 0 { return true }
        guard leaveDispatch() else { return false }
      }
    }
  }

  private var instants: OpInstants { times[op] }
  private var record: OpRecord { records[op] }

  // MARK: Accounts

  /// Transfer paths, vector classes, and five names more.
  private static let workCount = TransferPath.count + VectorClass.count + otherWorks.count
  private static let otherWorks = ["matmul", "set", "wait", "barrier", "op"]

  /// Everything that was booked.
  var shares: [BindingPath.Share] {
    var result: [BindingPath.Share] = []
    for (index, cycles) in booked.enumerated() where cycles > 0 {
      let work = index % Self.workCount
      let place = index / Self.workCount
      let cause = causes[place / Queue.count]
      let isShared = cause == .dispatch || cause == .join
      result.append(
        BindingPath.Share(
          queue: isShared ? nil : Queue.allCases[place % Queue.count],
          work: isShared ? cause.rawValue : Self.name(ofWork: work), cause: cause, cycles: cycles))
    }
    return result
  }

  /// Books the cycles from `instant` to now and goes there.
  private mutating func book(_ cause: BindingPath.Cause, back instant: Int64, to next: Point) {
    let isShared = cause == .dispatch || cause == .join
    let queue = isShared ? 0 : records[op].queue.index
    let work = isShared ? 0 : account
    let place = (causes.firstIndex(of: cause) ?? 0) * Queue.count + queue
    booked[place * Self.workCount + work] += now - instant
    now = instant
    point = next
  }

  /// The account of a work: its path or class, that of products, or of what is stated.
  private static func account(of work: Work) -> Int {
    if work.kind == .stated { return firstOther + 4 }
    return work.path?.index ?? work.vectorClass.map { TransferPath.count + $0.index } ?? firstOther
  }

  private static let firstOther = TransferPath.count + VectorClass.count

  private var account: Int {
    switch records[op].kind {
    case .data: Int(accounts[Int(records[op].work)])
    case .set, .sequencerSet, .coreSet: Self.firstOther + 1
    case .wait, .sequencerWait, .coreWait: Self.firstOther + 2
    case .barrierQueue, .barrierAll, .barrierCores: Self.firstOther + 3
    }
  }

  private static func name(ofWork work: Int) -> String {
    if work < TransferPath.count { return TransferPath.allCases[work].key }
    let rest = work - TransferPath.count
    return rest < VectorClass.count
      ? VectorClass.allCases[rest].key : otherWorks[rest - VectorClass.count]
  }

  // MARK: Links

  private mutating func leaveFree() {
    let price = prices[record.work]
    let start = instants.start
    if record.kind.isInSequencer {
      book(.dispatch, back: start, to: .start)
    } else if record.kind == .data, price.usesHBM, now > start + price.occupancy {
      if isUncontended {
        book(.hbm, back: start, to: .start)
      } else {
        point = .served
      }
    } else {
      book(.occupancy, back: start, to: .start)
    }
  }

  /// The server began with this transfer at its start, or when it was done with another.
  private mutating func leaveService() {
    guard let (begin, earlier) = services.predecessor(core: core, op: op) else {
      book(.hbm, back: instants.start, to: .start)
      return
    }
    book(.hbm, back: begin, to: .served)
    move(to: Int(earlier.op), of: Int(earlier.core))
  }

  private mutating func leaveStart() -> Bool {
    let record = record
    let isWide = record.kind == .barrierAll || record.kind == .barrierCores
    if record.kind == .barrierCores {
      let own = now - machine.coreBarrier
      book(.join, back: own, to: .start)
      return leaveJoin(at: own)
    }
    if isWide { return leaveWideBarrier(core, op) }
    if !record.kind.isInSequencer,
      let previous = index[core].previous(of: op, on: record.queue), times[previous].free == now
    {
      op = previous
      point = .free
      return true
    }
    if instants.dispatch == now {
      point = .dispatch
      return true
    }
    switch record.kind {
    case .wait, .sequencerWait:
      guard let set = index[core].set(of: op) else { return false }
      let propagation = machine.propagation(
        from: record.event.source, to: record.event.target)
      book(.propagation, back: now - propagation, to: .free)
      op = set
      if times[set].free == now { return true }
      guard let source = record.event.source.queue else { return false }
      return moveToEarlierVisible(than: set, on: source, needs: nil)
    case .barrierQueue:
      return moveToEarlierVisible(than: op, on: record.queue, needs: nil)
    case .data:
      if let source = units[core]?.source(of: op), leaveUnitFlag(of: source) { return true }
      return moveToEarlierVisible(than: op, on: record.queue, needs: record)
    case .coreWait:
      guard let set = coreSets[OpSite(core: UInt32(core), op: UInt32(op))] else { return false }
      book(.propagation, back: now - machine.eventPropagation, to: .free)
      move(to: Int(set.op), of: Int(set.core))
      if times[op].free == now { return true }
      return moveToEarlierVisible(than: op, on: self.record.queue, needs: nil)
    case .set, .sequencerSet, .coreSet, .barrierAll, .barrierCores:
      return false
    }
  }

  /// A unit flag lets go when its micro-op, and everything before it on its queue, is visible.
  private mutating func leaveUnitFlag(of source: Int) -> Bool {
    guard times[source].visible == now else {
      return moveToEarlierVisible(than: source, on: records[source].queue, needs: nil)
    }
    op = source
    point = .visible
    return true
  }

  private mutating func leaveDispatch() -> Bool {
    let record = record
    let isWide = record.kind == .barrierAll || record.kind == .barrierCores
    if op > 0 && times[op - 1].dispatch + 1 == now {
      book(.dispatch, back: now - 1, to: .dispatch)
      op -= 1
      return true
    }
    if op > 0 {
      let before = records[op - 1].kind
      if before.isInSequencer, times[op - 1].free == now {
        op -= 1
        point = .free
        return true
      }
      if before.joinsQueues, times[op - 1].start == now {
        op -= 1
        point = .start
        return true
      }
    }
    guard let depth = machine.queueDepth else { return false }
    for queue in isWide ? Queue.allCases : [record.queue] {
      if let holder = index[core].previous(of: op, on: queue, places: depth),
        times[holder].start == now
      {
        op = holder
        point = .start
        return true
      }
    }
    return false
  }

  /// A barrier over the cores: some core reached it at `own`.
  private mutating func leaveJoin(at own: Int64) -> Bool {
    let ordinal = index[core].ordinal(ofJoin: op)
    for other in program.cores.indices {
      guard let barrier = index[other].join(ordinal) else { return false }
      if leaveWideBarrier(other, barrier) { return true }
    }
    return false
  }

  /// A barrier on all queues of a core could start now: it was dispatched, or something of the core
  /// became visible.
  private mutating func leaveWideBarrier(_ other: Int, _ barrier: Int) -> Bool {
    if timeline[other][barrier].dispatch == now {
      move(to: barrier, of: other)
      point = .dispatch
      return true
    }
    let first = index[other].previousWide(before: barrier) ?? 0
    return moveToVisible(at: now, in: [(other, first, barrier)])
  }

  // MARK: Search

  private mutating func moveToVisible(at instant: Int64, in ranges: [(Int, Int, Int)]) -> Bool {
    for (candidate, first, end) in ranges {
      for index in (first..<max(first, end)).reversed()
      where timeline[candidate][index].visible == instant {
        move(to: index, of: candidate)
        point = .visible
        return true
      }
    }
    return false
  }

  /// The latest earlier micro-op of a queue that becomes visible now; for an interlock, one that
  /// wrote what `reader` touches.
  private mutating func moveToEarlierVisible(
    than later: Int, on queue: Queue, needs reader: OpRecord?
  ) -> Bool {
    var current = later
    while let earlier = index[core].previous(of: current, on: queue) {
      if times[earlier].visible == now && (reader.map { touches($0, records[earlier]) } ?? true) {
        op = earlier
        point = .visible
        return true
      }
      current = earlier
    }
    return false
  }

  private func touches(_ later: OpRecord, _ earlier: OpRecord) -> Bool {
    guard earlier.kind == .data else { return false }
    for i in 0..<Int(earlier.operandCount) where earlier.access(i).contains(.write) {
      for j in 0..<Int(later.operandCount) where !later.access(j).isEmpty {
        if layout.overlap(
          program.tiles[Int(earlier.words[i])], padded: earlier.access(i).contains(.zeroFill),
          program.tiles[Int(later.words[j])], padded: later.access(j).contains(.zeroFill))
        {
          return true
        }
      }
    }
    return false
  }
}
