/// 1/√x of a positive finite FP32 value, by arithmetic alone.
///
/// The standard library's square root is a call to the host's math library in unoptimised builds.
enum ReciprocalRoot {
  /// 1/√x, relative error below 2^-49.
  ///
  /// A Double's word is nearly a multiple of its logarithm, so the linear map of words that takes
  /// log x to −½·log x starts within 9 %. A Newton step takes an error d to 1.5·d² + 0.5·d³: 1.3 %,
  /// 2.5e-4, 9.4e-8, 1.4e-14, and then only the roundings of the last step remain.
  @inline(__always)
  static func rsqrt(_ x: Double) -> Double {
    var y = Double(bitPattern: 0x5FE8_0000_0000_0000 &- (x.bitPattern &>> 1))
    let half = 0.5 * x
    y = y * (1.5 - half * y * y)
    y = y * (1.5 - half * y * y)
    y = y * (1.5 - half * y * y)
    y = y * (1.5 - half * y * y)
    return y * (1.5 - half * y * y)
  }

  /// 1/√x in double-double, relative error below 2^-96.
  ///
  /// With y from ``rsqrt(_:)`` and z = 1 − x·y² (below 2^-48, kept to 2^-100),
  /// 1/√x = y·(1 − z)^(-1/2) = y·(1 + z/2 + 3z²/8 + …), the next term below 2^-145.
  ///
  /// This decides every rounding: a boundary c of FP32 has 25 bits and c²·x ≠ 1, so c²·x differs
  /// from 1 by at least 2^-75.
  static func refinedRSqrt(_ x: Double) -> DoubleDouble {
    let y = rsqrt(x)
    let z = DoubleDouble(1) - DoubleDouble.exactProduct(y, y) * x
    let correction = z.scaled(by: 0.5) + 0.375 * z.high * z.high
    return correction * y + y
  }
}
