/// The accesses of a core's micro-ops so far, by queue and buffer: finds the last one that shares a
/// byte with a further micro-op where one of the two writes.
struct ConflictIndex {
  /// One operand of a micro-op.
  private struct Entry {
    /// Position of the micro-op in its queue.
    var place: UInt32
    var tile: UInt32
    var isFilled: Bool
  }

  private let layout: TileLayout
  private let tiles: [TileRef]
  /// A number for each buffer that shares its bytes with no other one, and one for all the others.
  private let groups: [Int]
  private let groupCount: Int
  /// By queue, group, and whether they write; in the order of the queue.
  private var entries: [[Entry]]

  init(layout: TileLayout, tiles: [TileRef]) {
    self.layout = layout
    self.tiles = tiles
    let isAlone = Self.lonely(layout.buffers)
    groups = isAlone.indices.map { isAlone[$0] ? $0 : isAlone.count }
    groupCount = isAlone.count + 1
    entries = Array(repeating: [], count: Queue.count * groupCount * 2)
  }

  private func list(_ queue: Int, _ tile: UInt32, isWrite: Bool) -> Int {
    let buffer = Int(tiles[Int(tile)].buffer)
    let group = buffer < groups.count ? groups[buffer] : groupCount - 1
    return (queue * groupCount + group) * 2 + (isWrite ? 1 : 0)
  }

  /// Takes the next micro-op of its queue in.
  mutating func add(_ record: OpRecord, place: UInt32) {
    for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
      let access = record.access(k)
      let entry = Entry(
        place: place, tile: record.words[k], isFilled: access.contains(.zeroFill))
      if access.contains(.read) {
        entries[list(record.queue.index, entry.tile, isWrite: false)].append(entry)
      }
      if access.contains(.write) {
        entries[list(record.queue.index, entry.tile, isWrite: true)].append(entry)
      }
    }
  }

  /// The highest place of a queue within a range whose micro-op conflicts with a record.
  func last(
    of queue: Int, conflictingWith record: OpRecord, in range: Range<UInt32>
  ) -> UInt32? {
    var best: UInt32?
    for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
      let access = record.access(k)
      let tile = record.words[k]
      let isFilled = access.contains(.zeroFill)
      for isWrite in access.contains(.write) ? [true, false] : [true] {
        let candidates = entries[list(queue, tile, isWrite: isWrite)]
        var next = end(candidates, before: range.upperBound)
        while next > 0 {
          next -= 1
          let entry = candidates[next]
          if entry.place < range.lowerBound { break }
          if let best, entry.place <= best { break }
          if overlap(entry.tile, entry.isFilled, tile, isFilled) {
            best = entry.place
            break
          }
        }
      }
    }
    return best
  }

  /// How many entries lie at places below `limit`.
  private func end(_ list: [Entry], before limit: UInt32) -> Int {
    var low = 0
    var high = list.count
    while low < high {
      let middle = (low + high) / 2
      if list[middle].place < limit { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Sweeps the on-chip buffers of each memory in the order of their addresses: only buffers that
  /// someone placed by hand meet.
  private static func lonely(_ buffers: [Buffer]) -> [Bool] {
    var result = [Bool](repeating: true, count: buffers.count)
    let places = buffers.indices.filter { buffers[$0].space.isOnChip }.sorted { a, b in
      let (x, y) = (buffers[a], buffers[b])
      return (x.core, x.space.index, extent(x).lowerBound)
        < (y.core, y.space.index, extent(y).lowerBound)
    }
    var furthest: Int?
    for index in places {
      let buffer = buffers[index]
      guard let last = furthest, buffers[last].core == buffer.core,
        buffers[last].space == buffer.space
      else {
        furthest = index
        continue
      }
      let end = extent(buffers[last]).upperBound
      if end > extent(buffer).lowerBound {
        result[last] = false
        result[index] = false
      }
      if extent(buffer).upperBound > end { furthest = index }
    }
    return result
  }

  /// The bytes of a buffer in its memory, scales included where they lie there.
  private static func extent(_ buffer: Buffer) -> Range<Int> {
    let payload = buffer.base..<(buffer.base + buffer.payloadExtent)
    guard buffer.format == .mxint8, !buffer.space.hasScaleSideArray else { return payload }
    let end = buffer.scaleBase + buffer.scaleExtent
    return min(buffer.base, buffer.scaleBase)..<max(payload.upperBound, end)
  }

  private func overlap(_ a: UInt32, _ aFilled: Bool, _ b: UInt32, _ bFilled: Bool) -> Bool {
    let x = tiles[Int(a)]
    let y = tiles[Int(b)]
    guard x.space == y.space else { return false }
    let isSame = x.buffer == y.buffer
    let bound = layout.buffers.count
    guard Int(x.buffer) < bound, Int(y.buffer) < bound else { return true }
    // Tensors in HBM never meet, nor do buffers of groups of their own.
    if !isSame && (x.space == .hbm || groups[Int(x.buffer)] != groups[Int(y.buffer)]) {
      return false
    }
    if isSame && x.indexList == 0 && y.indexList == 0 {
      return x.slot == y.slot && meets(x.row, x.rows, y.row, y.rows, x.isBlocked(.alongRows))
        && meets(x.column, x.columns, y.column, y.columns, x.isBlocked(.alongColumns))
    }
    guard layout.contains(x), layout.contains(y) else { return true }
    return layout.overlap(x, padded: aFilled, y, padded: bFilled)
  }

  /// Whether two ranges meet; along the blocks of MXINT8 in whole blocks, as they share a scale.
  private func meets(
    _ a: Int32, _ aCount: Int32, _ b: Int32, _ bCount: Int32, _ inBlocks: Bool
  ) -> Bool {
    guard aCount > 0, bCount > 0 else { return false }
    if inBlocks {
      return a / 32 <= (b + bCount - 1) / 32 && b / 32 <= (a + aCount - 1) / 32
    }
    return a < b + bCount && b < a + aCount
  }
}

extension TileRef {
  /// Whether its MXINT8 blocks run along an axis.
  fileprivate func isBlocked(_ along: BlockAxis) -> Bool { format == .mxint8 && axis == along }
}
