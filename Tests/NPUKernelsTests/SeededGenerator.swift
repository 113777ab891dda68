import NPUSim

/// A small generator for randomised suites: the same seed gives the same cases everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private let source: SeededInput
  private var position = 0

  init(seed: UInt64) { source = SeededInput(seed: seed, name: "tests") }

  mutating func next() -> UInt64 {
    position += 1
    return source.word(position)
  }

  /// An index below `count`, which must be positive.
  mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
}
