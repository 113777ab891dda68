/// The OCP scale format E8M0: a biased exponent byte `B` with the value `2^(B - 127)`.
///
/// Range 2^-127 ... 2^127; no sign and no zero; 0xFF is NaN.
public struct E8M0: Hashable, Sendable {
  /// The exponent byte.
  public var bits: UInt8

  /// How a magnitude between two powers of two is rounded.
  public enum Mode: String, Sendable, CaseIterable {
    /// To the power of two at or below.
    case floor
    /// To the power of two at or above.
    case ceil
    /// To the nearer power of two; the tie at 1.5 · 2^k goes up.
    case nearest
  }

  /// The NaN byte.
  public static let nan = E8M0(bits: 0xFF)

  /// The scale with this byte.
  public init(bits: UInt8) { self.bits = bits }

  /// The scale for |value|. NaN and infinity give NaN; zero and magnitudes below 2^-127 give
  /// 0x00 in every mode; magnitudes above 2^127 give 0xFE in every mode.
  public init(_ value: Float, mode: Mode) {
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    if magnitude >= 0x7F80_0000 {
      self = .nan
      return
    }
    // 2^-127 is a subnormal of FP32: its word is 0x00400000, that of 1.5 · 2^-127 0x00600000.
    if magnitude < 0x0080_0000 {
      switch mode {
      case .floor: bits = 0
      case .ceil: bits = magnitude > 0x0040_0000 ? 1 : 0
      case .nearest: bits = magnitude >= 0x0060_0000 ? 1 : 0
      }
      return
    }
    let field = magnitude >> 23
    let fraction = magnitude & 0x7F_FFFF
    let up: Bool
    switch mode {
    case .floor: up = false
    case .ceil: up = fraction != 0
    case .nearest: up = fraction >= 0x40_0000
    }
    bits = UInt8(truncatingIfNeeded: min(field + (up ? 1 : 0), 0xFE))
  }

  /// The value 2^(B - 127) as FP32, exactly (B = 0 is the subnormal 2^-127); NaN for 0xFF.
  public var float: Float {
    if bits == 0xFF { return FP32.canonicalNaN }
    return Float(bitPattern: bits == 0 ? 0x0040_0000 : UInt32(bits) << 23)
  }
}
