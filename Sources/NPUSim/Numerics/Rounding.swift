/// The one rounding of the simulator: round to nearest, ties to even, into any narrow format.
///
/// Every scalar conversion and every special function ends here. The bulk loops of ``Bulk`` use
/// branch-free forms of the same rule and are proved identical to it by test.
enum Rounding {
  /// Bit layout of a binary floating-point format of at most 32 bits and at most 24 significant
  /// bits, described by its magnitude codes (the word without its sign bit).
  struct Layout: Sendable {
    /// Stored fraction bits.
    var fractionBits: Int
    /// Exponent bias; the smallest normal is `2^(1 - bias)`.
    var bias: Int
    /// Magnitude code of the largest finite value.
    var largestFinite: UInt32
    /// Magnitude code of a value that overflows: infinity, or NaN where there is no infinity.
    var overflow: UInt32
    /// Magnitude code of the NaN that conversions give.
    var nan: UInt32
    /// The sign bit of the word.
    var signBit: UInt32

    static let fp32 = Layout(
      fractionBits: 23, bias: 127, largestFinite: 0x7F7F_FFFF, overflow: 0x7F80_0000,
      nan: 0x7FC0_0000, signBit: 0x8000_0000)
    static let bf16 = Layout(
      fractionBits: 7, bias: 127, largestFinite: 0x7F7F, overflow: 0x7F80, nan: 0x7FC0,
      signBit: 0x8000)
    static let fp16 = Layout(
      fractionBits: 10, bias: 15, largestFinite: 0x7BFF, overflow: 0x7C00, nan: 0x7E00,
      signBit: 0x8000)
    static let e4m3fn = Layout(
      fractionBits: 3, bias: 7, largestFinite: 0x7E, overflow: 0x7F, nan: 0x7F, signBit: 0x80)
    static let e5m2 = Layout(
      fractionBits: 2, bias: 15, largestFinite: 0x7B, overflow: 0x7C, nan: 0x7E, signBit: 0x80)
  }

  /// The magnitude code nearest to `significand · 2^exponent`, ties to even.
  ///
  /// - Parameters:
  ///   - significand: any value; zero gives code 0.
  ///   - exponent: the weight of the significand's lowest bit.
  ///   - sticky: the true value lies strictly between `significand` and `significand + 1` units.
  ///     The significand must then have more bits than the format, so that a unit is lost anyway.
  ///   - saturating: overflow gives the largest finite code instead of `layout.overflow`.
  @inline(__always)
  static func magnitude(
    _ significand: UInt64, exponent: Int, sticky: Bool = false, to layout: Layout,
    saturating: Bool = false
  ) -> UInt32 {
    if significand == 0 { return 0 }
    let overflow = saturating ? layout.largestFinite : layout.overflow
    let smallestNormal = 1 - layout.bias
    let leading = exponent + (63 - significand.leadingZeroBitCount)
    // Weight of the last kept bit: fixed below the smallest normal (gradual underflow).
    let binade = max(leading, smallestNormal)
    let shift = binade - layout.fractionBits - exponent
    var kept: UInt64
    if shift <= 0 {
      kept = significand << UInt64(-shift)
    } else if shift > 64 {
      return 0
    } else {
      let half = UInt64(1) << UInt64(shift - 1)
      let lost = shift == 64 ? significand : significand & ((half << 1) &- 1)
      kept = shift == 64 ? 0 : significand >> UInt64(shift)
      if lost > half || (lost == half && (sticky || kept & 1 == 1)) { kept += 1 }
    }
    // The kept bits carry the implicit one, which raises the exponent field by the one that
    // separates normals from subnormals; a carry out of the fraction raises it once more.
    let offset = binade - smallestNormal
    let code = (UInt64(offset) << UInt64(layout.fractionBits)) + kept
    return code > UInt64(layout.largestFinite) ? overflow : UInt32(code)
  }

  /// The word nearest to a Float. NaN keeps its sign; infinity follows the overflow rule.
  @inline(__always)
  static func word(_ value: Float, to layout: Layout, saturating: Bool = false) -> UInt32 {
    let bits = value.bitPattern
    let sign = bits >> 31 == 0 ? 0 : layout.signBit
    let field = Int((bits >> 23) & 0xFF)
    let fraction = UInt64(bits & 0x7F_FFFF)
    if field == 0xFF {
      if fraction != 0 { return sign | layout.nan }
      return sign | (saturating ? layout.largestFinite : layout.overflow)
    }
    let significand = field == 0 ? fraction : fraction | 0x80_0000
    return sign
      | magnitude(
        significand, exponent: max(field, 1) - 150, to: layout, saturating: saturating)
  }

  /// The word nearest to the exact sum `value.high + value.low` (finite, |low| ≤ ulp(high)).
  static func word(_ value: DoubleDouble, to layout: Layout) -> UInt32 {
    let bits = value.high.bitPattern
    let sign = bits >> 63 == 0 ? 0 : layout.signBit
    let field = Int((bits >> 52) & 0x7FF)
    let fraction = bits & 0xF_FFFF_FFFF_FFFF
    var significand = field == 0 ? fraction : fraction | 0x10_0000_0000_0000
    // Eight guard bits give the low word a place: it pulls the value up or down by less than
    // 256 units, of which rounding to at most 24 bits only needs to know "not exactly here".
    significand <<= 8
    let sticky = value.low != 0
    if sticky && (value.low < 0) != (value.high < 0) { significand -= 1 }
    return sign
      | magnitude(significand, exponent: max(field, 1) - 1083, sticky: sticky, to: layout)
  }

  /// The word nearest to a finite Double.
  static func word(_ value: Double, to layout: Layout) -> UInt32 {
    word(DoubleDouble(high: value, low: 0), to: layout)
  }

  /// The nearest integer, ties to even, for |value| < 2^51: adding 1.5 · 2^52 leaves the adder no
  /// fraction bits, so the adder rounds.
  @inline(__always)
  static func nearestInteger(_ value: Double) -> Double {
    (value + 0x1.8p52) - 0x1.8p52
  }
}
