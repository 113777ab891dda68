/// What the micro-ops so far did with the rectangles of a crowd.
///
/// Each rectangle keeps, for reads and for writes, 1 + the position of the last one of each queue;
/// each node of the crowd's tree the largest of those below it. Whether a micro-op conflicts with one
/// that it does not know to be visible is then a search that leaves out what does not touch its
/// rectangle and what it knows. No older access than the last of a queue is needed: what is visible
/// is a prefix of each queue.
struct CrowdHistory {
  /// For each queue 1 + a position, 0 for none; behind them, in ``foreign``, whether another core
  /// did it since the last barrier over the cores.
  typealias Lanes = SIMD8<UInt32>

  /// The lane of other cores.
  static let foreign = 6

  private struct Node {
    var reads = Lanes(repeating: 0)
    var writes = Lanes(repeating: 0)

    /// Whether the core that the lanes belong to did nothing yet.
    var isForeign: Bool {
      var lanes = reads | writes
      lanes[CrowdHistory.foreign] = 0
      return lanes == Lanes(repeating: 0)
    }
  }

  /// One access to look for conflicts of.
  struct Probe {
    /// The rectangle's place in the crowd.
    var place: Int
    var isWrite: Bool
    /// The queue, and whether it leaves later micro-ops of its own to wait by themselves.
    var queue: Int
    var interlocks: Bool
    /// Forwards from earlier writes of the very tile.
    var forwards: Bool
  }

  let crowd: Crowd
  private var leaves: [Node]
  /// Queues whose last write of a rectangle forwards, a bit each.
  private var forwarding: [UInt8]
  private var nodes: [Node]
  /// The bytes that were written, and rectangles known to be.
  private var written: PaintMap
  private var isWritten: [Bool]
  private var isInitial: Bool
  /// The core and the phase of the lanes.
  private var core: Int32 = -1
  private var phase: UInt32 = 0
  private let isShared: Bool
  /// Rectangles used by the core, and by others in this phase.
  private var own: [UInt32] = []
  private var others: [UInt32] = []

  /// `isShared`: in HBM, used by several cores. Footprints from `tiles` on are initialised bytes.
  init(_ crowd: Crowd, isInitial: Bool, isShared: Bool, footprints count: UInt32) {
    self.crowd = crowd
    self.isInitial = isInitial
    self.isShared = isShared
    leaves = Array(repeating: Node(), count: crowd.rects.count)
    forwarding = Array(repeating: 0, count: crowd.rects.count)
    nodes = Array(repeating: Node(), count: crowd.bounds.count)
    written = PaintMap(
      rows: isInitial ? 1 : crowd.rows, columns: isInitial ? 1 : crowd.columns)
    isWritten = Array(repeating: isInitial, count: crowd.rects.count)
    if isInitial { return }
    for (place, footprint) in crowd.footprints.enumerated() where footprint >= count {
      written.paint(crowd.rects[place], 1)
    }
  }

  // MARK: Conflicts

  /// Raises `bound` to the last access of each queue that conflicts with the probe, where that is
  /// above it.
  func raise(_ bound: inout (reads: Lanes, writes: Lanes), _ probe: Probe) {
    let tile = crowd.footprints[probe.place] / 2
    // What the queue holds off by itself, or what does not matter, is never above.
    var mask = Lanes(repeating: .max)
    if probe.interlocks { mask[probe.queue] = 0 }
    var readMask = Lanes(repeating: probe.isWrite ? .max : 0)
    readMask[probe.queue] = 0
    descend(
      crowd.levelEnds.count, 0, crowd.rects[probe.place], readMask, mask,
      probe.forwards ? tile : .max, probe.queue, &bound)
  }

  private func descend(
    _ level: Int, _ place: Int, _ rect: CrowdRect, _ readMask: Lanes, _ writeMask: Lanes,
    _ forwarded: UInt32, _ queue: Int, _ bound: inout (reads: Lanes, writes: Lanes)
  ) {
    let node = level == 0 ? leaves[place] : nodes[start(of: level) + place]
    let reads = node.reads & readMask
    var writes = node.writes & writeMask
    if !any(reads .> bound.reads) && !any(writes .> bound.writes) { return }
    let extent = level == 0 ? crowd.rects[place] : crowd.bounds[start(of: level) + place]
    if !extent.overlaps(rect) { return }
    if level == 0 {
      if crowd.footprints[place] / 2 == forwarded, forwarding[place] >> UInt8(queue) & 1 != 0 {
        writes[queue] = 0
      }
    } else if forwarded != .max || !rect.contains(extent) {
      let end = min((place + 1) * Crowd.fanOut, count(of: level - 1))
      for child in place * Crowd.fanOut..<end {
        descend(level - 1, child, rect, readMask, writeMask, forwarded, queue, &bound)
      }
      return
    }
    bound.reads = pointwiseMax(bound.reads, reads)
    bound.writes = pointwiseMax(bound.writes, writes)
  }

  private func start(of level: Int) -> Int { level == 1 ? 0 : crowd.levelEnds[level - 2] }

  private func count(of level: Int) -> Int {
    level == 0 ? leaves.count : crowd.levelEnds[level - 1] - start(of: level)
  }

  // MARK: Accesses

  /// Whether every byte of a rectangle was written, or is initial.
  mutating func isInitialised(_ place: Int) -> Bool {
    if isWritten[place] { return true }
    isWritten[place] = written.visit(crowd.rects[place]) { value, _ in value != 0 }
    return isWritten[place]
  }

  /// Notes an access of a micro-op.
  mutating func note(_ place: Int, isWrite: Bool, by record: OpRecord, position: UInt32) {
    let queue = record.queue.index
    if isShared && leaves[place].isForeign { own.append(UInt32(truncatingIfNeeded: place)) }
    if isWrite && !isWritten[place] {
      isWritten[place] = true
      written.paint(crowd.rects[place], 1)
    }
    if isWrite {
      leaves[place].writes[queue] = position &+ 1
      let bit: UInt8 = 1 << record.queue.rawValue
      forwarding[place] = forwarding[place] & ~bit | (record.forwardsResults ? bit : 0)
    } else {
      leaves[place].reads[queue] = position &+ 1
    }
    var at = place
    for level in 0..<crowd.levelEnds.count {
      at /= Crowd.fanOut
      let node = start(of: level + 1) + at
      if isWrite {
        nodes[node].writes[queue] = position &+ 1
      } else {
        nodes[node].reads[queue] = position &+ 1
      }
    }
  }

  /// Begins the part of another core, or what comes behind a barrier over the cores.
  mutating func enter(core: Int32, phase: UInt32) {
    guard isShared, core != self.core || phase != self.phase else { return }
    let isNewPhase = phase != self.phase
    self.core = core
    self.phase = phase
    for place in own { forget(Int(place), keepsForeign: !isNewPhase) }
    if isNewPhase {
      for place in others { forget(Int(place), keepsForeign: false) }
      others.removeAll(keepingCapacity: true)
    } else {
      others += own
    }
    own.removeAll(keepingCapacity: true)
  }

  /// Turns what the core did with a rectangle into what another core did, or into nothing.
  private mutating func forget(_ place: Int, keepsForeign: Bool) {
    func settle(_ node: inout Node) {
      let was = node
      node = Node()
      if keepsForeign {
        node.reads[Self.foreign] = was.reads == Lanes(repeating: 0) ? 0 : 1
        node.writes[Self.foreign] = was.writes == Lanes(repeating: 0) ? 0 : 1
      }
    }
    settle(&leaves[place])
    var at = place
    for level in 0..<crowd.levelEnds.count {
      at /= Crowd.fanOut
      settle(&nodes[start(of: level + 1) + at])
    }
  }
}
