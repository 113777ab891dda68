/// One line of the benchmark.
struct Measurement: Sendable {
  /// What was measured, such as `f32 -> bf16`.
  var name: String
  /// The part it belongs to.
  var part: String
  /// The median.
  var value: Double
  var unit: String
  /// The peak of this machine that bounds it, in the same unit, measured in the same run.
  var peak: Double?

  /// Whether more is better: a rate, not a duration.
  var isRate: Bool { unit.hasSuffix("/s") }

  /// The value as a percentage of the peak.
  var percentOfPeak: Double? {
    guard let peak, peak > 0 else { return nil }
    return 100 * value / peak
  }
}
