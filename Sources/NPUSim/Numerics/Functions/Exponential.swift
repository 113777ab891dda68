/// e^x and 2^x for −256 < x < 256, without tables.
///
/// Both write the result as 2^k · e^r with |r| ≤ ln2/2 and sum the Taylor series of e^r.
enum Exponential {
  /// 1/ln 2.
  private static let log2E = 0x1.71547652b82fep+0
  /// ln 2 in two parts, the first of 42 bits: its product with |k| < 2^11 is exact.
  private static let ln2Head = 0x1.62e42fefa3800p-1
  private static let ln2Tail = 0x1.ef35793c76730p-45
  /// ln 2 to 107 bits.
  private static let ln2 = DoubleDouble(high: 0x1.62e42fefa39efp-1, low: 0x1.abc9e3b39803fp-56)

  /// e^x, relative error below 2^-50: r is off by less than 2^-54, the series (``taylor(_:)``) by
  /// 2^-51.
  @inline(__always)
  static func exp(_ x: Double) -> Double {
    let k = Rounding.nearestInteger(x * log2E)
    let r = (x - k * ln2Head) - k * ln2Tail
    return taylor(r) * MXINT8.powerOfTwo(Int(k))
  }

  /// 2^x, relative error below 2^-50; exact for an integer x, where r = 0.
  @inline(__always)
  static func exp2(_ x: Double) -> Double {
    let k = Rounding.nearestInteger(x)
    return taylor((x - k) * ln2.high) * MXINT8.powerOfTwo(Int(k))
  }

  /// e^x in double-double, relative error below 2^-96: k·ln2 is off by less than 2^-97.
  static func exp(_ x: DoubleDouble) -> DoubleDouble {
    let k = Rounding.nearestInteger(x.high * log2E)
    return taylor(x - ln2 * k).scaled(by: MXINT8.powerOfTwo(Int(k)))
  }

  /// 2^x in double-double, relative error below 2^-98.
  static func refinedExp2(_ x: Double) -> DoubleDouble {
    let k = Rounding.nearestInteger(x)
    return taylor(ln2 * (x - k)).scaled(by: MXINT8.powerOfTwo(Int(k)))
  }

  /// e^r for |r| ≤ 0.3466 through r^12/12!. The rest of the series is below 1.8e-16 = 2^-52.3,
  /// rounding below 2^-52 since the leading term dominates.
  @inline(__always)
  private static func taylor(_ r: Double) -> Double {
    var sum = 1.0 / 479_001_600
    sum = sum * r + 1.0 / 39_916_800
    sum = sum * r + 1.0 / 3_628_800
    sum = sum * r + 1.0 / 362_880
    sum = sum * r + 1.0 / 40_320
    sum = sum * r + 1.0 / 5_040
    sum = sum * r + 1.0 / 720
    sum = sum * r + 1.0 / 120
    sum = sum * r + 1.0 / 24
    sum = sum * r + 1.0 / 6
    sum = sum * r + 0.5
    sum = sum * r + 1
    return sum * r + 1
  }

  /// e^r for |r| ≤ 0.3466 through r^24/24!: 1 + r/1·(1 + r/2·(1 + r/3·(…))). The rest is below
  /// 2^-121, rounding below 2^-99.
  private static func taylor(_ r: DoubleDouble) -> DoubleDouble {
    var sum = DoubleDouble(1)
    for divisor in stride(from: 24.0, through: 1, by: -1) {
      sum = r * sum / divisor + 1
    }
    return sum
  }
}
