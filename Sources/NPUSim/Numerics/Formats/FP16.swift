/// An IEEE 754 binary16 value: 1 sign, 5 exponent (bias 15) and 10 fraction bits.
///
/// Largest finite value 65504, smallest subnormal 2^-24. Used for inputs only.
public struct FP16: Hashable, Sendable {
  /// The 16-bit word, sign first.
  public var bits: UInt16

  /// The value with this word.
  public init(bits: UInt16) { self.bits = bits }

  /// The nearest FP16 value, ties to even; from 65520 on, infinity. NaN gives 0x7E00 with the
  /// sign of the NaN.
  public init(_ value: Float) {
    bits = UInt16(truncatingIfNeeded: Rounding.word(value, to: .fp16))
  }

  /// The same value as FP32, exactly. Every NaN gives 0x7FC00000 with its sign.
  public var float: Float {
    let sign = UInt32(bits & 0x8000) << 16
    let field = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    if field == 0x1F {
      return Float(bitPattern: sign | (fraction == 0 ? 0x7F80_0000 : 0x7FC0_0000))
    }
    if field == 0 {
      // fraction · 2^-24: an integer times a power of two, exact.
      let magnitude = Float(fraction) * 0x1p-24
      return Float(bitPattern: sign | magnitude.bitPattern)
    }
    return Float(bitPattern: sign | (field + 112) << 23 | fraction << 13)
  }
}
