/// The conditions that were found, by the turns in which they hold: the search for loops and the
/// writer ask for the same ones again and again.
final class ConditionMemo {
  /// Words that keys may take in all, 64 MB: beyond that conditions are found anew.
  private static let mostWords = 1 << 23

  private struct Key: Hashable {
    var counts: [Int]
    /// A bit for each turn in which it holds, then one for each in which that matters.
    var bits: [UInt64]
  }

  private var known: [Key: RollCondition] = [:]
  private var words = 0

  /// The condition that holds where `isThere`, given that `isOpen` does, found with `search` the first
  /// time.
  func condition(
    _ counts: [Int], _ isThere: [Bool], within isOpen: [Bool], _ search: () -> RollCondition
  ) -> RollCondition {
    let key = Key(counts: counts, bits: Self.bits(isThere, isOpen))
    if let condition = known[key] { return condition }
    let condition = search()
    if words < Self.mostWords {
      words += key.bits.count + 8
      known[key] = condition
    }
    return condition
  }

  private static func bits(_ isThere: [Bool], _ isOpen: [Bool]) -> [UInt64] {
    let half = (isOpen.count + 63) / 64
    var bits = [UInt64](repeating: 0, count: 2 * half)
    for point in isOpen.indices where isOpen[point] {
      bits[half + point / 64] |= 1 << UInt64(point % 64)
      if isThere[point] { bits[point / 64] |= 1 << UInt64(point % 64) }
    }
    return bits
  }
}
