/// The OCP 8-bit format E5M2, the upper half of an FP16 word: bias 15.
///
/// Largest finite value ±57344 (0x7B), smallest subnormal 2^-16, infinity 0x7C, NaN 0x7D...0x7F.
public struct E5M2: Hashable, Sendable {
  /// The 8-bit word, sign first.
  public var bits: UInt8

  /// The value with this word.
  public init(bits: UInt8) { self.bits = bits }

  /// The nearest E5M2 value, ties to even. NaN gives 0x7E with its sign.
  ///
  /// - Parameter saturating: finite overflow and infinities give ±57344. Without it everything
  ///   from 61440 on gives infinity.
  public init(_ value: Float, saturating: Bool) {
    bits = UInt8(truncatingIfNeeded: Rounding.word(value, to: .e5m2, saturating: saturating))
  }

  /// The same value as FP32, exactly. Every NaN gives 0x7FC00000 with its sign.
  public var float: Float { FP16(bits: UInt16(bits) << 8).float }
}
