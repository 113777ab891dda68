/// The OCP 8-bit format E4M3 ("FN": finite values and NaN, no infinity): bias 7.
///
/// Largest finite value ±448 (0x7E), smallest subnormal 2^-9, NaN 0x7F and 0xFF.
public struct E4M3FN: Hashable, Sendable {
  /// The 8-bit word, sign first.
  public var bits: UInt8

  /// The value with this word.
  public init(bits: UInt8) { self.bits = bits }

  /// The nearest E4M3FN value, ties to even. NaN gives NaN with its sign.
  ///
  /// - Parameter saturating: finite overflow and infinities give ±448. Without it everything
  ///   above 464 (and infinity) gives NaN, sign kept.
  public init(_ value: Float, saturating: Bool) {
    bits = UInt8(
      truncatingIfNeeded: Rounding.word(value, to: .e4m3fn, saturating: saturating))
  }

  /// The same value as FP32, exactly. NaN gives 0x7FC00000 with its sign.
  public var float: Float {
    let sign = UInt32(bits & 0x80) << 24
    let field = UInt32(bits >> 3) & 0xF
    let fraction = UInt32(bits & 7)
    if bits & 0x7F == 0x7F { return Float(bitPattern: sign | 0x7FC0_0000) }
    if field == 0 {
      return Float(bitPattern: sign | (Float(fraction) * 0x1p-9).bitPattern)
    }
    return Float(bitPattern: sign | (field + 120) << 23 | fraction << 20)
  }
}
