/// The fast paths: branch-free loops over pointers, one pass, no allocation.
///
/// Each function gives, element by element, exactly the words of the scalar definition it names;
/// tests prove it. Pointers must cover `count` elements (nothing is touched for `count` ≤ 0).
/// Source and destination may be the same buffer only where the element sizes are equal.
public enum Bulk {
  // MARK: Widening

  /// ``BF16/float`` over an array.
  public static func bf16ToFloat(
    _ source: UnsafePointer<UInt16>, _ destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = Float(bitPattern: UInt32(source[index]) &<< 16)
      index &+= 1
    }
  }

  /// ``FP16/float`` over an array.
  public static func f16ToFloat(
    _ source: UnsafePointer<UInt16>, _ destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = Float(bitPattern: f16Widened(UInt32(source[index])))
      index &+= 1
    }
  }

  /// ``E4M3FN/float`` over an array.
  public static func e4m3fnToFloat(
    _ source: UnsafePointer<UInt8>, _ destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      let word = UInt32(source[index])
      let sign = (word & 0x80) &<< 24
      let magnitude = (word & 0x7F) &<< 20
      // A subnormal under an implicit one of weight 2^-6, which is then taken away: exact.
      let subnormal = Float(bitPattern: magnitude &+ (121 &<< 23)) - 0x1p-6
      let normal = magnitude &+ (120 &<< 23)
      var bits = word & 0x78 == 0 ? subnormal.bitPattern : normal
      bits = word & 0x7F == 0x7F ? 0x7FC0_0000 : bits
      destination[index] = Float(bitPattern: bits | sign)
      index &+= 1
    }
  }

  /// ``E5M2/float`` over an array.
  public static func e5m2ToFloat(
    _ source: UnsafePointer<UInt8>, _ destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = Float(bitPattern: f16Widened(UInt32(source[index]) &<< 8))
      index &+= 1
    }
  }

  // MARK: Narrowing

  /// ``BF16/init(_:)`` over an array.
  public static func floatToBF16(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = UInt16(truncatingIfNeeded: bf16Word(source[index].bitPattern))
      index &+= 1
    }
  }

  /// ``FP16/init(_:)`` over an array.
  public static func floatToF16(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    var index = 0
    while index < count {
      let bits = source[index].bitPattern
      let code = narrowed(
        bits & 0x7FFF_FFFF, fractionBits: 10, bias: 15, overflowFrom: 0x477F_F000,
        overflow: 0x7C00, nan: 0x7E00)
      destination[index] = UInt16(truncatingIfNeeded: code | (bits &>> 16) & 0x8000)
      index &+= 1
    }
  }

  /// ``E4M3FN/init(_:saturating:)`` over an array.
  public static func floatToE4M3FN(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt8>, count: Int,
    saturating: Bool
  ) {
    let overflow: UInt32 = saturating ? 0x7E : 0x7F
    var index = 0
    while index < count {
      let bits = source[index].bitPattern
      // The first word above the tie at 464, which still goes to the even 448.
      let code = narrowed(
        bits & 0x7FFF_FFFF, fractionBits: 3, bias: 7, overflowFrom: 0x43E8_0001,
        overflow: overflow, nan: 0x7F)
      destination[index] = UInt8(truncatingIfNeeded: code | (bits &>> 24) & 0x80)
      index &+= 1
    }
  }

  /// ``E5M2/init(_:saturating:)`` over an array.
  public static func floatToE5M2(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt8>, count: Int,
    saturating: Bool
  ) {
    let overflow: UInt32 = saturating ? 0x7B : 0x7C
    var index = 0
    while index < count {
      let bits = source[index].bitPattern
      // 61440, the tie between 57344 and 65536, goes to the even 65536: overflow.
      let code = narrowed(
        bits & 0x7FFF_FFFF, fractionBits: 2, bias: 15, overflowFrom: 0x4770_0000,
        overflow: overflow, nan: 0x7E)
      destination[index] = UInt8(truncatingIfNeeded: code | (bits &>> 24) & 0x80)
      index &+= 1
    }
  }

  // MARK: Words

  /// The BF16 word of an FP32 word: adding half a unit, less one where the kept part is even,
  /// carries exactly where rounding to nearest even goes up, through the exponent if need be.
  @inline(__always)
  static func bf16Word(_ bits: UInt32) -> UInt32 {
    let rounded = bits &+ 0x7FFF &+ ((bits &>> 16) & 1)
    let nan = (bits & 0x8000_0000) | 0x7FC0_0000
    // Comparisons are signed throughout: SSE2 has no unsigned ones.
    let isNaN = Int32(bitPattern: bits & 0x7FFF_FFFF) > 0x7F80_0000
    return UInt32(bitPattern: Int32(bitPattern: isNaN ? nan : rounded) &>> 16)
  }

  /// A float rounded to BF16 and widened again; NaN becomes the positive canonical NaN.
  @inline(__always)
  static func bf16Rounded(_ value: Float) -> Float {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7FFF &+ ((bits &>> 16) & 1)) & 0xFFFF_0000
    return Float(bitPattern: value == value ? rounded : 0x7FC0_0000)
  }

  /// The magnitude code of a narrow format for an FP32 magnitude.
  @inline(__always)
  private static func narrowed(
    _ magnitude: UInt32, fractionBits: UInt32, bias: UInt32, overflowFrom: Int32,
    overflow: UInt32, nan: UInt32
  ) -> UInt32 {
    let signed = Int32(bitPattern: magnitude)
    let shift = 23 &- fractionBits
    let half = (1 &<< (shift &- 1)) &- 1 &+ ((magnitude &>> shift) & 1)
    let normal = ((magnitude &+ half) &>> shift) &- ((127 &- bias) &<< fractionBits)
    // Below the smallest normal the unit is fixed. Adding the power of two whose own unit is
    // that one makes the FP32 adder do the rounding; its low bits are then the code.
    let anchor = (127 &+ 23 &+ 1 &- bias &- fractionBits) &<< 23
    let shifted = Float(bitPattern: magnitude) + Float(bitPattern: anchor)
    let subnormal = shifted.bitPattern &- anchor
    let smallestNormal = Int32(bitPattern: (128 &- bias) &<< 23)
    var code = signed < smallestNormal ? subnormal : normal
    code = signed >= overflowFrom ? overflow : code
    return signed > 0x7F80_0000 ? nan : code
  }

  /// The FP32 word of an FP16 word.
  @inline(__always)
  private static func f16Widened(_ word: UInt32) -> UInt32 {
    let sign = (word & 0x8000) &<< 16
    let magnitude = (word & 0x7FFF) &<< 13
    let field = word & 0x7C00
    // A subnormal under an implicit one of weight 2^-14, which is then taken away: exact.
    let subnormal = Float(bitPattern: magnitude &+ (113 &<< 23)) - 0x1p-14
    var bits = field == 0 ? subnormal.bitPattern : magnitude &+ (112 &<< 23)
    bits = field == 0x7C00 ? 0x7F80_0000 : bits
    bits = Int32(bitPattern: word & 0x7FFF) > 0x7C00 ? 0x7FC0_0000 : bits
    return bits | sign
  }
}
