/// The tiles that the micro-ops of one core touch, each with those of them that it shares bytes with.
///
/// Tiles of buffers that none of the micro-ops writes are left out: nothing conflicts there. A tile
/// whose last block is filled up counts as another one.
struct TouchedTiles {
  /// Set of a neighbour all of whose bytes belong to the tile itself.
  static let coveredBit: UInt32 = 1 << 31
  /// Set of a neighbour of another buffer, one on the same bytes.
  static let foreignBit: UInt32 = 1 << 30
  /// The number of a neighbour.
  static let numberMask: UInt32 = foreignBit - 1

  /// 1 + the number of a tile, by twice its index in the table, and 1 where it is filled up.
  private var numbers: [UInt32]
  /// Neighbours of tile `t`, itself among them: `neighbours[starts[t]..<starts[t + 1]]`.
  private(set) var starts: [UInt32] = [0]
  private(set) var neighbours: [UInt32] = []

  /// How many tiles there are.
  var count: Int { starts.count - 1 }

  /// The number of a tile of the table; `nil` where nothing can conflict.
  @inline(__always)
  func number(of tile: UInt32, isFilled: Bool) -> Int? {
    let number = numbers[2 * Int(tile) + (isFilled ? 1 : 0)]
    return number == 0 ? nil : Int(number) - 1
  }

  /// - Parameters:
  ///   - tiles: the table that the records name.
  ///   - taps: tiles of the table that are read beside the operands.
  init(
    _ records: [OpRecord], tiles: [TileRef], taps: [UInt32], layout: TileLayout,
    overlaps: TileOverlap
  ) {
    numbers = [UInt32](repeating: 0, count: 2 * tiles.count)
    var isWritten = [Bool](repeating: false, count: overlaps.groupCount)
    for record in records where record.kind == .data {
      for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
        isWritten[overlaps.group(of: tiles[Int(record.words[k])].buffer)] = true
      }
    }
    var rects: [TileRect] = []
    var keys: [UInt32] = []
    var accesses = 0
    func enter(_ id: UInt32, isFilled: Bool) {
      let key = 2 * Int(id) + (isFilled ? 1 : 0)
      let tile = tiles[Int(id)]
      let group = overlaps.group(of: tile.buffer)
      guard isWritten[group], tile.rows > 0, tile.columns > 0 else { return }
      accesses += 1
      if numbers[key] != 0 { return }
      keys.append(UInt32(key))
      rects.append(TileRect(tile, isFilled: isFilled, group: group, layout))
      numbers[key] = UInt32(keys.count)
    }
    for record in records where record.kind == .data {
      for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
        enter(record.words[k], isFilled: record.access(k).contains(.zeroFill))
      }
    }
    for tile in taps { enter(tile, isFilled: false) }
    findNeighbours(keys, rects, accesses, tiles, layout, overlaps)
  }

  /// A pair of tiles that share bytes.
  private typealias Pair = (first: UInt32, second: UInt32)

  /// Tiles that are compared at most, beyond a multiple of the accesses.
  private static let mostComparisons = 1 << 16

  private mutating func findNeighbours(
    _ keys: [UInt32], _ rects: [TileRect], _ accesses: Int, _ tiles: [TileRef],
    _ layout: TileLayout, _ overlaps: TileOverlap
  ) {
    func isShared(_ a: Int, _ b: Int) -> Bool {
      let (x, y) = (tiles[Int(keys[a] / 2)], tiles[Int(keys[b] / 2)])
      switch overlaps.judge(x, y) {
      case .apart: return false
      case .shared: return true
      case .unknown:
        guard layout.contains(x), layout.contains(y) else { return true }
        return layout.overlap(x, padded: keys[a] & 1 != 0, y, padded: keys[b] & 1 != 0)
      }
    }
    var pairs: [Pair] = []
    // Tiles of a group that is too crowded to be compared, under the number of one of them.
    var merged = [UInt32](0..<UInt32(keys.count))
    let order = keys.indices.sorted {
      (rects[$0].group, rects[$0].slot, $0) < (rects[$1].group, rects[$1].slot, $1)
    }
    var first = 0
    while first < order.count {
      let group = rects[order[first]].group
      var end = first
      while end < order.count && rects[order[end]].group == group { end += 1 }
      let members = order[first..<end]
      let one = tiles[Int(keys[order[first]] / 2)]
      let isEven = members.allSatisfy {
        let tile = tiles[Int(keys[$0] / 2)]
        return tile.buffer == one.buffer && tile.format == one.format && tile.axis == one.axis
      }
      let sweep = CrowdedSweep(rects, isEven: isEven)
      let limit = Self.mostComparisons + 16 * accesses
      if !sweep.forEachPair(
        of: members, limit: limit,
        { a, b in
          if isShared(a, b) { pairs.append((UInt32(a), UInt32(b))) }
        })
      {
        for member in members { merged[member] = UInt32(order[first]) }
      }
      first = end
    }
    settle(pairs, merged, keys) { a, b in
      let (x, y) = (tiles[Int(keys[a] / 2)], tiles[Int(keys[b] / 2)])
      if x.buffer != y.buffer { return Self.foreignBit }
      let isCovered = x.format == y.format && x.axis == y.axis && rects[a].covers(rects[b])
      return isCovered ? Self.coveredBit : 0
    }
  }

  /// Lists the neighbours of each tile, with the bits that they have for it.
  private mutating func settle(
    _ pairs: [Pair], _ merged: [UInt32], _ keys: [UInt32], _ bits: (Int, Int) -> UInt32
  ) {
    var counts = [UInt32](repeating: 1, count: keys.count)
    for pair in pairs {
      counts[Int(pair.first)] += 1
      counts[Int(pair.second)] += 1
    }
    starts = [0]
    starts.reserveCapacity(keys.count + 1)
    for count in counts { starts.append(starts[starts.count - 1] + count) }
    neighbours = [UInt32](repeating: 0, count: Int(starts[keys.count]))
    var next = starts
    func add(_ neighbour: Int, to tile: Int, _ bits: UInt32) {
      neighbours[Int(next[tile])] = UInt32(neighbour) | bits
      next[tile] += 1
    }
    for tile in keys.indices {
      add(tile, to: tile, Self.coveredBit)
      if merged[tile] != UInt32(tile) { numbers[Int(keys[tile])] = merged[tile] + 1 }
    }
    for pair in pairs {
      let (a, b) = (Int(pair.first), Int(pair.second))
      add(b, to: a, bits(a, b))
      add(a, to: b, bits(b, a))
    }
  }
}
