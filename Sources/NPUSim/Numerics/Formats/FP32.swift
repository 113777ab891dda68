/// The vector unit's arithmetic: one IEEE 754 binary32 operation each, round to nearest, ties to
/// even, gradual underflow.
///
/// Every NaN an operation produces is ``canonicalNaN``, whatever NaN went in, so that no result
/// depends on the host's rules for NaN payloads and signs.
public enum FP32 {
  /// The positive quiet NaN 0x7FC00000.
  public static let canonicalNaN = Float(bitPattern: 0x7FC0_0000)

  /// The value itself, or ``canonicalNaN`` in place of any NaN.
  @inlinable
  public static func canonical(_ value: Float) -> Float {
    value == value ? value : Float(bitPattern: 0x7FC0_0000)
  }

  /// a + b.
  @inlinable
  public static func add(_ a: Float, _ b: Float) -> Float { canonical(a + b) }

  /// a − b.
  @inlinable
  public static func sub(_ a: Float, _ b: Float) -> Float { canonical(a - b) }

  /// a · b.
  @inlinable
  public static func mul(_ a: Float, _ b: Float) -> Float { canonical(a * b) }

  /// a / b; x/±0 is an infinity with the product of the signs, 0/0 is NaN.
  @inlinable
  public static func div(_ a: Float, _ b: Float) -> Float { canonical(a / b) }

  /// The larger of two values. NaN if either is NaN; max(−0, +0) = +0 in either order.
  @inlinable
  public static func max(_ a: Float, _ b: Float) -> Float {
    if a != a || b != b { return Float(bitPattern: 0x7FC0_0000) }
    if a == b {
      // Equal values have equal words, except the two zeros, whose common bits are +0.
      return Float(bitPattern: a.bitPattern & b.bitPattern)
    }
    return a > b ? a : b
  }
}
