/// One core while time passes: its sequencer, its six queues and its events.
///
/// Micro-ops start in the order of (start, queue). Nothing on one queue can make a micro-op of
/// another start in the same cycle, so what a core still has to start is never before what it has
/// started. The sequencer runs ahead of that, as its instants depend on starts of the past alone.
struct CorePipeline {
  /// What all cores share.
  struct Shared {
    let prices: UnsafePointer<PriceTable.Price>
    let tiles: UnsafeBufferPointer<TileRef>
    var hbm: HBMServer
    var footprints: FootprintCache
    let isUncontended: Bool
    let propagation: Int64
    var jitter: JitterSource?
    let isRecorded: Bool
    var hbmOrder: [OpSite] = []
  }

  /// Why the sequencer stands still.
  private enum Hold {
    /// The queue of the next micro-op is full; with a barrier on all, one of them is.
    case full(Int)
    /// A barrier on all queues has not started.
    case barrier
    case finished
  }

  let core: Int
  private let records: UnsafeBufferPointer<OpRecord>
  private(set) var queues: UnsafeMutablePointer<QueuePipeline>
  /// `start · 8 + queue` of each head whose start is known, `Int64.max` otherwise.
  private let keys: UnsafeMutablePointer<Int64>
  private var events: FiredEvents
  /// Entered when ``Shared/isRecorded``.
  let instants: UnsafeMutablePointer<OpInstants>?

  private var cursor = 0
  /// Earliest dispatch of the next micro-op.
  private var nextDispatch: Int64 = 0
  private var hold = Hold.finished
  /// Bit q is set while queue q holds no micro-op.
  private var empty: UInt8 = 63
  /// Queues whose head is the barrier on all.
  private var arrived: UInt8 = 0
  /// Latest cycle at which a queue reached the barrier.
  private var reached: Int64 = 0
  /// Set while the core waits for the others: its own earliest start.
  private(set) var awaitsCores: Int64?

  /// Whether every micro-op has started.
  var isFinished: Bool {
    if case .finished = hold { return empty == 63 }
    return false
  }

  private static let never = Int64.max

  init(
    core: Int, records: UnsafeBufferPointer<OpRecord>, census: CoreCensus,
    machine: MachineConfiguration, options: TimingOptions
  ) {
    self.core = core
    self.records = records
    queues = .allocate(capacity: Queue.count)
    keys = .allocate(capacity: Queue.count)
    keys.initialize(repeating: Self.never, count: Queue.count)
    for queue in 0..<Queue.count {
      var depth = options.uncontended ? nil : machine.queueDepth
      // A queue that holds all of its micro-ops is never full.
      if let limit = depth, limit >= census.ops[queue] { depth = nil }
      (queues + queue).initialize(
        to: QueuePipeline(depth: depth, interlocks: machine.interlocks[queue]))
    }
    events = FiredEvents(identifiers: census.identifiers)
    if options.timeline {
      let instants = UnsafeMutablePointer<OpInstants>.allocate(capacity: max(1, records.count))
      instants.initialize(
        repeating: OpInstants(dispatch: 0, start: 0, free: 0, visible: 0), count: records.count)
      self.instants = instants
    } else {
      instants = nil
    }
  }

  func deallocate() {
    for queue in 0..<Queue.count { queues[queue].deallocate() }
    queues.deallocate()
    keys.deallocate()
    events.deallocate()
    instants?.deallocate()
  }

  /// Dispatches what can be dispatched before anything starts.
  mutating func begin(_ shared: inout Shared) { sequence(&shared) }

  // MARK: Starts

  /// Starts micro-ops until the next one is a transfer with an end in HBM at or after
  /// (`limit`, `limitCore`), whose start it returns, or until nothing can start: `Int64.max`.
  mutating func advance(_ shared: inout Shared, limit: Int64, limitCore: Int) -> Int64 {
    while true {
      let key = earliest()
      if key == Self.never { return key }
      let q = Int(truncatingIfNeeded: key & 7)
      let start = key >> 3
      let queue = queues + q
      let slot = queue.pointee.first
      let record = records.baseAddress.unsafelyUnwrapped + Int(slot.op)
      switch record.pointee.kind {
      case .data:
        var price = shared.prices[Int(record.pointee.work)]
        if shared.jitter != nil { scale(&price, slot.op, shared) }
        var free = start &+ price.occupancy
        if price.usesHBM {
          if shared.isUncontended {
            free = max(free, start &+ price.uncontended)
          } else {
            if start > limit || (start == limit && core > limitCore) { return start }
            free = max(free, shared.hbm.serve(from: start, price))
            if shared.isRecorded { shared.hbmOrder.append(OpSite(core: UInt32(core), op: slot.op)) }
          }
        }
        queue.pointee.idle(until: start, dispatch: slot.time, for: .interlock)
        queue.pointee.busy &+= price.occupancy
        queue.pointee.stalls[StallReason.hbmShare.index] &+= free &- start &- price.occupancy
        let visible = free &+ price.latency
        if queue.pointee.interlocks && visible > free {
          queue.pointee.remember(record, start: start, visible: visible, shared.tiles)
        }
        retire(q, slot, start: start, free: free, visible: visible, &shared)
      case .set:
        queue.pointee.idle(until: start, dispatch: slot.time, for: .dispatch)
        queue.pointee.busy &+= 1
        let event = events.index(record.pointee.event)
        events.fire(event, at: max(start &+ 1, queue.pointee.latestVisible))
        let target = record.pointee.event.target.index
        retire(q, slot, start: start, free: start &+ 1, visible: start &+ 1, &shared)
        if queues[target].awaited == event { arm(target, &shared) }
      case .wait:
        queue.pointee.idle(until: start, dispatch: slot.time, for: .waitEvent)
        queue.pointee.busy &+= 1
        events.consume(events.index(record.pointee.event))
        retire(q, slot, start: start, free: start &+ 1, visible: start &+ 1, &shared)
      case .barrierQueue:
        queue.pointee.idle(until: start, dispatch: slot.time, for: .barrier)
        queue.pointee.busy &+= 1
        retire(q, slot, start: start, free: start &+ 1, visible: start &+ 1, &shared)
      case .barrierAll, .barrierCores:
        startBarrier(start, &shared)
      }
    }
  }

  /// The smallest key of any head.
  @inline(__always) private func earliest() -> Int64 {
    let a = min(keys[0], keys[1])
    let b = min(keys[2], keys[3])
    let c = min(keys[4], keys[5])
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
    keys[q] = Self.never
    if queue.pointee.waiting > 0 {
      arm(q, &shared)
    } else {
      empty |= 1 << UInt8(truncatingIfNeeded: q)
    }
    if case .full(let full) = hold, full == q { sequence(&shared) }
  }

  /// The barrier on all starts on every queue.
  private mutating func startBarrier(_ start: Int64, _ shared: inout Shared) {
    arrived = 0
    reached = 0
    for q in 0..<Queue.count {
      let slot = queues[q].first
      queues[q].idle(until: start, dispatch: slot.time, for: .barrier)
      queues[q].busy &+= 1
      retire(q, slot, start: start, free: start &+ 1, visible: start &+ 1, &shared)
    }
    nextDispatch = max(nextDispatch, start)
    sequence(&shared)
  }

  /// Works out when the head of a queue starts, as far as that is known.
  private mutating func arm(_ q: Int, _ shared: inout Shared) {
    let queue = queues + q
    let slot = queue.pointee.first
    let record = records.baseAddress.unsafelyUnwrapped + Int(slot.op)
    var start = max(slot.time, queue.pointee.free)
    switch record.pointee.kind {
    case .data:
      if queue.pointee.latestVisible > start && queue.pointee.interlocks {
        start = queue.pointee.interlock(record, ready: start, &shared.footprints)
      }
    case .set:
      break
    case .wait:
      let event = events.index(record.pointee.event)
      guard let fired = events.fired(event) else {
        queue.pointee.awaited = event
        return
      }
      queue.pointee.awaited = -1
      var propagation = shared.propagation
      if let jitter = shared.jitter {
        propagation = jitter.scale(propagation, core: core, op: slot.op, draw: 2)
      }
      start = max(start, fired &+ propagation)
    case .barrierQueue:
      start = max(start, queue.pointee.latestVisible)
    case .barrierAll, .barrierCores:
      reach(q, start, isOverCores: record.pointee.kind == .barrierCores)
      return
    }
    keys[q] = start << 3 | Int64(truncatingIfNeeded: q)
  }

  /// A queue has come to the barrier on all; the last one to come gives its start.
  private mutating func reach(_ q: Int, _ ready: Int64, isOverCores: Bool) {
    arrived |= 1 << UInt8(truncatingIfNeeded: q)
    reached = max(reached, ready, queues[q].latestVisible)
    guard arrived == 63 else { return }
    if isOverCores {
      awaitsCores = reached
    } else {
      keys[0] = reached << 3
    }
  }

  /// All cores have come to the barrier, which starts at `start`.
  mutating func release(at start: Int64) {
    awaitsCores = nil
    keys[0] = start << 3
  }

  // MARK: Sequencer

  /// Dispatches until a queue is full, a barrier holds, or the list ends.
  private mutating func sequence(_ shared: inout Shared) {
    while cursor < records.count {
      let record = records.baseAddress.unsafelyUnwrapped + cursor
      let kind = record.pointee.kind
      let op = UInt32(truncatingIfNeeded: cursor)
      if kind == .barrierAll || kind == .barrierCores {
        var dispatch = nextDispatch
        for q in 0..<Queue.count {
          if queues[q].isFull {
            hold = .full(q)
            return
          }
          dispatch = max(dispatch, queues[q].slotFree)
        }
        stall(until: dispatch)
        for q in 0..<Queue.count { push(op, q, dispatch, &shared) }
        cursor += 1
        nextDispatch = dispatch &+ 1
        hold = .barrier
        return
      }
      let q = record.pointee.queue.index
      if queues[q].isFull {
        hold = .full(q)
        return
      }
      let dispatch = max(nextDispatch, queues[q].slotFree)
      if dispatch > nextDispatch { stall(until: dispatch) }
      push(op, q, dispatch, &shared)
      cursor += 1
      nextDispatch = dispatch &+ 1
    }
    hold = .finished
  }

  @inline(__always)
  private mutating func push(_ op: UInt32, _ q: Int, _ dispatch: Int64, _ shared: inout Shared) {
    queues[q].push(op, dispatch: dispatch)
    let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: q)
    if empty & bit != 0 {
      empty &= ~bit
      arm(q, &shared)
    }
  }

  /// The sequencer stood before a full queue until `dispatch`: queues without a micro-op starved.
  private func stall(until dispatch: Int64) {
    var rest = empty
    while rest != 0 {
      let q = rest.trailingZeroBitCount
      rest &= rest &- 1
      queues[q].starve(from: nextDispatch, to: dispatch)
    }
  }

  /// Replaces a price by a randomised one.
  @inline(never)
  private func scale(_ price: inout PriceTable.Price, _ op: UInt32, _ shared: Shared) {
    guard let jitter = shared.jitter else { return }
    let scaled = jitter.scale(price.occupancy, core: core, op: op, draw: 0)
    price.occupancy = price.occupancy > 0 ? max(1, scaled) : 0
    price.latency = jitter.scale(price.latency, core: core, op: op, draw: 1)
  }

  // MARK: Blocked queues

  /// A line for each queue that holds a micro-op which can never start.
  func blocked(_ program: Program) -> [String] {
    (0..<Queue.count).compactMap { q in
      guard queues[q].waiting > 0, let queue = Queue(rawValue: UInt8(q)) else { return nil }
      let op = Int(queues[q].first.op)
      let record = records[op]
      var text = "core \(core) \(queue.name): #\(op) \(program.mnemonic(record))"
      let scope = program.scopePath(record.scope)
      if !scope.isEmpty { text += " in \(scope)" }
      if record.kind == .wait {
        let event = record.event
        text += " waits for \(event.source.name)->\(event.target.name):\(event.id)"
      }
      return text
    }
  }
}
