/// The accesses of a core's micro-ops so far, by queue and buffer: finds the last one that shares a
/// byte with a further micro-op where one of the two writes.
struct ConflictIndex {
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

  private static let fillBit: UInt32 = 1 << 31

  private let layout: TileLayout
  private let tiles: [TileRef]
  private let overlaps: TileOverlap
  /// By queue, group of buffers, and whether they write; in the order of the queue.
  private var entries: [[Entry]]

  init(layout: TileLayout, tiles: [TileRef], overlaps: TileOverlap) {
    self.layout = layout
    self.tiles = tiles
    self.overlaps = overlaps
    entries = Array(repeating: [], count: Queue.count * overlaps.groupCount * 2)
  }

  @inline(__always)
  private func list(_ queue: Int, _ tile: UInt32, isWrite: Bool) -> Int {
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
      let first = list(record.queue.index, tile, isWrite: false)
      if access.contains(.read) { entries[first].append(entry) }
      if access.contains(.write) { entries[first + 1].append(entry) }
    }
  }

  /// Drops everything.
  mutating func forgetAll() { entries = [] }

  /// Drops the accesses of a queue before a place: nobody will ask for them again.
  mutating func forget(_ queue: Int, before place: UInt32) {
    let count = overlaps.groupCount * 2
    for list in (queue * count)..<((queue + 1) * count) where !entries[list].isEmpty {
      let end = entries[list].withUnsafeBufferPointer { Self.end($0, before: place) }
      // Moving the rest costs as much as it has entries.
      if end * 2 > entries[list].count { entries[list].removeFirst(end) }
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
      let first = list(queue, tile, isWrite: false)
      find(in: first + 1, tile, isFilled, range, &best)
      if access.contains(.write) { find(in: first, tile, isFilled, range, &best) }
    }
    return best?.op
  }

  /// Looks for a later conflict in one list than the best so far.
  private func find(
    in list: Int, _ tile: UInt32, _ isFilled: Bool, _ range: Range<UInt32>,
    _ best: inout (place: UInt32, op: UInt32)?
  ) {
    let lowest = best.map { $0.place + 1 } ?? range.lowerBound
    entries[list].withUnsafeBufferPointer { candidates in
      guard let last = candidates.last, last.place >= lowest else { return }
      var next =
        last.place < range.upperBound
        ? candidates.count : Self.end(candidates, before: range.upperBound)
      while next > 0 {
        next -= 1
        let entry = candidates[next]
        if entry.place < lowest { return }
        if overlap(entry.tile, entry.isFilled, tile, isFilled) {
          best = (entry.place, entry.op)
          return
        }
      }
    }
  }

  /// How many entries lie at places below `limit`.
  private static func end(_ list: UnsafeBufferPointer<Entry>, before limit: UInt32) -> Int {
    var low = 0
    var high = list.count
    while low < high {
      let middle = (low + high) / 2
      if list[middle].place < limit { low = middle + 1 } else { high = middle }
    }
    return low
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
