/// The natural logarithm of a positive finite FP32 value, without tables.
///
/// x = 2^e · m with 0.707 < m < 1.415, s = (m − 1)/(m + 1), |s| < 0.1716, and
/// ln x = e·ln2 + 2·(s + s³/3 + s⁵/5 + …). For e = 0 the sum is small and relatively accurate; for
/// e ≠ 0 the two parts cannot cancel, since |ln m| ≤ ln2/2.
enum Logarithm {
  /// ln 2 to 107 bits.
  private static let ln2 = DoubleDouble(high: 0x1.62e42fefa39efp-1, low: 0x1.abc9e3b39803fp-56)

  /// ln x, relative error below 2^-49: the rest of the series after s²¹/21 is below 2^-60 of the
  /// sum, and every step of the evaluation rounds once.
  @inline(__always)
  static func log(_ x: Double) -> Double {
    let (exponent, m) = split(x)
    let s = (m - 1) / (m + 1)
    let square = s * s
    var sum = 1.0 / 21
    sum = sum * square + 1.0 / 19
    sum = sum * square + 1.0 / 17
    sum = sum * square + 1.0 / 15
    sum = sum * square + 1.0 / 13
    sum = sum * square + 1.0 / 11
    sum = sum * square + 1.0 / 9
    sum = sum * square + 1.0 / 7
    sum = sum * square + 1.0 / 5
    sum = sum * square + 1.0 / 3
    return exponent * ln2.high + (2 * s + 2 * s * (square * sum))
  }

  /// ln x in double-double, relative error below 2^-96; the rest of the series after s⁴³/43 is
  /// below 2^-115 of the sum.
  static func refinedLog(_ x: Double) -> DoubleDouble {
    let (exponent, m) = split(x)
    let s = DoubleDouble(m - 1) / DoubleDouble(m + 1)
    let square = s * s
    var sum = DoubleDouble(1) / 43
    for divisor in stride(from: 41.0, through: 1, by: -2) {
      sum = sum * square + DoubleDouble(1) / divisor
    }
    return ln2 * exponent + (s * sum).scaled(by: 2)
  }

  /// The exponent and significand of a normal positive Double, the significand near 1. m − 1 and
  /// m + 1 are exact for an FP32 x.
  @inline(__always)
  private static func split(_ x: Double) -> (exponent: Double, significand: Double) {
    // Starting the binade at about √½ (its word) centres the significand on 1.
    let offset = x.bitPattern &- 0x3FE6_A09E_0000_0000
    let exponent = Int64(bitPattern: offset) >> 52
    let significand = x.bitPattern &- UInt64(bitPattern: exponent << 52)
    return (Double(exponent), Double(bitPattern: significand))
  }
}
