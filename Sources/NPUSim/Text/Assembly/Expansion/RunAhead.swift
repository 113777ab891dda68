/// The blocks of one core that fill rings ahead of where they are written.
///
/// Block j of a ring stands where block j − n is written, n being by how many turns the ring runs ahead;
/// the first n + 1 stand where the first one is written. What is around the blocks stays.
struct RunAhead {
  private struct Block {
    var ring: Int
    var turns: Int
    var range: Range<Int>
  }

  /// In the order of their places; none is inside another.
  private var blocks: [Block] = []
  /// The ring of the block that is open.
  private var current: Int?

  /// Opens a block of a ring; returns the ring of one that is open already.
  mutating func open(_ ring: Int) -> Int? {
    guard current == nil else { return current }
    current = ring
    return nil
  }

  /// Closes the block that is open.
  ///
  /// - Parameters:
  ///   - range: its micro-ops.
  ///   - turns: by how many the ring runs ahead.
  mutating func close(_ ring: Int, _ range: Range<Int>, turns: Int) {
    current = nil
    blocks.append(Block(ring: ring, turns: turns, range: range))
  }

  /// The places of `count` micro-ops as they are written, in the order that they shall have; `nil` where
  /// none runs ahead.
  func order(_ count: Int) -> [UInt32]? {
    guard !blocks.isEmpty else { return nil }
    var result: [UInt32] = []
    result.reserveCapacity(count)
    func take(_ range: Range<Int>) { result += range.lazy.map { UInt32($0) } }
    var byRing: [Int: [Block]] = [:]
    for block in blocks { byRing[block.ring, default: []].append(block) }
    var taken: [Int: Int] = [:]
    var turn: [Int: Int] = [:]
    var place = 0
    for block in blocks {
      take(place..<block.range.lowerBound)
      place = block.range.upperBound
      let own = byRing[block.ring] ?? []
      let last = min(own.count, turn[block.ring, default: 0] + block.turns + 1)
      for next in taken[block.ring, default: 0]..<last { take(own[next].range) }
      taken[block.ring] = last
      turn[block.ring, default: 0] += 1
    }
    take(place..<count)
    return result
  }
}
