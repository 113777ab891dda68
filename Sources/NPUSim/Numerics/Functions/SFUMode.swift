/// How the vector unit evaluates its special functions.
public enum SFUMode: String, Sendable, CaseIterable {
  /// Every result is the exact mathematical value, rounded once.
  case correctlyRounded = "correctly-rounded"
  /// The published integer models ``Expu`` in place of exp and reciprocal; everything else as in
  /// ``correctlyRounded``.
  case expu
}
