/// FP8 with one scale for each block of 128 elements: how cache rows are quantised.
///
/// Two rules make the scale, each with its own rule for the codes: an FP32 scale (quant mode 1)
/// and an E8M0 scale (quant mode 0). A block may be short.
public enum FP8Block {
  /// Elements of a block.
  public static let blockSize = 128

  /// Blocks of `count` elements.
  public static func blocks(_ count: Int) -> Int { (count + blockSize - 1) / blockSize }

  /// The format of the codes.
  public enum Format: String, Sendable, CaseIterable {
    case e4m3fn, e5m2

    /// The largest finite value: 448 or 57344.
    public var largest: Float { self == .e4m3fn ? 448 : 57344 }

    /// 1 / ``largest`` as FP32: 0x3b124925 or 0x37924925.
    public var reciprocal: Float { Float(bitPattern: self == .e4m3fn ? 0x3B12_4925 : 0x3792_4925) }

    /// The code of a value, RNE.
    public func code(_ value: Float, saturating: Bool) -> UInt8 {
      switch self {
      case .e4m3fn: E4M3FN(value, saturating: saturating).bits
      case .e5m2: E5M2(value, saturating: saturating).bits
      }
    }

    /// The value of a code.
    public func value(_ code: UInt8) -> Float {
      switch self {
      case .e4m3fn: E4M3FN(bits: code).float
      case .e5m2: E5M2(bits: code).float
      }
    }
  }

  /// How the scale of a block is made.
  public enum ScaleRule: Sendable, Hashable {
    /// FP32 (quant mode 1).
    case fp32
    /// E8M0 (quant mode 0); `roundsUp` gives the smallest power of two that is not below the exact
    /// scale and divides by it; otherwise the division uses the exact scale and the stored byte is
    /// its exponent.
    case e8m0(roundsUp: Bool)
  }

  /// The largest magnitude among the finite values; 0 if there is none.
  public static func finiteMaximum(_ values: some Sequence<Float>) -> Float {
    var largest: Float = 0
    for value in values where value.isFinite { largest = Swift.max(largest, value.magnitude) }
    return largest
  }

  /// Quant mode 1: `scale = fl32(amax · C)`, `code = RNE(fl32(x / scale))`, not saturating.
  ///
  /// amax is taken over the finite elements. A quotient that is not finite is replaced by x
  /// itself: NaN and infinities keep their kind where the format has it, and a block of zeros has
  /// scale +0 and codes ±0. Where the product underflows, codes may be infinite (E5M2) by this rule.
  public static func encode(_ values: [Float], format: Format) -> (scale: Float, codes: [UInt8]) {
    let scale = FP32.mul(finiteMaximum(values), format.reciprocal)
    let codes = values.map { x in
      let quotient = FP32.div(x, scale)
      return format.code(quotient.isFinite ? quotient : x, saturating: false)
    }
    return (scale, codes)
  }

  /// Quant mode 0: from `s = fl32(max(amax, 1e-4) · C)` with exponent field E and mantissa M,
  /// the scale byte is E + (M ≠ 0) with `roundsUp`, and x is divided by that power of two;
  /// otherwise the byte is E and x is divided by s. Codes saturate.
  ///
  /// The operation is defined for finite values; here infinities saturate and NaN stays NaN.
  public static func encode(_ values: [Float], format: Format, roundsUp: Bool) -> (
    scale: E8M0, codes: [UInt8]
  ) {
    let exact = FP32.mul(FP32.max(finiteMaximum(values), 1e-4), format.reciprocal)
    let scale = E8M0(exact, mode: roundsUp ? .ceil : .floor)
    let divisor = roundsUp ? scale.float : exact
    return (scale, values.map { format.code(FP32.div($0, divisor), saturating: true) })
  }

  /// `fl32(code · scale)`.
  public static func decode(_ code: UInt8, format: Format, scale: Float) -> Float {
    FP32.mul(format.value(code), scale)
  }
}
