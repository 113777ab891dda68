extension CorePipeline {
  /// The sequencer's own set or wait at the cursor; `false` while it waits.
  mutating func passSequencer(_ record: OpRecord, _ shared: inout Shared) -> Bool {
    let op = UInt32(truncatingIfNeeded: cursor)
    let dispatch = nextDispatch
    var start = dispatch
    if record.kind != .sequencerSet {
      guard let fired = fired(record, &shared) else {
        isHeld = true
        return false
      }
      var propagation =
        record.kind == .coreWait
        ? shared.corePropagation : shared.propagations[record.event.pair]
      if let jitter = shared.jitter {
        propagation = jitter.scale(propagation, core: core, op: op, draw: 2)
      }
      start = max(dispatch, fired &+ propagation)
    }
    let free = start &+ 1
    instants?[cursor] = OpInstants(dispatch: dispatch, start: start, free: free, visible: free)
    sequencerFree = free
    nextDispatch = free
    cursor &+= 1
    if record.kind == .sequencerSet {
      let woken = events.fire(events.index(record.event), at: free)
      if woken >= 0 { arm(woken, &shared) }
    }
    return true
  }

  /// Takes the firing that a wait of the sequencer is for; `nil` when it was not executed yet.
  private mutating func fired(_ record: OpRecord, _ shared: inout Shared) -> Int64? {
    if record.kind == .coreWait { return shared.firings.take(record.coreEvent(on: core)) }
    let index = events.index(record.event)
    guard let fired = events.fired(index, for: EventEnd.sequencer.index) else { return nil }
    events.consume(index)
    return fired
  }

  /// Whether queues have still to come to the cycle until which the sequencer stands before a full one:
  /// what they do until then decides which of them starve.
  mutating func postpones(_ dispatch: Int64) -> Bool {
    guard dispatch > nextDispatch, earliest() >> 3 < dispatch else { return false }
    resumption = dispatch
    return true
  }

  /// Whether the sequencer, which goes on where a queue is empty, has to go on by itself: what is left
  /// is its own, or is asked for by no queue that could start anything.
  var hasRest: Bool { isUnbounded && !isHeld && cursor < records.count }

  /// What the sequencer waits for has fired.
  mutating func goOn(_ shared: inout Shared) {
    isHeld = false
    sequence(&shared)
  }

  /// What the sequencer waits for on another core has fired.
  mutating func catchUp(_ shared: inout Shared) {
    isBehind = true
    goOn(&shared)
  }

  /// Randomised occupancy and latency.
  @inline(never)
  static func scaled(
    _ price: UnsafePointer<PriceTable.Price>, _ core: Int, _ op: UInt32, _ jitter: JitterSource
  ) -> (occupancy: Int64, latency: Int64) {
    let occupancy = jitter.scale(price.pointee.occupancy, core: core, op: op, draw: 0)
    return (
      price.pointee.occupancy > 0 ? max(1, occupancy) : 0,
      jitter.scale(price.pointee.latency, core: core, op: op, draw: 1)
    )
  }
}
