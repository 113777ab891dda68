/// The accesses of a core's micro-ops so far, by queue and buffer: finds the last one that shares a
/// byte with a further micro-op where one of the two writes.
struct ConflictIndex: ~Copyable {
  /// One operand of a micro-op.
  private struct Entry {
    /// Position of the micro-op in its queue.
    var place: UInt32
    /// Its number among all micro-ops of the core.
    var op: UInt32
    /// The tile; the top bit is set if its last block is filled up.
    var tileAndFill: UInt32

    var tile: UInt32 { tileAndFill & ~ConflictIndex.fillBit }
    var isFilled: Bool { tileAndFill & ConflictIndex.fillBit != 0 }
  }

  /// The entries of one queue and group of buffers, in the order of the queue.
  private struct Log {
    private(set) var entries: UnsafeMutablePointer<Entry>?
    private(set) var count = 0
    private var capacity = 0

    @inline(__always)
    mutating func append(_ entry: Entry) {
      if count == capacity { grow() }
      (entries.unsafelyUnwrapped + count).initialize(to: entry)
      count &+= 1
    }

    @inline(never)
    private mutating func grow() {
      capacity = max(16, 2 * capacity)
      let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
      if let entries {
        larger.moveInitialize(from: entries, count: count)
        entries.deallocate()
      }
      entries = larger
    }

    /// How many entries lie at places below `limit`.
    func end(before limit: UInt32) -> Int {
      guard let entries else { return 0 }
      var low = 0
      var high = count
      while low < high {
        let middle = (low + high) / 2
        if entries[middle].place < limit { low = middle + 1 } else { high = middle }
      }
      return low
    }

    mutating func removeFirst(_ dropped: Int) {
      guard let entries else { return }
      entries.update(from: entries + dropped, count: count - dropped)
      count -= dropped
    }

    mutating func removeAll() {
      entries?.deallocate()
      entries = nil
      count = 0
      capacity = 0
    }
  }

  private static let fillBit: UInt32 = 1 << 31

  private let layout: TileLayout
  private let tiles: [TileRef]
  private let overlaps: TileOverlap
  /// By queue, group of buffers, and whether they write. Behind a pointer, as every operand of every
  /// micro-op is entered.
  private let logs: UnsafeMutableBufferPointer<Log>

  init(layout: TileLayout, tiles: [TileRef], overlaps: TileOverlap) {
    self.layout = layout
    self.tiles = tiles
    self.overlaps = overlaps
    logs = .allocate(capacity: Queue.count * overlaps.groupCount * 2)
    logs.initialize(repeating: Log())
  }

  deinit {
    for index in logs.indices { logs[index].removeAll() }
    logs.deallocate()
  }

  @inline(__always)
  private func log(_ queue: Int, _ tile: UInt32, isWrite: Bool) -> Int {
    let group = overlaps.group(of: tiles[Int(tile)].buffer)
    return (queue * overlaps.groupCount + group) * 2 + (isWrite ? 1 : 0)
  }

  /// Takes the next micro-op of its queue in.
  mutating func add(_ record: OpRecord, op: Int, place: UInt32) {
    for k in 0..<Int(record.operandCount) {
      let access = record.access(k)
      if access.isEmpty { continue }
      let tile = record.words[k]
      let entry = Entry(
        place: place, op: UInt32(truncatingIfNeeded: op),
        tileAndFill: tile | (access.contains(.zeroFill) ? Self.fillBit : 0))
      let first = log(record.queue.index, tile, isWrite: false)
      if access.contains(.read) { logs[first].append(entry) }
      if access.contains(.write) { logs[first + 1].append(entry) }
    }
  }

  /// Drops everything.
  mutating func forgetAll() {
    for index in logs.indices { logs[index].removeAll() }
  }

  /// Drops the accesses of a queue before a place: nobody will ask for them again.
  mutating func forget(_ queue: Int, before place: UInt32) {
    let count = overlaps.groupCount * 2
    for index in (queue * count)..<((queue + 1) * count) {
      let end = logs[index].end(before: place)
      // Moving the rest costs as much as it has entries.
      if end * 2 > logs[index].count { logs[index].removeFirst(end) }
    }
  }

  /// The last micro-op of a queue, at a place within a range, that conflicts with a record.
  func last(of queue: Int, conflictingWith record: OpRecord, in range: Range<UInt32>) -> UInt32? {
    var best: (place: UInt32, op: UInt32)?
    for k in 0..<Int(record.operandCount) {
      let access = record.access(k)
      if access.isEmpty { continue }
      let tile = record.words[k]
      let isFilled = access.contains(.zeroFill)
      let first = log(queue, tile, isWrite: false)
      find(in: logs[first + 1], tile, isFilled, range, &best)
      if access.contains(.write) { find(in: logs[first], tile, isFilled, range, &best) }
    }
    return best?.op
  }

  /// Looks for a later conflict in one log than the best so far.
  @inline(__always)
  private func find(
    in log: Log, _ tile: UInt32, _ isFilled: Bool, _ range: Range<UInt32>,
    _ best: inout (place: UInt32, op: UInt32)?
  ) {
    guard log.count > 0, let entries = log.entries else { return }
    let lowest = best.map { $0.place + 1 } ?? range.lowerBound
    let last = entries[log.count - 1].place
    guard last >= lowest else { return }
    var next = last < range.upperBound ? log.count : log.end(before: range.upperBound)
    while next > 0 {
      next -= 1
      let entry = entries[next]
      if entry.place < lowest { return }
      if overlap(entry.tile, entry.isFilled, tile, isFilled) {
        best = (entry.place, entry.op)
        return
      }
    }
  }

  private func overlap(_ a: UInt32, _ aFilled: Bool, _ b: UInt32, _ bFilled: Bool) -> Bool {
    let x = tiles[Int(a)]
    let y = tiles[Int(b)]
    switch overlaps.judge(x, y) {
    case .apart: return false
    case .shared: return true
    case .unknown:
      guard layout.contains(x), layout.contains(y) else { return true }
      return layout.overlap(x, padded: aFilled, y, padded: bFilled)
    }
  }
}
