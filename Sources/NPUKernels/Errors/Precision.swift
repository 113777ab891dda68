import NPUSim

/// The steps between neighbouring values of a format: what one rounding to it may move a value by.
///
/// A rounding to nearest moves a value by at most half a step of the result's binade, also where
/// it underflows gradually; taken as random and independent, by a twelfth of its square in the
/// mean square.
struct Precision: Sendable, Hashable {
  /// Bits of the fraction.
  let fraction: Int
  /// The step of the subnormals.
  let least: Double

  static let bf16 = Precision(fraction: 7, least: 0x1p-133)
  static let fp32 = Precision(fraction: 23, least: 0x1p-149)
  static let e4m3fn = Precision(fraction: 3, least: 0x1p-9)
  static let e5m2 = Precision(fraction: 2, least: 0x1p-16)

  /// Covers the roundings of FP64 in the exact values that bounds are compared with: 2^-53 of an
  /// operand each, where a rounding to FP32 has 2^-24.
  static let slack = 1 + 0x1p-20

  /// 2^(e − fraction) for a word of exponent e, at least ``least``; infinite for infinities and NaN.
  @inline(__always)
  func step(_ word: Float) -> Double {
    let exponent = Int(word.bitPattern >> 23 & 0xFF)
    if exponent == 0xFF { return .infinity }
    return max(least, Double(bitPattern: UInt64(exponent + 896 - fraction) << 52))
  }
}
