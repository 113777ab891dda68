/// Draws the factors of a randomised timing: a pure function of seed, core, micro-op and draw.
struct JitterSource {
  /// Factors are multiples of 1/1024.
  private static let one: Int64 = 1024
  /// The largest factor of any source.
  static let largest: Int64 = 11

  private let seed: UInt64
  private let lowest: Int64
  private let span: UInt64

  init(_ jitter: TimingOptions.Jitter) {
    seed = jitter.seed
    let deviation = Int64(max(0, min(1000, jitter.percent))) * Self.one / 100
    lowest = Self.one - deviation
    span = UInt64(2 * deviation + 1)
  }

  /// `cycles` times the factor, rounded to the nearest; never negative.
  func scale(_ cycles: Int64, core: Int, op: UInt32, draw: UInt64) -> Int64 {
    var bits = seed ^ (UInt64(truncatingIfNeeded: core) << 34 | UInt64(op) << 2 | draw)
    // The finaliser of SplitMix64, twice: neighbouring micro-ops draw unrelated factors.
    for _ in 0..<2 {
      bits &+= 0x9E37_79B9_7F4A_7C15
      bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
      bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
      bits ^= bits >> 31
    }
    let factor = max(0, lowest + Int64(bits % span))
    return cycles / Self.one * factor + (cycles % Self.one * factor + Self.one / 2) / Self.one
  }
}
