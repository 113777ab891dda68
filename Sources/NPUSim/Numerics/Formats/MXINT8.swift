/// The microscaling format MXINT8 (OCP MX v1.0): 32 signed bytes share one E8M0 scale.
///
/// A payload p under the scale byte B stands for `p · 2^(B - 133)`: the payload is a fixed-point
/// number with six fraction bits. These are the scalar definitions; ``Bulk`` has the fast paths.
public enum MXINT8 {
  /// Elements that share a scale.
  public static let blockSize = 32

  /// The number of blocks that cover `count` elements; 0 for none.
  @inlinable
  public static func blocks(_ count: Int) -> Int {
    count <= 0 ? 0 : (count - 1) / 32 + 1
  }

  /// One block from at most 32 values; a short block counts as padded with zeros, and the payload
  /// has as many elements as `values`. Elements past the 32nd are not read.
  ///
  /// With E the largest exponent field of the block: an infinity or NaN (E = 255) gives B = 0xFF
  /// and zero payloads; otherwise B = E, e = B − 127 and
  /// `p = clamp(RNE(V · 2^(6 - e)), -127, +127)` (OCP MX v1.0, section 6.3). Zeros and subnormals
  /// have E = 0, so an all-zero block has B = 0.
  public static func encodeBlock(_ values: [Float]) -> (scale: E8M0, payload: [Int8]) {
    let block = values.prefix(blockSize)
    var largest: UInt32 = 0
    for value in block { largest = max(largest, (value.bitPattern & 0x7FFF_FFFF) >> 23) }
    if largest == 0xFF { return (.nan, [Int8](repeating: 0, count: block.count)) }
    let payload = block.map { value -> Int8 in
      // A Float times a power of two is exact in Double (exponents −149 ... 261).
      let scaled = Double(value) * powerOfTwo(6 - (Int(largest) - 127))
      return Int8(min(max(Rounding.nearestInteger(scaled), -127), 127))
    }
    return (E8M0(bits: UInt8(largest)), payload)
  }

  /// The value p · 2^(B − 133) as FP32. Exact, except −128 under B = 254, which is −2^128 and
  /// overflows to −infinity. NaN for the NaN scale, whatever the payload.
  public static func decode(_ payload: Int8, scale: E8M0) -> Float {
    if scale == .nan { return FP32.canonicalNaN }
    return Float(Double(payload) * powerOfTwo(Int(scale.bits) - 133))
  }

  /// 2^exponent for −1022 ≤ exponent ≤ 1023.
  @inline(__always)
  static func powerOfTwo(_ exponent: Int) -> Double {
    Double(bitPattern: UInt64(truncatingIfNeeded: exponent &+ 1023) << 52)
  }
}
