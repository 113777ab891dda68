/// What a result that is not finite was computed from, which decides whether it is reported.
///
/// IEEE 754 tells the same cases apart: *invalid* and *overflow* are faults of the values, *division by
/// zero* is an exact infinity, and an infinity of infinite operands is exact too.
public enum OperandKind: Sendable {
  /// Finite operands: a NaN is an invalid operation, an infinity an overflow.
  case finite
  /// Some operand is NaN or infinite. An infinity was passed on, as the −∞ of masked elements is; a
  /// NaN counts wherever it appears.
  case nonFinite
  /// A pole of the operation, whose result its definition names: log 0, 1/0.
  case pole

  /// The kind of some operands by whether all of them are finite.
  init(areFinite: Bool) { self = areFinite ? .finite : .nonFinite }

  /// The kind of one operand.
  init(_ a: Float) { self.init(areFinite: a.isFinite) }

  /// The kind of two operands.
  init(_ a: Float, _ b: Float) { self.init(areFinite: a.isFinite && b.isFinite) }
}
