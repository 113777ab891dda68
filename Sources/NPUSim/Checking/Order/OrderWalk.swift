/// What is told each micro-op of a core in an order that the program's own order allows.
protocol OrderObserver: ~Copyable {
  /// A micro-op on data, before its queue's clock changes; what it waits for by a unit flag is known.
  ///
  /// - Parameters:
  ///   - index: position in the core's list.
  ///   - position: position among the micro-ops of its queue (barriers on all queues not counted).
  ///   - clock: for each queue, how many of its micro-ops are visible when this one starts.
  mutating func data(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock)

  /// The same for a set, a wait or a barrier; a wait's clock has learnt from its set.
  mutating func synchronisation(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock)

  /// Told before either, in a program with events between cores: the turns that the micro-op knows its
  /// sequencer to have made.
  mutating func knows(turns: UInt32)
}

extension OrderObserver where Self: ~Copyable {
  mutating func knows(turns: UInt32) {}
}

/// Executes the order of one core: queues in order, a wait after its set, barriers as joins.
///
/// Queues are infinitely deep and take no time. The micro-ops that get executed, and what each of
/// them knows to be visible, do not depend on the order of the walk: with one producer and one
/// consumer an event's k-th set matches its k-th wait. One vector clock a queue carries the
/// knowledge; a set passes on all that its queue knows, and everything earlier in its queue.
///
/// What the sequencer waits for is known to every micro-op that it dispatches later, and to none that
/// it has dispatched: its wait is executed at its place in the program, and again at its place in each
/// queue that is kept back then.
///
/// The walk follows the program and keeps back what stands behind a wait that has not passed, so a
/// program whose waits follow their sets needs no memory besides the event table. Where a set of a set
/// event blocks, it keeps back what stands behind that too; nothing is learnt from it. A micro-op with a
/// unit flag is a wait, a set, or both, beside what it does.
struct OrderWalk {
  /// Why the walk stopped.
  enum Stop: Equatable {
    case finished
    /// Every queue has reached the barrier over the cores at this index.
    case coreBarrier(Int)
    /// The sequencer has come to the wait for another core at this index.
    case coreWait(Int)
    /// Micro-ops are left that can never execute.
    case stuck
  }

  /// The dispatch that a machine with queues of this depth never gets past.
  struct CapacityStop {
    /// The micro-op that finds its queue full.
    var index: Int
    /// Blocked queues and the micro-op at the head of each.
    var heads: [(queue: Int, op: Int)]
  }

  private let depth: Int
  private(set) var events: EventTable
  private var units: UnitTable?
  /// The unit flags of the core.
  var unitChains: UnitChains? { units?.chains }
  /// What each queue knows before its next micro-op.
  private(set) var known = InlineArray<6, OrderKnowledge>(repeating: OrderKnowledge())
  /// What the sequencer knows before it dispatches the next micro-op.
  private(set) var sequencer = OrderKnowledge()
  /// Sets for other cores that were executed and not handed over yet.
  private var fired: [(op: Int, knowing: OrderKnowledge)] = []
  /// Whether events between cores are to be told of.
  private let hasCoreEvents: Bool
  /// What waits of the sequencer passed on that some queue has still to come to.
  private var learnt: [UInt32: OrderKnowledge] = [:]
  /// Micro-ops executed on each queue.
  private(set) var counts = QueueClock(repeating: 0)
  /// Next micro-op to dispatch.
  private(set) var next = 0
  /// Queues whose head waits for an event or a unit flag, or is a set that blocks, one bit each.
  private(set) var blocked: UInt8 = 0
  /// Micro-ops of each queue kept back, from `heads[queue]` on.
  private(set) var deferred = [[UInt32]](repeating: [], count: Queue.count)
  private(set) var heads = [Int](repeating: 0, count: Queue.count)
  /// Waits of the sequencer among those, which take no slot.
  private var marks = [Int](repeating: 0, count: Queue.count)
  private(set) var capacityStop: CapacityStop?

  /// `eventIDs`: IDs in use of each ordered pair of ends. `depth`: of each queue, `nil` unlimited.
  init(
    eventIDs: [Int], depth: Int?, overwrite: EventOverwrite, units: UnitChains?, hasCoreEvents: Bool
  ) {
    self.hasCoreEvents = hasCoreEvents
    self.units = units.map { UnitTable($0) }
    self.depth = depth ?? Int.max
    events = EventTable(eventIDs: eventIDs, overwrite: overwrite)
  }

  /// Executes until a barrier over the cores, the end, or a state without progress. `records` are the
  /// core's, the same in each call.
  mutating func run<O: OrderObserver & ~Copyable>(
    _ records: UnsafeBufferPointer<OpRecord>, _ observer: inout O
  ) -> Stop {
    guard let base = records.baseAddress else { return .finished }
    while next < records.count {
      let index = next
      let record = base + index
      let kind = record.pointee.kind
      if kind == .coreWait { return .coreWait(index) }
      if kind.isInSequencer {
        guard sequence(index, record, &observer) else { return .stuck }
        next += 1
        if events.woken != 0 { resume(base, &observer) }
        continue
      }
      if kind.joinsQueues {
        if blocked != 0 { return .stuck }
        next += 1
        if kind == .barrierCores { return .coreBarrier(index) }
        joinAll()
        observer.synchronisation(index, record, 0, sequencer.clock)
        continue
      }
      next += 1
      let queue = record.pointee.queue.index
      if blocked & (1 << UInt8(truncatingIfNeeded: queue)) != 0 {
        hold(index, queue)
        continue
      }
      if !execute(index, record, queue, &observer) {
        blocked |= 1 << UInt8(truncatingIfNeeded: queue)
        hold(index, queue)
      } else if events.woken != 0 {
        resume(base, &observer)
      }
    }
    return blocked == 0 ? .finished : .stuck
  }

  /// Makes everything executed so far visible to every queue.
  mutating func joinAll() {
    sequencer.clock = counts
    for queue in 0..<Queue.count { known[queue] = sequencer }
  }

  /// The same at a barrier over the cores; where there are events between cores, that is a turn.
  mutating func joinCores() {
    if hasCoreEvents { sequencer.turns += 1 }
    joinAll()
  }

  /// Sets for other cores that were executed since the last call.
  mutating func takeFired() -> [(op: Int, knowing: OrderKnowledge)] {
    defer { fired.removeAll() }
    return fired
  }

  /// The wait for another core at which the sequencer stands has its set: a turn, in which the core
  /// learns what that says of its own queues.
  mutating func turn<O: OrderObserver & ~Copyable>(
    _ passed: QueueClock, _ records: UnsafeBufferPointer<OpRecord>, _ observer: inout O
  ) {
    guard let base = records.baseAddress else { return }
    learn(OrderKnowledge(clock: passed, turns: sequencer.turns + 1), at: next)
    observer.knows(turns: sequencer.turns)
    observer.synchronisation(next, base + next, 0, sequencer.clock)
    next += 1
  }

  /// Executes a micro-op of the sequencer; `false` if it cannot pass yet.
  private mutating func sequence<O: OrderObserver & ~Copyable>(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ observer: inout O
  ) -> Bool {
    let event = record.pointee.event
    if record.pointee.kind == .sequencerSet {
      guard events.set(event, index: index, knowing: sequencer.clock, passing: sequencer) else {
        return false
      }
    } else {
      guard let passed = events.wait(event, index: index, position: 0) else { return false }
      learn(passed, at: index)
    }
    if hasCoreEvents { observer.knows(turns: sequencer.turns) }
    observer.synchronisation(index, record, 0, sequencer.clock)
    return true
  }

  /// Tells every micro-op that is dispatched from now on.
  private mutating func learn(_ passed: OrderKnowledge, at index: Int) {
    let mark = UInt32(truncatingIfNeeded: index)
    sequencer.join(passed)
    for queue in 0..<Queue.count {
      guard blocked & (1 << UInt8(truncatingIfNeeded: queue)) != 0 else {
        known[queue].join(passed)
        continue
      }
      learnt[mark] = passed
      deferred[queue].append(mark)
      marks[queue] += 1
    }
  }

  /// Micro-ops of a queue that are kept back.
  func kept(on queue: Int) -> Int { deferred[queue].count - heads[queue] - marks[queue] }

  private mutating func hold(_ index: Int, _ queue: Int) {
    if kept(on: queue) >= depth && capacityStop == nil {
      var blockers: [(queue: Int, op: Int)] = []
      for other in 0..<Queue.count where blocked & (1 << UInt8(other)) != 0 {
        blockers.append((other, Int(deferred[other][heads[other]])))
      }
      capacityStop = CapacityStop(index: index, heads: blockers)
    }
    deferred[queue].append(UInt32(truncatingIfNeeded: index))
  }

  /// Executes what queues whose head can pass have kept back.
  private mutating func resume<O: OrderObserver & ~Copyable>(
    _ base: UnsafePointer<OpRecord>, _ observer: inout O
  ) {
    while events.woken != 0 {
      let queue = events.woken.trailingZeroBitCount
      events.woken &= events.woken - 1
      var isBlocked = false
      while heads[queue] < deferred[queue].count {
        let index = Int(deferred[queue][heads[queue]])
        if base[index].kind.isInSequencer {
          if let passed = learnt[deferred[queue][heads[queue]]] { known[queue].join(passed) }
          marks[queue] -= 1
        } else if !execute(index, base + index, queue, &observer) {
          isBlocked = true
          break
        }
        heads[queue] += 1
      }
      if !isBlocked {
        blocked &= ~(1 << UInt8(truncatingIfNeeded: queue))
        deferred[queue].removeAll(keepingCapacity: true)
        heads[queue] = 0
      }
    }
  }

  /// Executes one micro-op; `false` if it waits for what has not happened yet, or is a set that blocks.
  @inline(__always)
  private mutating func execute<O: OrderObserver & ~Copyable>(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ queue: Int, _ observer: inout O
  ) -> Bool {
    let position = counts[queue]
    switch record.pointee.kind {
    case .data:
      if record.pointee.hasUnitFlag && !passUnit(index, queue, position) { return false }
      if hasCoreEvents { observer.knows(turns: known[queue].turns) }
      observer.data(index, record, position, known[queue].clock)
    case .set:
      var passed = known[queue]
      passed.clock[queue] = position &+ 1
      guard
        events.set(
          record.pointee.event, index: index, knowing: known[queue].clock, passing: passed)
      else { return false }
      synchronise(index, record, position, queue, &observer)
    case .coreSet:
      var passed = known[queue]
      passed.clock[queue] = position &+ 1
      fired.append((index, passed))
      synchronise(index, record, position, queue, &observer)
    case .wait:
      guard
        let learnt = events.wait(record.pointee.event, index: index, position: position)
      else { return false }
      known[queue].join(learnt)
      synchronise(index, record, position, queue, &observer)
    case .barrierQueue:
      known[queue].clock[queue] = position
      synchronise(index, record, position, queue, &observer)
    case .barrierAll, .barrierCores, .sequencerSet, .sequencerWait, .coreWait:
      break
    }
    counts[queue] = position &+ 1
    return true
  }

  /// Tells of a micro-op of a queue that synchronises.
  @inline(__always)
  private mutating func synchronise<O: OrderObserver & ~Copyable>(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ queue: Int,
    _ observer: inout O
  ) {
    if hasCoreEvents { observer.knows(turns: known[queue].turns) }
    observer.synchronisation(index, record, position, known[queue].clock)
  }

  /// The part of a micro-op's unit flag; `false` if it has to wait.
  @inline(never)
  private mutating func passUnit(_ index: Int, _ queue: Int, _ position: UInt32) -> Bool {
    guard let place = units?.chains.place(of: index) else { return true }
    guard let learnt = units?.learn(place) else { return false }
    known[queue].join(learnt)
    var passed = known[queue]
    passed.clock[queue] = position &+ 1
    events.woken |= units?.pass(place, passed) ?? 0
    return true
  }
}
