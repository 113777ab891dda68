/// sin and cos of a finite FP32 value of any size, by exact integer argument reduction.
enum Trigonometry {
  /// sin x, relative error below 2^-48.
  static func sin(_ x: Double) -> Double {
    let (quadrant, angle) = reduce(x.magnitude)
    let value = quadrant & 1 == 0 ? sine(angle) : cosine(angle)
    return (quadrant & 2 == 0) == (x >= 0) ? value : -value
  }

  /// cos x, relative error below 2^-48.
  static func cos(_ x: Double) -> Double {
    let (quadrant, angle) = reduce(x.magnitude)
    let value = quadrant & 1 == 0 ? cosine(angle) : sine(angle)
    return quadrant == 0 || quadrant == 3 ? value : -value
  }

  /// sin x in double-double, relative error below 2^-96, for |x| ≥ 2^-100.
  static func refinedSin(_ x: Double) -> DoubleDouble {
    let (quadrant, angle) = QuadrantReduction.reduce(Float(x.magnitude))
    let value = quadrant & 1 == 0 ? sine(angle) : cosine(angle)
    return (quadrant & 2 == 0) == (x >= 0) ? value : -value
  }

  /// cos x in double-double, relative error below 2^-96.
  static func refinedCos(_ x: Double) -> DoubleDouble {
    let (quadrant, angle) = QuadrantReduction.reduce(Float(x.magnitude))
    let value = quadrant & 1 == 0 ? cosine(angle) : sine(angle)
    return quadrant == 0 || quadrant == 3 ? value : -value
  }

  /// π/2 in three parts: 33 bits, 33 bits, and the rest to 2^-122.
  private static let halfPiHead = 0x1.921fb54400000p+0
  private static let halfPiMiddle = 0x1.0b4611a600000p-34
  private static let halfPiTail = 0x1.3198a2e037073p-69
  private static let twoOverPi = 0x1.45f306dc9c883p-1

  /// The quadrant modulo 4 and the remaining angle of an FP32 value ≥ 0, relative error below
  /// 2^-51.
  ///
  /// Below 2^20 in Double (Cody and Waite): the products of k < 2^20 with the first two parts are
  /// exact, and so is the first difference, a multiple of 2^-32. The angle is at least 2^-30 for
  /// k > 0 (``QuadrantReduction/reduce(_:)``), so what the parts lack, k · 2^-122, is nothing.
  @inline(__always)
  private static func reduce(_ x: Double) -> (quadrant: Int, angle: Double) {
    if x < 0x1p20 {
      let k = Rounding.nearestInteger(x * twoOverPi)
      let angle = ((x - k * halfPiHead) - k * halfPiMiddle) - k * halfPiTail
      return (Int(k) & 3, angle)
    }
    let (quadrant, angle) = QuadrantReduction.reduce(Float(x))
    return (quadrant, angle.high)
  }

  /// sin r for |r| ≤ 0.7855 through r^17/17!; the rest is below 2^-62 of the result.
  @inline(__always)
  private static func sine(_ r: Double) -> Double {
    let square = r * r
    var sum = 1.0 / 355_687_428_096_000
    sum = sum * square - 1.0 / 1_307_674_368_000
    sum = sum * square + 1.0 / 6_227_020_800
    sum = sum * square - 1.0 / 39_916_800
    sum = sum * square + 1.0 / 362_880
    sum = sum * square - 1.0 / 5_040
    sum = sum * square + 1.0 / 120
    sum = sum * square - 1.0 / 6
    return r + r * (square * sum)
  }

  /// cos r for |r| ≤ 0.7855 through r^16/16!; the rest is below 2^-58 of the result.
  @inline(__always)
  private static func cosine(_ r: Double) -> Double {
    let square = r * r
    var sum = 1.0 / 20_922_789_888_000
    sum = sum * square - 1.0 / 87_178_291_200
    sum = sum * square + 1.0 / 479_001_600
    sum = sum * square - 1.0 / 3_628_800
    sum = sum * square + 1.0 / 40_320
    sum = sum * square - 1.0 / 720
    sum = sum * square + 1.0 / 24
    sum = sum * square - 0.5
    return sum * square + 1
  }

  /// sin r in double-double through r^29/29!; the rest is below 2^-120 of the result.
  private static func sine(_ r: DoubleDouble) -> DoubleDouble {
    let square = r * r
    var sum = DoubleDouble(1)
    for index in stride(from: 28.0, through: 2, by: -2) {
      sum = DoubleDouble(1) - square * sum / (index * (index + 1))
    }
    return r * sum
  }

  /// cos r in double-double through r^28/28!; the rest is below 2^-115 of the result.
  private static func cosine(_ r: DoubleDouble) -> DoubleDouble {
    let square = r * r
    var sum = DoubleDouble(1)
    for index in stride(from: 27.0, through: 1, by: -2) {
      sum = DoubleDouble(1) - square * sum / (index * (index + 1))
    }
    return sum
  }
}
