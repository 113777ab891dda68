import NPUSim

/// The frequencies of rotary position embedding: inv_i = theta^(−2i/d) for i = 0 … d/2 − 1, correctly
/// rounded to FP32, rescaled for long contexts where asked for.
///
/// No math library decides a bit. In fixed point with 127 fraction bits, theta^(−2/d) is found bit by
/// bit from its (d/2)-th power and multiplied up; each value errs by less than d/2 · 2^-126, and an
/// exact value never lies half way between two words: theta^(−2i/d) = m/2^k in lowest terms with
/// theta^(−1) no dyadic fraction but a power of two leaves m = 1.
enum RotaryFrequencies {
  private static let one = UInt128(1) << 127

  /// The words of a head of `headDim` columns.
  ///
  /// `theta` lies from 1 to 2^40. With `scaling` the rule of Llama 3 applies, in FP64 with one
  /// rounding of the result, λ = 2π / inv being the wavelength and c the original context: inv where
  /// λ < c / high, inv / factor where λ > c / low, and between the two
  /// (1 − s) · inv / factor + s · inv with s = (c / λ − low) / (high − low).
  static func words(headDim: Int, theta: Double, scaling: Model.RopeScaling?) -> [Float] {
    let half = headDim / 2
    let root = root(of: reciprocal(theta), degree: half)
    var value = one
    var words: [Float] = []
    for _ in 0..<half {
      if let scaling {
        words.append(scaled(double(value), fp32: float(value), scaling))
      } else {
        words.append(float(value))
      }
      value = product(value, root)
    }
    return words
  }

  private static func scaled(_ inverse: Double, fp32: Float, _ scaling: Model.RopeScaling) -> Float
  {
    let context = Double(scaling.originalContext)
    let wavelength = 2 * Double.pi / inverse
    if wavelength < context / scaling.high { return fp32 }
    if wavelength > context / scaling.low { return Float(inverse / scaling.factor) }
    let share = (context / wavelength - scaling.low) / (scaling.high - scaling.low)
    return Float((1 - share) * inverse / scaling.factor + share * inverse)
  }

  // MARK: Fixed point, 127 fraction bits

  /// a · b, truncated; both at most 1.
  private static func product(_ a: UInt128, _ b: UInt128) -> UInt128 {
    let (high, low) = a.multipliedFullWidth(by: b)
    return high << 1 | low >> 127
  }

  /// base^exponent by squaring.
  private static func power(_ base: UInt128, _ exponent: Int) -> UInt128 {
    var result = one
    var factor = base
    var rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result = product(result, factor) }
      factor = product(factor, factor)
      rest >>= 1
    }
    return result
  }

  /// 1 / theta for 1 ≤ theta ≤ 2^40.
  private static func reciprocal(_ theta: Double) -> UInt128 {
    let exponent = Int(theta.exponent)
    let significand = UInt128(theta.significandBitPattern | 1 << 52)
    // 2^127 / (significand · 2^(exponent − 52)), whose upper word is below the divisor.
    return significand.dividingFullWidth((UInt128(1) << UInt128(51 - exponent), 0)).quotient
  }

  /// The largest value whose power does not exceed `target`.
  private static func root(of target: UInt128, degree: Int) -> UInt128 {
    var root: UInt128 = 0
    for bit in (0...127).reversed() {
      let candidate = root | UInt128(1) << UInt128(bit)
      if candidate <= one, power(candidate, degree) <= target { root = candidate }
    }
    return root
  }

  /// The nearest value of `bits` significant bits, as a whole number and the weight of its last bit.
  private static func nearest(_ value: UInt128, bits: Int) -> (digits: UInt128, exponent: Int) {
    let shift = max(0, 128 - value.leadingZeroBitCount - bits)
    let half = shift == 0 ? 0 : UInt128(1) << UInt128(shift - 1)
    return ((value + half) >> UInt128(shift), shift - 127)
  }

  private static func float(_ value: UInt128) -> Float {
    let (digits, exponent) = nearest(value, bits: 24)
    return Float(sign: .plus, exponent: exponent, significand: Float(digits))
  }

  private static func double(_ value: UInt128) -> Double {
    let (digits, exponent) = nearest(value, bits: 53)
    return Double(sign: .plus, exponent: exponent, significand: Double(digits))
  }
}
