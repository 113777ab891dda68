/// One core while time passes: its sequencer, its six queues and its events.
///
/// Micro-ops start in the order of (start, queue). Nothing on one queue can make a micro-op of
/// another start in the same cycle, so what a core still has to start is never before what it has
/// started. The sequencer runs ahead of that, as its instants depend on starts of the past alone.
struct CorePipeline {
  /// What all cores share.
  struct Shared {
    let prices: UnsafePointer<PriceTable.Price>
    /// Position of the price of synchronisation.
    let syncPrice: Int
    var memory: MemorySystem
    var footprints: FootprintCache
    var firings = CoreFirings()
    let isUncontended: Bool
    /// Of an event, by its pair.
    let propagations: UnsafePointer<Int64>
    /// Of an event between cores.
    let corePropagation: Int64
    var jitter: JitterSource?
  }

  let core: Int
  let records: UnsafeBufferPointer<OpRecord>
  let queues: UnsafeMutablePointer<QueuePipeline>
  /// The oldest micro-op of a queue that has not started.
  private struct Head {
    /// `start · 8 + queue` where the start is known, `Int64.max` otherwise.
    var key: Int64
    /// Its slot, so that it is at hand at the start.
    var slot: QueuePipeline.Slot
  }

  private let heads: UnsafeMutablePointer<Head>
  var events: FiredEvents
  /// Of a list with unit flags.
  private var units: UnitInstants?
  private let hasUnits: Bool
  /// Room for the instants of every micro-op, where they are recorded.
  let instants: UnsafeMutablePointer<OpInstants>?

  /// The micro-op that the sequencer comes to next.
  var cursor = 0
  /// Earliest dispatch of the next micro-op.
  var nextDispatch: Int64 = 0
  /// The full queue before which the sequencer stands; −1 while it stands before none.
  private var full = -1
  /// Whether no queue can be full. The sequencer then goes on only where a queue is empty, so that
  /// the queues stay short.
  let isUnbounded: Bool
  /// Queues with micro-ops that are not dispatched yet, one bit each; known where it is needed.
  private var undispatched: UInt8 = 0
  /// Whether the sequencer stands at a barrier on all that has not started, or at a wait of its own
  /// that has not passed.
  var isHeld = false
  /// When its last wait or set is done.
  var sequencerFree: Int64 = 0
  /// Whether starts may lie before others that have happened, as the sequencer waited for another core.
  var isBehind = false
  /// When the sequencer goes on that stands before a queue which is full until then.
  var resumption = Int64.max
  /// Bit q is set while queue q holds no micro-op.
  private var empty: UInt8 = 63
  /// Cycles in which the sequencer stood before a full queue.
  private var stalled: Int64 = 0
  /// Bit q is set where queue q was not free yet for some of these cycles, if it is empty.
  private var excused: UInt8 = 0
  /// Queues whose head is the barrier on all.
  private var arrived: UInt8 = 0
  /// Latest cycle at which a queue reached the barrier.
  private var reached: Int64 = 0
  /// Set while the core waits for the others: its own earliest start.
  private(set) var awaitsCores: Int64?

  /// Whether every micro-op has started.
  var isFinished: Bool { cursor == records.count && empty == 63 }

  private static let never = Int64.max

  init(
    core: Int, records: UnsafeBufferPointer<OpRecord>, census: CoreCensus,
    units: UnitChains?, machine: MachineConfiguration, options: TimingOptions,
    instants: UnsafeMutablePointer<OpInstants>?
  ) {
    self.core = core
    self.records = records
    self.instants = instants
    self.units = units.map { UnitInstants($0) }
    hasUnits = units != nil
    isUnbounded = options.uncontended || machine.queueDepth == nil
    queues = .allocate(capacity: Queue.count)
    heads = .allocate(capacity: Queue.count)
    heads.initialize(
      repeating: Head(key: Self.never, slot: QueuePipeline.emptySlot), count: Queue.count)
    for queue in 0..<Queue.count {
      var depth = options.uncontended ? nil : machine.queueDepth
      // A queue that holds all of its micro-ops is never full.
      if let limit = depth, limit >= census.ops[queue] { depth = nil }
      (queues + queue).initialize(
        to: QueuePipeline(
          depth: depth, interlocks: machine.interlocks[queue] == .full, ops: census.ops[queue]))
    }
    events = FiredEvents(identifiers: census.identifiers)
  }

  func deallocate() {
    for queue in 0..<Queue.count { queues[queue].deallocate() }
    queues.deallocate()
    heads.deallocate()
    events.deallocate()
  }

  /// Dispatches what can be dispatched before anything starts.
  mutating func begin(_ shared: inout Shared) { sequence(&shared) }

  // MARK: Starts

  /// Starts micro-ops until the next one is a transfer with an end in HBM at or after
  /// (`limit`, `limitCore`), whose start it returns, or until nothing can start: `Int64.max`.
  mutating func advance(_ shared: inout Shared, limit: Int64, limitCore: Int) -> Int64 {
    while true {
      let key = earliest()
      if key >> 3 >= resumption {
        resumption = .max
        sequence(&shared)
        continue
      }
      if empty & undispatched != 0 && !isHeld && key >> 3 >= nextDispatch {
        // What is dispatched now to an empty queue may start first.
        sequence(&shared)
        continue
      }
      if key == Self.never {
        guard hasRest else { return key }
        sequence(&shared)
        continue
      }
      let q = Int(truncatingIfNeeded: key & 7)
      let start = key >> 3
      let queue = queues + q
      let slot = heads[q].slot
      let code = slot.code
      if code.isWideBarrier {
        startBarrier(start, &shared)
        continue
      }
      let price = shared.prices + (code.isData ? code.index : shared.syncPrice)
      var occupancy = price.pointee.occupancy
      var latency = price.pointee.latency
      if code.isData, let jitter = shared.jitter {
        (occupancy, latency) = Self.scaled(price, core, slot.op, jitter)
      }
      var free = start &+ occupancy
      if price.pointee.usesHBM {
        if shared.isUncontended {
          free = max(free, start &+ price.pointee.uncontended)
        } else {
          if start > limit || (start == limit && core > limitCore) { return start }
          let site = OpSite(core: UInt32(truncatingIfNeeded: core), op: slot.op)
          free = max(free, shared.memory.serve(site, from: start, price))
        }
        queue.pointee.stalls[StallReason.hbmShare.index] &+= free &- start &- occupancy
      }
      if hasUnits && code.isData { bookUnit(q, slot, start) }
      queue.pointee.idle(until: start, dispatch: slot.time, for: code.idleReason)
      queue.pointee.busy &+= occupancy
      let visible = free &+ latency
      var woken = -1
      if code.isData {
        if visible > free && queue.pointee.interlocks {
          queue.pointee.remember(
            records.baseAddress.unsafelyUnwrapped + Int(slot.op), start: start, visible: visible)
        }
        if hasUnits {
          woken = units?.fire(slot.op, at: max(visible, queue.pointee.latestVisible)) ?? -1
        }
      } else if code.isSet {
        woken = events.fire(code.index, at: max(visible, queue.pointee.latestVisible))
      } else if code.isWait {
        events.consume(code.index)
      } else if code.isCoreSet {
        shared.firings.fire(
          records[Int(slot.op)].coreEvent(on: core), at: max(visible, queue.pointee.latestVisible))
      }
      retire(q, slot, start: start, free: free, visible: visible, &shared)
      if woken >= 0 { wake(woken, &shared) }
      // A core that it lets go on may come before what this one does next.
      if code.isCoreSet && !shared.firings.woken.isEmpty { return start }
    }
  }

  /// The event that an end waits for has fired.
  @inline(__always)
  private mutating func wake(_ end: Int, _ shared: inout Shared) {
    if end < Queue.count { arm(end, &shared) } else { goOn(&shared) }
  }

  /// The smallest key of any head.
  @inline(__always) func earliest() -> Int64 {
    let a = min(heads[0].key, heads[1].key)
    let b = min(heads[2].key, heads[3].key)
    let c = min(heads[4].key, heads[5].key)
    return min(min(a, b), c)
  }

  /// Takes the head of a queue out, lets the next one in line, and the sequencer go on.
  @inline(__always)
  private mutating func retire(
    _ q: Int, _ slot: QueuePipeline.Slot, start: Int64, free: Int64, visible: Int64,
    _ shared: inout Shared
  ) {
    let queue = queues + q
    queue.pointee.pop(start: start)
    queue.pointee.free = free
    if visible > queue.pointee.latestVisible { queue.pointee.latestVisible = visible }
    if let instants {
      instants[Int(slot.op)] = OpInstants(
        dispatch: slot.time, start: start, free: free, visible: visible)
    }
    heads[q].key = Self.never
    if queue.pointee.waiting > 0 {
      arm(q, &shared)
    } else {
      let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: q)
      empty |= bit
      excused = free > nextDispatch ? excused | bit : excused & ~bit
      queue.pointee.beginStarving(at: stalled)
    }
    if full == q { sequence(&shared) }
  }

  /// The barrier on all starts on every queue.
  private mutating func startBarrier(_ start: Int64, _ shared: inout Shared) {
    arrived = 0
    reached = 0
    for q in 0..<Queue.count {
      let slot = queues[q].first
      queues[q].idle(until: start, dispatch: slot.time, for: slot.code.idleReason)
      queues[q].busy &+= 1
      retire(q, slot, start: start, free: start &+ 1, visible: start &+ 1, &shared)
    }
    nextDispatch = max(nextDispatch, start)
    isHeld = false
    sequence(&shared)
  }

  /// Works out when the head of a queue starts, as far as that is known.
  mutating func arm(_ q: Int, _ shared: inout Shared) {
    let queue = queues + q
    let slot = queue.pointee.first
    let code = slot.code
    var start = max(slot.time, queue.pointee.free)
    if code.isData {
      if hasUnits {
        guard let ready = units?.ready(slot.op, for: q) else { return }
        start = max(start, ready)
      }
      if queue.pointee.latestVisible > start && queue.pointee.interlocks {
        start = queue.pointee.interlock(
          records.baseAddress.unsafelyUnwrapped + Int(slot.op), ready: start, &shared.footprints)
      }
    } else if code.isWait {
      guard let fired = events.fired(code.index, for: q) else { return }
      var propagation = shared.propagations[records[Int(slot.op)].event.pair]
      if let jitter = shared.jitter {
        propagation = jitter.scale(propagation, core: core, op: slot.op, draw: 2)
      }
      start = max(start, fired &+ propagation)
    } else if code.isQueueBarrier {
      start = max(start, queue.pointee.latestVisible)
    } else if code.isWideBarrier {
      reach(q, start, isOverCores: code.isCoreBarrier)
      return
    }
    heads[q] = Head(key: start << 3 | Int64(truncatingIfNeeded: q), slot: slot)
  }

  /// Of the cycles before the start of a micro-op that would be an interlock's, those until its unit
  /// flag let it go are a wait.
  @inline(never)
  private func bookUnit(_ q: Int, _ slot: QueuePipeline.Slot, _ start: Int64) {
    guard let ready = units?.ready(slot.op) else { return }
    let waited = min(ready, start) &- max(slot.time, queues[q].free)
    guard waited > 0 else { return }
    queues[q].stalls[StallReason.waitEvent.index] &+= waited
    queues[q].stalls[StallReason.interlock.index] &-= waited
  }

  /// A queue has come to the barrier on all; the last one to come gives its start.
  private mutating func reach(_ q: Int, _ ready: Int64, isOverCores: Bool) {
    arrived |= 1 << UInt8(truncatingIfNeeded: q)
    reached = max(reached, ready, queues[q].latestVisible)
    guard arrived == 63 else { return }
    if isOverCores {
      awaitsCores = reached
    } else {
      heads[0] = Head(key: reached << 3, slot: queues[0].first)
    }
  }

  /// All cores have come to the barrier, which starts at `start`.
  mutating func release(at start: Int64) {
    awaitsCores = nil
    heads[0] = Head(key: start << 3, slot: queues[0].first)
  }

  // MARK: Sequencer

  /// Micro-ops that are dispatched at once where no queue can be full.
  private static let stride = 64

  /// Dispatches until a queue is full, a barrier or a wait holds, or the list ends.
  mutating func sequence(_ shared: inout Shared) {
    full = -1
    let end = isUnbounded ? min(cursor &+ Self.stride, records.count) : records.count
    while cursor < end {
      let record = records.baseAddress.unsafelyUnwrapped + cursor
      let kind = record.pointee.kind
      let op = UInt32(truncatingIfNeeded: cursor)
      if kind.isInSequencer {
        if passSequencer(record.pointee, &shared) { continue }
        break
      }
      if kind.joinsQueues {
        var dispatch = nextDispatch
        for q in 0..<Queue.count {
          if queues[q].isFull {
            full = q
            return
          }
          dispatch = max(dispatch, queues[q].slotFree)
        }
        if isBehind && postpones(dispatch) { return }
        stall(until: dispatch)
        for q in 0..<Queue.count { push(op, OpCode(kind, 0), q, dispatch, &shared) }
        cursor &+= 1
        nextDispatch = dispatch &+ 1
        isHeld = true
        if isUnbounded { findUndispatched() }
        return
      }
      let q = record.pointee.queue.index
      if queues[q].isFull {
        full = q
        return
      }
      let index: Int
      switch kind {
      case .data: index = Int(record.pointee.work)
      case .set, .wait: index = events.index(record.pointee.event)
      case .coreSet, .coreWait, .barrierQueue, .barrierAll, .barrierCores, .sequencerSet,
        .sequencerWait:
        index = 0
      }
      let dispatch = max(nextDispatch, queues[q].slotFree)
      if dispatch > nextDispatch {
        if isBehind && postpones(dispatch) { return }
        stall(until: dispatch)
      }
      push(op, OpCode(kind, index), q, dispatch, &shared)
      cursor &+= 1
      nextDispatch = dispatch &+ 1
    }
    if isUnbounded { findUndispatched() }
  }

  private mutating func findUndispatched() {
    undispatched = 0
    for q in 0..<Queue.count where queues[q].isAwaited {
      undispatched |= 1 << UInt8(truncatingIfNeeded: q)
    }
  }

  @inline(__always)
  private mutating func push(
    _ op: UInt32, _ code: OpCode, _ q: Int, _ dispatch: Int64, _ shared: inout Shared
  ) {
    queues[q].push(op, code, dispatch: dispatch)
    let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: q)
    if empty & bit != 0 {
      empty &= ~bit
      queues[q].endStarving(at: stalled)
      arm(q, &shared)
    }
  }

  /// The sequencer stands before a full queue until `dispatch`: queues without a micro-op starve.
  @inline(__always)
  private mutating func stall(until dispatch: Int64) {
    stalled &+= dispatch &- nextDispatch
    var rest = empty & excused
    while rest != 0 {
      let q = rest.trailingZeroBitCount
      rest &= rest &- 1
      if !queues[q].excuse(from: nextDispatch, to: dispatch) { excused &= ~(1 << UInt8(q)) }
    }
  }
}
