/// A special function of the vector unit.
///
/// In mode ``SFUMode/correctlyRounded`` a result is the exact mathematical value rounded once to
/// the result's type (round to nearest, ties to even): a BF16 result never passes through FP32.
/// Nothing depends on the host's math library; sections "Special values" and "Evaluation" of
/// docs/numerics.md list the exact cases and the error bounds.
public enum SpecialFunction: String, Sendable, CaseIterable {
  /// e^x; exp(−∞) = +0.
  case exp
  /// 2^x, exact for integers.
  case exp2
  /// 1/x; reciprocal(±0) = ±∞.
  case reciprocal
  /// 1/√x; rsqrt(±0) = ±∞, NaN below zero.
  case rsqrt
  /// sin x, x in radians, for the whole range of FP32; NaN for ±∞.
  case sin
  /// cos x, x in radians, for the whole range of FP32; NaN for ±∞.
  case cos
  /// 1/(1 + e^−x).
  case sigmoid
  /// x/(1 + e^−x); silu(−∞) = −0.
  case silu
  /// ln x; log(±0) = −∞, NaN below zero.
  case log

  /// BF16 in, BF16 out.
  public func bf16(_ x: BF16, mode: SFUMode) -> BF16 {
    fp32ToBF16(x.float, mode: mode)
  }

  /// FP32 in, FP32 out.
  ///
  /// In mode ``SFUMode/expu`` exp takes x rounded to BF16 and gives its BF16 result widened, since
  /// the model knows BF16 only; reciprocal works on the FP32 word.
  public func fp32(_ x: Float, mode: SFUMode) -> Float {
    if mode == .expu {
      if self == .exp { return Expu.exp(BF16(x)).float }
      if self == .reciprocal { return Expu.reciprocal(x) }
    }
    return correctlyRoundedFP32(x)
  }

  /// FP32 in, BF16 out, rounded once from the exact value.
  ///
  /// In mode ``SFUMode/expu`` exp takes x rounded to BF16; reciprocal rounds its FP32 result.
  public func fp32ToBF16(_ x: Float, mode: SFUMode) -> BF16 {
    if mode == .expu {
      if self == .exp { return Expu.exp(BF16(x)) }
      if self == .reciprocal { return BF16(Expu.reciprocal(x)) }
    }
    return BF16(bits: UInt16(truncatingIfNeeded: correctlyRoundedBF16(x)))
  }

  /// What decided a correctly rounded result.
  public enum Decision: Sendable, CaseIterable {
    /// A value at or beyond a limit, taken from a list.
    case special
    /// The Double evaluation: no rounding boundary lies within its error bound.
    case double
    /// The double-double evaluation, or an exact value.
    case doubleDouble
    /// Neither: the word is the rounding of the double-double value, but that is not proved.
    /// No FP32 argument does that (docs/numerics.md, "Evaluation").
    case undecided
  }

  /// What decides `fp32(x)` in mode ``SFUMode/correctlyRounded``, by the general method.
  public func fp32Decision(_ x: Float) -> Decision {
    if specialValue(x) != nil { return .special }
    return quickFP32(x) != nil ? .double : correctlyRounded(x, to: .fp32).decision
  }

  /// What decides `fp32ToBF16(x)` in mode ``SFUMode/correctlyRounded``, by the general method.
  public func bf16Decision(_ x: Float) -> Decision {
    if specialValue(x) != nil { return .special }
    return quickBF16(x) != nil ? .double : correctlyRounded(x, to: .bf16).decision
  }
}
