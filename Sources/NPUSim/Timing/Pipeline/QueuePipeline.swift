/// One queue while time passes: its slots, its unit, and what its cycles went to.
struct QueuePipeline {
  /// A place in the queue. Until its micro-op starts, `time` is the dispatch; afterwards it is the
  /// start, which is when the micro-op `depth` places later may be dispatched.
  struct Slot {
    var time: Int64
    var op: UInt32
    var code: OpCode
  }

  /// A write that may not be visible yet.
  struct PendingWrite {
    var visible: Int64
    var tile: UInt32
    var padded: Bool
  }

  static let emptySlot = Slot(time: 0, op: 0, code: OpCode(.data, 0))

  private(set) var slots: UnsafeMutablePointer<Slot>
  private var capacity: Int
  private var head = 0
  private var tail = 0
  /// Micro-ops dispatched and not started.
  private(set) var waiting = 0
  /// Whether the queue can be full.
  let isBounded: Bool
  /// Whether it waits by itself for overlapping earlier results.
  let interlocks: Bool

  /// End of the latest occupancy.
  var free: Int64 = 0
  /// The latest `visible` of any micro-op that started.
  var latestVisible: Int64 = 0
  /// Micro-ops that started.
  private(set) var ops = 0
  /// Micro-ops that will.
  private let allOps: Int
  var busy: Int64 = 0
  /// Indexed by ``StallReason/index``; `drained` is added at the end.
  var stalls = InlineArray<7, Int64>(repeating: 0)
  /// While it is empty: how long the sequencer had stood before full queues when it began to starve.
  private var starvedFrom: Int64 = 0

  private var writes: UnsafeMutablePointer<PendingWrite>
  private var writeCount = 0
  private var writeCapacity = 8

  /// `depth` slots, or unlimited ones, for `ops` micro-ops in all.
  init(depth: Int?, interlocks: Bool, ops: Int) {
    allOps = ops
    isBounded = depth != nil
    self.interlocks = interlocks
    capacity = max(1, depth ?? 16)
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: Self.emptySlot, count: capacity)
    writes = .allocate(capacity: writeCapacity)
  }

  func deallocate() {
    slots.deallocate()
    writes.deallocate()
  }

  // MARK: Slots

  /// Whether some of its micro-ops are not dispatched yet.
  var isAwaited: Bool { ops + waiting < allOps }

  /// Whether every slot holds a micro-op that has not started.
  var isFull: Bool { isBounded && waiting == capacity }

  /// When the slot of the next micro-op became free; ask only a queue that is not full.
  var slotFree: Int64 { isBounded ? slots[tail].time : 0 }

  /// The oldest micro-op that has not started; ask only a queue that holds one.
  var first: Slot { slots[head] }

  @inline(__always)
  mutating func push(_ op: UInt32, _ code: OpCode, dispatch: Int64) {
    if waiting == capacity { grow() }
    slots[tail] = Slot(time: dispatch, op: op, code: code)
    tail &+= 1
    if tail == capacity { tail = 0 }
    waiting &+= 1
  }

  /// Takes the head out at its start.
  @inline(__always)
  mutating func pop(start: Int64) {
    slots[head].time = start
    head &+= 1
    if head == capacity { head = 0 }
    waiting &-= 1
    ops &+= 1
  }

  /// Only queues without a depth grow.
  private mutating func grow() {
    let larger = UnsafeMutablePointer<Slot>.allocate(capacity: 2 * capacity)
    for index in 0..<waiting {
      (larger + index).initialize(to: slots[(head + index) % capacity])
    }
    for index in waiting..<(2 * capacity) {
      (larger + index).initialize(to: Self.emptySlot)
    }
    slots.deallocate()
    slots = larger
    head = 0
    tail = waiting
    capacity *= 2
  }

  // MARK: Accounts

  /// Books the cycles from the last `free` to `start`, which is not before it: first those before
  /// `dispatch`, then those for the reason at an index.
  @inline(__always)
  mutating func idle(until start: Int64, dispatch: Int64, for reason: Int) {
    let known = dispatch > free ? dispatch : free
    stalls[StallReason.dispatch.index] &+= known &- free
    stalls[reason] &+= start &- known
  }

  /// The queue is empty from now on. What the sequencer stands before full queues beyond the cycles
  /// `stalled` starves it, until it gets another micro-op; without one it is drained.
  @inline(__always)
  mutating func beginStarving(at stalled: Int64) { starvedFrom = stalled }

  /// The sequencer stood before a full queue from `from` to `to`: what of it lies before `free` does not
  /// starve this one. Returns whether there may be more of that.
  @inline(__always)
  mutating func excuse(from: Int64, to: Int64) -> Bool {
    if free > from { starvedFrom &+= min(free, to) &- from }
    return free > to
  }

  /// The queue gets a micro-op after it was empty.
  @inline(__always)
  mutating func endStarving(at stalled: Int64) {
    stalls[StallReason.starved.index] &+= stalled &- starvedFrom
    stalls[StallReason.dispatch.index] &-= stalled &- starvedFrom
  }

  // MARK: Interlock

  /// When the earlier writes that `record` touches are visible, if that is after `ready`. Mutating, so
  /// that the queue is not copied for the call.
  @inline(never)
  mutating func interlock(
    _ record: UnsafePointer<OpRecord>, ready: Int64, _ footprints: inout FootprintCache
  ) -> Int64 {
    var result = ready
    // The last one first: what is visible before it does not count.
    for index in (0..<writeCount).reversed() where writes[index].visible > result {
      let write = writes[index]
      var forwards = false
      var touches = false
      var rest = record.pointee.accessBits & 0xFF_FFFF
      while rest != 0 {
        let k = rest.trailingZeroBitCount >> 2
        let access = Access(rawValue: UInt8(truncatingIfNeeded: rest >> UInt32(4 * k)) & 15)
        rest &= ~(15 << UInt32(4 * k))
        let tile = record.pointee.words[k]
        if tile == write.tile && access.contains(.forward) { forwards = true }
        touches =
          touches
          || footprints.overlap(
            tile, padded: access.contains(.zeroFill), write.tile, padded: write.padded)
      }
      if touches && !forwards { result = write.visible }
    }
    return result
  }

  /// Remembers what `record`, which started at `start`, writes until it is visible.
  @inline(never)
  mutating func remember(_ record: UnsafePointer<OpRecord>, start: Int64, visible: Int64) {
    // Bit 1 of each operand's four is `write`.
    var rest = record.pointee.accessBits & 0x22_2222
    while rest != 0 {
      let k = rest.trailingZeroBitCount >> 2
      rest &= rest &- 1
      remember(
        PendingWrite(
          visible: visible, tile: record.pointee.words[k],
          padded: record.pointee.access(k).contains(.zeroFill)), start: start)
    }
  }

  /// Enters a write, and drops those that are visible at `start`. A tile that is written again stays
  /// one entry, with the later instant.
  private mutating func remember(_ write: PendingWrite, start: Int64) {
    var last = write
    var kept = 0
    for index in 0..<writeCount {
      let known = writes[index]
      if known.tile == write.tile && known.padded == write.padded {
        last.visible = max(last.visible, known.visible)
      } else if known.visible > start {
        writes[kept] = known
        kept &+= 1
      }
    }
    if kept == writeCapacity {
      let larger = UnsafeMutablePointer<PendingWrite>.allocate(capacity: 2 * writeCapacity)
      larger.moveInitialize(from: writes, count: kept)
      writes.deallocate()
      writes = larger
      writeCapacity *= 2
    }
    (writes + kept).initialize(to: last)
    writeCount = kept &+ 1
  }
}
