/// Argument reduction for sin and cos: x = q·π/2 + angle with |angle| ≤ π/4 (very nearly).
///
/// The method of Payne and Hanek: x is an integer M times a power of two, and of the product
/// M·2/π only the bits of weight 2 and below matter. Those are computed in integers.
enum QuadrantReduction {
  /// π/2 to 107 bits.
  private static let halfPi = DoubleDouble(
    high: 0x1.921fb54442d18p+0, low: 0x1.1a62633145c07p-54)

  /// Word `index` of ⌊2/π · 2^320⌋, the lowest first; zero past the end.
  @inline(__always)
  private static func twoOverPi(_ index: Int) -> UInt64 {
    switch index {
    case 0: return 0xb724_6e3a_424d_d2e0
    case 1: return 0xfe51_63ab_debb_c561
    case 2: return 0xdb62_9599_3c43_9041
    case 3: return 0xfc27_57d1_f534_ddc0
    case 4: return 0xa2f9_836e_4e44_1529
    default: return 0
    }
  }

  /// The quadrant modulo 4 and the remaining angle of a finite value ≥ 0.
  ///
  /// 188 fraction bits of x·2/π are computed, the last 24 of them uncertain. No FP32 value comes
  /// nearer than 2^-30 to a multiple of π/2 (a scan of all), so the angle is good to 2^-100 (the
  /// double-double product with π/2), for every input.
  static func reduce(_ x: Float) -> (quadrant: Int, angle: DoubleDouble) {
    if x <= 0.785398 { return (0, DoubleDouble(Double(x))) }
    let field = Int(x.bitPattern >> 23)
    let significand = UInt64(x.bitPattern & 0x7F_FFFF | 0x80_0000)
    // x = significand · 2^(field − 150). Drop the bits of 2/π below 2^-188 of the product; those
    // that weigh 4 or more fall off the top of the 192-bit window.
    let drop = 320 - (field - 150 + 188)
    let word = drop >> 6
    let bit = UInt64(drop & 63)
    var window = (UInt64(0), UInt64(0), UInt64(0))
    if bit == 0 {
      window = (twoOverPi(word), twoOverPi(word + 1), twoOverPi(word + 2))
    } else {
      let words = (
        twoOverPi(word), twoOverPi(word + 1), twoOverPi(word + 2), twoOverPi(word + 3)
      )
      window.0 = words.0 >> bit | words.1 << (64 - bit)
      window.1 = words.1 >> bit | words.2 << (64 - bit)
      window.2 = words.2 >> bit | words.3 << (64 - bit)
    }
    // The product modulo 2^192.
    let first = window.0.multipliedFullWidth(by: significand)
    let second = window.1.multipliedFullWidth(by: significand)
    var low = first.low
    let middleSum = second.low.addingReportingOverflow(first.high)
    var middle = middleSum.partialValue
    var high = (window.2 &* significand) &+ second.high &+ (middleSum.overflow ? 1 : 0)
    // Two integer bits at 188 and 189, then the fraction.
    var quadrant = Int(high >> 60) & 3
    high &= (1 << 60) - 1
    var negative = false
    if high >> 59 == 1 {
      // More than half: the next quadrant, from below. 2^188 − fraction.
      quadrant = (quadrant + 1) & 3
      negative = true
      low = 0 &- low
      middle = 0 &- middle &- (low == 0 ? 0 : 1)
      high = (1 << 60) &- high &- (low == 0 && middle == 0 ? 0 : 1)
    }
    var fraction = exact(high).scaled(by: 0x1p128)
    fraction = fraction + exact(middle).scaled(by: 0x1p64)
    fraction = fraction + exact(low)
    let angle = fraction.scaled(by: 0x1p-188) * halfPi
    return (quadrant, negative ? -angle : angle)
  }

  /// A 64-bit integer as a sum of two Doubles.
  private static func exact(_ value: UInt64) -> DoubleDouble {
    DoubleDouble.exactSum(
      Double(value >> 32) * 0x1p32, Double(value & 0xFFFF_FFFF))
  }
}
