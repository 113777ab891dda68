/// The block-scale multiply-accumulate of the matrix unit: exact integer dot products of
/// 32-element MXINT8 blocks, scaled, and added in ascending order of the contraction index.
public enum BlockMAC {
  /// The value of one block product: `s · 2^(Ba + Bb - 266)`, rounded once to FP32.
  ///
  /// Rounding happens only where the result is subnormal; above the range it is an infinity.
  /// NaN if either scale is NaN, even for s = 0.
  /// - Parameter sum: Σ aᵢ·bᵢ of the block; |s| ≤ 32 · 128² = 524288.
  public static func value(sum: Int32, a: E8M0, b: E8M0) -> Float {
    if a == .nan || b == .nan { return FP32.canonicalNaN }
    // Exact in Double: 20 significant bits, exponents −266 ... 261.
    return Float(Double(sum) * MXINT8.powerOfTwo(Int(a.bits) + Int(b.bits) - 266))
  }

  /// One output element: the chain over all blocks of two vectors of k payloads, from `initial`.
  ///
  /// - Parameters:
  ///   - a: k payloads, blocked from index 0 in blocks of 32, the last one short if need be.
  ///   - aScale: ⌈k/32⌉ scales.
  ///   - b: k payloads.
  ///   - bScale: ⌈k/32⌉ scales.
  ///   - initial: the accumulator before the first block; +0 starts a chain.
  /// - Returns: the accumulator after the last block; `initial` if k is 0. Elements that one of
  ///   the four arrays lacks are not part of the chain.
  public static func dot(
    _ a: [Int8], _ aScale: [E8M0], _ b: [Int8], _ bScale: [E8M0], mode: AccumulatorMode,
    initial: Float = 0
  ) -> Float {
    let k = min(a.count, b.count)
    var acc = initial
    for block in 0..<min(MXINT8.blocks(k), aScale.count, bScale.count) {
      var sum: Int32 = 0
      for index in block * 32..<min(block * 32 + 32, k) {
        sum += Int32(a[index]) * Int32(b[index])
      }
      acc = mode.add(acc, value(sum: sum, a: aScale[block], b: bScale[block]))
    }
    return acc
  }
}
