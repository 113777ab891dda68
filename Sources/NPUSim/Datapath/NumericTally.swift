/// What the results of a core's micro-ops contained, and which of them were the first.
struct NumericTally {
  private(set) var health = NumericHealth()
  /// The lowest index of a micro-op that produced a NaN or an infinity.
  private(set) var firstNonFinite: Int?
  /// The lowest index of one that clamped a code.
  private(set) var firstSaturated: Int?
  /// The lowest index of a matmul in which a followed chain drifts.
  private(set) var firstDrifting: Int?

  /// Notes the counts as they are after a micro-op.
  mutating func note(_ total: NumericHealth, op: Int) {
    if total.nans != health.nans || total.infinities != health.infinities {
      firstNonFinite = Self.lower(firstNonFinite, op)
    }
    if total.saturated != health.saturated { firstSaturated = Self.lower(firstSaturated, op) }
    if total.drifting != health.drifting { firstDrifting = Self.lower(firstDrifting, op) }
    health = total
  }

  /// Adds what other micro-ops of the core contained.
  mutating func join(_ other: NumericTally) {
    health.add(other.health)
    firstNonFinite = Self.lower(firstNonFinite, other.firstNonFinite)
    firstSaturated = Self.lower(firstSaturated, other.firstSaturated)
    firstDrifting = Self.lower(firstDrifting, other.firstDrifting)
  }

  private static func lower(_ a: Int?, _ b: Int?) -> Int? {
    guard let a, let b else { return a ?? b }
    return min(a, b)
  }
}
