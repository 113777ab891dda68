/// The integer models of the exponential unit (``SFUMode/expu``).
///
/// Exponential: the VEXP / SoftEx block, Schraudolph's method with a piecewise quadratic
/// correction of the mantissa (Wang et al., "VEXP: A Low-Cost RISC-V ISA Extension for Accelerated
/// Softmax Computation in Transformers", 2025; Belano et al., "A Flexible Template for Edge
/// Generative AI with High-Accuracy Accelerated Softmax & GELU", 2024). Reciprocal: exponent
/// negation with a quadratic seed and two Newton steps. Both are exact integer and FP32
/// definitions; results differ from the true functions by design.
public enum Expu {
  /// e^x as the unit computes it. A NaN gives what its word gives: +∞, or +0 for a negative one.
  public static func exp(_ x: BF16) -> BF16 {
    let u = UInt32(x.bits)
    let s = u >> 15
    let e = (u >> 7) & 255
    let m = u & 127
    // x · log2(e) in fixed point: 23637 = ⌊2^14 · log2(e)⌋.
    let p = (128 | m) * 23637
    let t = e > 133 || 133 - e >= 32 ? 0 : (p >> 7) >> (133 - e)
    let r = ((t >> 1) + (t & 1)) & 0x7FFF
    let g = s == 1 ? (0 &- r) & 0x7FFF : r
    let carry = (p >> 22) & 1 == 1
    let allOnes = s == 1 && (p >> 14) & 255 == 255
    let overflow = e > 133 || (e == 133 && (carry || allOnes))
    let flush = s == 1 && e == 133 && g >> 7 == 0x81
    if overflow || flush { return BF16(bits: s == 1 ? 0x0000 : 0x7F80) }
    let exponent = ((g >> 7) + 127) & 255
    let n = g & 127
    let corrected: UInt32
    if n < 64 {
      corrected = (8 * n * (n + 363)) >> 12
    } else {
      corrected = ~(((255 - 2 * n) * 7 * (n + 278)) >> 12) & 127
    }
    return BF16(bits: UInt16(truncatingIfNeeded: exponent << 7 | corrected))
  }

  /// 1/x as the unit computes it, keeping the sign of x: ±0 and subnormals give ±∞, magnitudes
  /// from 2^127 on and infinities ±0, NaN ``FP32/canonicalNaN``.
  public static func reciprocal(_ x: Float) -> Float {
    if x != x { return FP32.canonicalNaN }
    let sign = x.bitPattern & 0x8000_0000
    let e = (x.bitPattern >> 23) & 255
    if e == 0 { return Float(bitPattern: sign | 0x7F80_0000) }
    if e >= 254 { return Float(bitPattern: sign) }
    let h = (x.bitPattern >> 16) & 127
    let seed: UInt32
    if h == 0 {
      seed = (254 - e) << 23
    } else {
      let n = 127 - h
      seed = (253 - e) << 23 | (((n >> 1) * n) >> 6) << 16
    }
    var y = Float(bitPattern: sign | seed)
    for _ in 0..<2 {
      y = y * newtonFactor(x, y)
    }
    return y
  }

  /// fma(−x, y, 2), one rounding.
  ///
  /// The product of two 24-bit significands is exact in Double, and so is the difference: x·y lies
  /// between ½ and 2 and is a multiple of 2^-47 (the units of x and y multiply to no less, also
  /// where y is subnormal), so 2 − x·y has at most 49 bits. Only the conversion rounds.
  private static func newtonFactor(_ x: Float, _ y: Float) -> Float {
    Float(2 - Double(x) * Double(y))
  }
}
