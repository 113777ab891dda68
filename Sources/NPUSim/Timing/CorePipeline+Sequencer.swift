extension CorePipeline {
  /// The sequencer's own set or wait at the cursor; `false` while it waits.
  mutating func passSequencer(_ record: OpRecord, _ shared: inout Shared) -> Bool {
    let op = UInt32(truncatingIfNeeded: cursor)
    let index = events.index(record.event)
    let dispatch = nextDispatch
    var start = dispatch
    if record.kind == .sequencerWait {
      guard let fired = events.fired(index, for: EventEnd.sequencer.index) else {
        isHeld = true
        return false
      }
      var propagation = shared.propagation
      if let jitter = shared.jitter {
        propagation = jitter.scale(propagation, core: core, op: op, draw: 2)
      }
      start = max(dispatch, fired &+ propagation)
      events.consume(index)
    }
    let free = start &+ 1
    instants?[cursor] = OpInstants(dispatch: dispatch, start: start, free: free, visible: free)
    sequencerFree = free
    nextDispatch = free
    cursor &+= 1
    if record.kind == .sequencerSet {
      let woken = events.fire(index, at: free)
      if woken >= 0 { arm(woken, &shared) }
    }
    return true
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
