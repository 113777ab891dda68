/// A bfloat16 value: 1 sign, 8 exponent and 7 fraction bits, the upper half of an FP32 word.
///
/// Range and specials are those of FP32: infinities, NaN and gradual underflow.
public struct BF16: Hashable, Sendable {
  /// The 16-bit word, sign first.
  public var bits: UInt16

  /// The value with this word.
  public init(bits: UInt16) { self.bits = bits }

  /// The nearest BF16 value, ties to even; above the range, infinity. NaN gives 0x7FC0 with the
  /// sign of the NaN.
  public init(_ value: Float) {
    bits = UInt16(truncatingIfNeeded: Rounding.word(value, to: .bf16))
  }

  /// The same value as FP32, exactly: the word followed by sixteen zero bits.
  public var float: Float { Float(bitPattern: UInt32(bits) << 16) }
}
