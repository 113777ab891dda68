/// One line of the benchmark.
struct Measurement: Sendable {
  /// What was measured, such as `f32 -> bf16`.
  var name: String
  /// The part it belongs to.
  var part: String
  /// The median rate.
  var value: Double
  var unit: String
}
