/// One core of a program while its values are executed.
///
/// The core stops at each barrier over the cores, and at the first failure.
struct CoreRun {
  let core: Int
  private(set) var datapath: Datapath
  private var own = NumericTally()
  private(set) var failure: NPUError?
  /// The next micro-op of the list.
  private(set) var position = 0
  private var events: EventCounters
  private let units: UnitChains?
  private let marks: [UInt64]?
  private var executed = 0
  /// Sets for other cores that were executed and not handed over yet.
  private(set) var fired: [CoreEvent] = []
  /// Of each event of another core, the sets that no wait has taken.
  private var received: [CoreEvent: Int] = [:]
  /// Where the core stands while it waits for another one.
  private var pause: Pause?

  private struct Pause {
    /// The next micro-op of each queue.
    var heads: InlineArray<6, Int>
    /// The wait.
    var gate: Int
  }

  /// - Parameter sharesProducts: whether a second thread may add large products.
  init(core: Int, state: MachineState, shared: ExecutionTables, sharesProducts: Bool) {
    self.core = core
    datapath = state.datapath(core: core, sharesProducts: sharesProducts)
    let records = shared.program.cores[core]
    events = EventCounters(records)
    units = UnitChains(records, tiles: shared.program.tiles)
    marks = shared.recorder.marks(core: core, count: records.count)
  }

  /// What the results contained.
  var tally: NumericTally {
    var tally = own
    if let products = datapath.shared { tally.join(products.tally()) }
    return tally
  }

  /// Whether the core stands before a barrier over the cores.
  func isAtBarrier(_ program: Program) -> Bool {
    failure == nil && pause == nil && position < program.cores[core].count
  }

  /// The event of another core that it waits for.
  func awaited(_ program: Program) -> CoreEvent? {
    pause.map { program.cores[core][$0.gate].coreEvent(on: core) }
  }

  /// Hands over the sets for other cores.
  mutating func takeFired() -> [CoreEvent] {
    defer { fired.removeAll() }
    return fired
  }

  /// Another core has set an event for this one.
  mutating func receive(_ event: CoreEvent) { received[event, default: 0] += 1 }

  /// Whether the core waits for another one, and need not any more.
  func canGoOn(_ program: Program) -> Bool {
    failure == nil && awaited(program).map { received[$0, default: 0] > 0 } ?? false
  }

  /// What is said of a core that waits for ever.
  func stuck(_ program: Program) -> NPUError? {
    guard let event = awaited(program) else { return nil }
    return NPUError(
      .program,
      "core \(core) is deadlocked: scalar waits for a set of event \(event.event.id) from "
        + "\(event.event.source.name) of core \(event.setter)",
      hint: "emit the missing set there, or move it where its queue can reach it")
  }

  /// Takes a set of another core, if there is one.
  private mutating func take(_ record: OpRecord) -> Bool {
    let event = record.coreEvent(on: core)
    guard received[event, default: 0] > 0 else { return false }
    received[event, default: 0] -= 1
    return true
  }

  /// Steps over the barrier over the cores that the core stands before.
  mutating func passBarrier() { position += 1 }

  /// Executes up to the next barrier over the cores, or the end.
  mutating func advance(_ shared: ExecutionTables) {
    shared.program.cores[core].withUnsafeBufferPointer { records in
      while failure == nil && position < records.count
        && records[position].kind != .barrierCores
      {
        // A barrier on all queues splits the list: nothing passes it in either direction.
        var end = position
        while end < records.count && records[end].kind != .barrierAll
          && records[end].kind != .barrierCores
        { end += 1 }
        if pause == nil { runInListOrder(records, to: end, shared) }
        if failure == nil && position < end { runByQueue(records, to: end, shared) }
        if pause != nil { break }
        if failure == nil && end < records.count && records[end].kind == .barrierAll {
          position = end + 1
        }
      }
    }
    datapath.awaitSharedProducts()
    shared.progress?(executed)
    executed = 0
  }

  /// Executes the list as written, which is the order of lowest index first for as long as no wait
  /// stands before its set.
  private mutating func runInListOrder(
    _ records: UnsafeBufferPointer<OpRecord>, to end: Int, _ shared: ExecutionTables
  ) {
    while position < end {
      switch records[position].kind {
      case .data:
        if records[position].hasUnitFlag, let source = units?.source(ofWaiting: position) {
          if source >= position { return }
        }
        execute(records[position], position, shared)
        if failure != nil { return }
      case .set, .sequencerSet:
        events.set(records[position].event)
      case .wait, .sequencerWait:
        let event = records[position].event
        if !events.isReady(event) { return }
        events.wait(event)
      case .coreSet: fired.append(records[position].coreEvent(on: core))
      case .coreWait:
        if !take(records[position]) { return }
      case .barrierQueue, .barrierAll, .barrierCores:
        break
      }
      position += 1
    }
  }

  /// Executes the rest of a span queue by queue: among the queues' next micro-ops that are ready, the
  /// one with the lowest index. Nothing behind the next micro-op of the sequencer is dispatched.
  private mutating func runByQueue(
    _ records: UnsafeBufferPointer<OpRecord>, to end: Int, _ shared: ExecutionTables
  ) {
    var heads = InlineArray<6, Int>(repeating: position)
    for queue in 0..<Queue.count {
      heads[queue] = next(.queue(Queue.allCases[queue]), from: position, to: end, records)
    }
    var gate = next(.sequencer, from: position, to: end, records)
    if let pause {
      heads = pause.heads
      gate = pause.gate
      self.pause = nil
    }
    while true {
      var chosen = end
      var chosenQueue = -1
      for queue in 0..<Queue.count where heads[queue] < min(chosen, gate) {
        let record = records[heads[queue]]
        if record.kind == .wait && !events.isReady(record.event) { continue }
        if record.hasUnitFlag, let source = units?.source(ofWaiting: heads[queue]) {
          // What a queue has not come to is at its head or behind it.
          if source >= end || heads[records[source].queue.index] <= source { continue }
        }
        chosen = heads[queue]
        chosenQueue = queue
      }
      if chosenQueue < 0 {
        guard gate < end, passes(records[gate]) else { break }
        chosen = gate
      }
      switch records[chosen].kind {
      case .data:
        execute(records[chosen], chosen, shared)
        if failure != nil { return }
      case .set, .sequencerSet: events.set(records[chosen].event)
      case .wait, .sequencerWait: events.wait(records[chosen].event)
      case .coreSet: fired.append(records[chosen].coreEvent(on: core))
      case .coreWait, .barrierQueue, .barrierAll, .barrierCores: break
      }
      let following = next(records[chosen].end, from: chosen + 1, to: end, records)
      if chosenQueue < 0 { gate = following } else { heads[chosenQueue] = following }
    }
    if gate < end && records[gate].kind == .coreWait {
      pause = Pause(heads: heads, gate: gate)
      return
    }
    let blocked = ((0..<Queue.count).map { heads[$0] }.filter { $0 < gate } + [gate])
      .filter { $0 < end }
    if blocked.isEmpty {
      position = end
    } else {
      failure = deadlock(blocked, records, shared.program)
    }
  }

  /// Whether a micro-op of the sequencer is ready; a wait for another core takes its set.
  private mutating func passes(_ record: OpRecord) -> Bool {
    switch record.kind {
    case .sequencerSet: true
    case .coreWait: take(record)
    default: events.isReady(record.event)
    }
  }

  private func next(
    _ place: EventEnd, from start: Int, to end: Int, _ records: UnsafeBufferPointer<OpRecord>
  ) -> Int {
    var index = start
    while index < end && records[index].end != place { index += 1 }
    return index
  }

  @inline(__always)
  private mutating func execute(_ record: OpRecord, _ index: Int, _ shared: ExecutionTables) {
    datapath.op = index
    shared.execute(record, &datapath)
    if let fault = datapath.fault {
      failure = shared.program.error(fault, core: core, op: index)
      return
    }
    if datapath.health != own.health { own.note(datapath.health, op: index) }
    if let marks, marks[index >> 6] >> UInt64(index & 63) & 1 == 1 {
      datapath.awaitSharedProducts()
      shared.recorder.record(core: core, op: index, datapath)
    }
    executed += 1
    if executed & 0xFFF == 0, let progress = shared.progress {
      progress(executed)
      executed = 0
    }
  }

  private func deadlock(
    _ blocked: [Int], _ records: UnsafeBufferPointer<OpRecord>, _ program: Program
  ) -> NPUError {
    let lines = blocked.map { index in
      if records[index].hasUnitFlag {
        return "\(records[index].queue.name) at micro-op \(index) waits by its unit flag"
      }
      let event = records[index].event
      return "\(records[index].end.name) at micro-op \(index) waits for set "
        + "\(events.needed(event)) of event \(event.id) from \(event.source.name)"
    }
    return NPUError(
      .program, "core \(core) is deadlocked: " + lines.joined(separator: "; "),
      hint: "emit the missing sets, or move each set where its queue can reach it")
  }
}
