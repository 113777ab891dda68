/// Which micro-ops of a core wait for one another by the unit flags of their accumulator tiles.
///
/// For each tile: the k-th matmul that releases it, then the k-th drain of it that carries the flag,
/// then the first flagged matmul behind the k-th release. Matmuls have one queue, and so have drains:
/// the order of the list decides who is the k-th. Holds flagged micro-ops only, so that programs
/// without flags have none.
struct UnitChains {
  /// One flagged micro-op; places are places in ``links``.
  struct Link {
    var op: UInt32
    /// The accumulator tile.
    var tile: UInt32
    var isDrain: Bool
    /// The one that it waits for, ``none`` or ``missing``.
    var source = none
    /// The one that waits for it, or ``none``.
    var target = none
  }

  /// Nothing to wait for, or nobody who waits.
  static let none: Int32 = -1
  /// It waits for a micro-op that the program does not have.
  static let missing: Int32 = -2

  /// In the order of the list.
  private(set) var links: [Link] = []

  /// What a tile has, in the order of the list: first matmuls of its chains, last ones, and drains.
  private struct History {
    var firsts: [Int32] = []
    var releases: [Int32] = []
    var drains: [Int32] = []
  }

  /// The flags of a list; `nil` where it has none.
  init?(_ records: [OpRecord], tiles: [TileRef]) {
    guard records.contains(where: \.hasUnitFlag) else { return nil }
    var histories: [History] = []
    var known: [UInt32: Int] = [:]
    for (op, record) in records.enumerated() where record.hasUnitFlag {
      guard let tile = record.accumulator(tiles) else { continue }
      let own = known[tile] ?? histories.count
      if own == histories.count {
        known[tile] = own
        histories.append(History())
      }
      let place = Int32(truncatingIfNeeded: links.count)
      let isDrain = record.queue == .drain
      links.append(Link(op: UInt32(truncatingIfNeeded: op), tile: tile, isDrain: isDrain))
      if isDrain {
        histories[own].drains.append(place)
      } else {
        // The chain before has ended, or this one has begun already.
        if histories[own].firsts.count == histories[own].releases.count {
          histories[own].firsts.append(place)
        }
        if record.releasesUnit { histories[own].releases.append(place) }
      }
    }
    for history in histories {
      join(history.releases, to: history.drains[...])
      join(history.drains, to: history.firsts.dropFirst())
    }
  }

  /// Lets each of `targets` wait for the one of `sources` that has its number.
  private mutating func join(_ sources: [Int32], to targets: ArraySlice<Int32>) {
    for (number, target) in targets.enumerated() {
      guard number < sources.count else {
        links[Int(target)].source = Self.missing
        continue
      }
      links[Int(target)].source = sources[number]
      links[Int(sources[number])].target = target
    }
  }

  /// The place of a flagged micro-op; `nil` for another one.
  func place(of op: Int) -> Int? {
    var low = 0
    var high = links.count
    while low < high {
      let middle = (low + high) / 2
      if Int(links[middle].op) < op { low = middle + 1 } else { high = middle }
    }
    return low < links.count && Int(links[low].op) == op ? low : nil
  }

  /// The micro-op that a flagged one waits for, as far as the program has it.
  func source(of op: Int) -> Int? {
    place(of: op).flatMap { self.op(at: links[$0].source) }
  }

  /// The same, and `Int.max` where the program does not have it.
  func source(ofWaiting op: Int) -> Int? {
    guard let place = place(of: op), links[place].source != Self.none else { return nil }
    return self.op(at: links[place].source) ?? Int.max
  }

  /// The micro-op that waits for a flagged one.
  func target(of op: Int) -> Int? {
    place(of: op).flatMap { self.op(at: links[$0].target) }
  }

  private func op(at place: Int32) -> Int? { place < 0 ? nil : Int(links[Int(place)].op) }
}

extension OpRecord {
  /// The tile of its operand in `acc`.
  func accumulator(_ tiles: [TileRef]) -> UInt32? {
    for k in 0..<Int(operandCount) where !access(k).isEmpty {
      let tile = words[k]
      if Int(tile) < tiles.count, tiles[Int(tile)].space == .acc { return tile }
    }
    return nil
  }
}
