/// The accumulator register of the matrix unit: what one addition of a block value rounds to.
public enum AccumulatorMode: String, Sendable, CaseIterable {
  /// `acc = bf16(fl32(acc + v))`: an FP32 adder in front of a BF16 register.
  case bf16
  /// `acc = fl32(acc + v)`: an FP32 register, rounded when the tile is drained.
  case fp32

  /// The accumulator after one addition, as a Float (a BF16 value in mode ``bf16``).
  /// NaN is ``FP32/canonicalNaN``; the BF16 rounding may overflow to infinity.
  public func add(_ acc: Float, _ v: Float) -> Float {
    let sum = FP32.add(acc, v)
    switch self {
    case .bf16: return BF16(sum).float
    case .fp32: return sum
    }
  }
}
