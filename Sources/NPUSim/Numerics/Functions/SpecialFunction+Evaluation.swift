extension SpecialFunction {
  /// Relative error bound of ``approximate(_:)``. The evaluations stay below 2^-48 (see each);
  /// the slack costs nothing, since so few values lie this near to a rounding boundary.
  static var approximationBound: Double { 0x1p-46 }

  /// Relative error bound of ``refine(_:)``; the evaluations stay below 2^-95.
  static var refinementBound: Double { 0x1p-90 }

  /// From here on e^−|x| is below 2^-72: far less than the distance from 1 or from x to any
  /// rounding boundary they do not lie on.
  private static var saturation: Double { 50 }

  /// Below this |x|, sin x and silu x differ from x and x/2 by less than any distance to a
  /// rounding boundary they do not lie on.
  private static var tiny: Double { 0x1p-40 }

  /// The definition: special values first, then Double, then double-double.
  func correctlyRounded(
    _ x: Float, to layout: Rounding.Layout
  ) -> (word: UInt32, decision: Decision) {
    if let value = specialValue(x) { return (Rounding.word(value, to: layout), .special) }
    let value = approximate(Double(x))
    let below = Rounding.word(value * (1 - Self.approximationBound), to: layout)
    let above = Rounding.word(value * (1 + Self.approximationBound), to: layout)
    if below == above { return (above, .double) }
    return refined(Double(x), to: layout)
  }

  /// The FP32 result: ``correctlyRounded(_:to:)``, with the hardware's conversion for the part
  /// that Double decides. The reciprocal is an IEEE division.
  @inline(__always)
  func correctlyRoundedFP32(_ x: Float) -> Float {
    if self == .reciprocal { return FP32.div(1, x) }
    if let value = specialValue(x) { return value }
    return quickFP32(x) ?? Float(bitPattern: correctlyRounded(x, to: .fp32).word)
  }

  /// The BF16 word: ``correctlyRounded(_:to:)`` with a quick way for the part Double decides.
  @inline(__always)
  func correctlyRoundedBF16(_ x: Float) -> UInt32 {
    if let value = specialValue(x) { return Bulk.bf16Word(value.bitPattern) }
    return quickBF16(x) ?? correctlyRounded(x, to: .bf16).word
  }

  /// The FP32 result where both ends of the Double evaluation's error interval round to it.
  @inline(__always)
  func quickFP32(_ x: Float) -> Float? {
    let value = approximate(Double(x))
    let below = Float(value * (1 - Self.approximationBound))
    let above = Float(value * (1 + Self.approximationBound))
    return below == above ? above : nil
  }

  /// The BF16 word where both ends of the error interval round to it through FP32.
  ///
  /// Every BF16 boundary is an FP32 value with the low half 0x8000, and rounding to FP32 never
  /// crosses one. So if neither end lands on a boundary, both stay on their side of it.
  @inline(__always)
  func quickBF16(_ x: Float) -> UInt32? {
    let value = approximate(Double(x))
    let below = Float(value * (1 - Self.approximationBound)).bitPattern
    let above = Float(value * (1 + Self.approximationBound)).bitPattern
    let word = Bulk.bf16Word(above)
    let onBoundary = below & 0xFFFF == 0x8000 || above & 0xFFFF == 0x8000
    return onBoundary || Bulk.bf16Word(below) != word ? nil : word
  }

  /// The second half of the definition, for a finite x without a special value.
  func refined(
    _ x: Double, to layout: Rounding.Layout
  ) -> (word: UInt32, decision: Decision) {
    let (value, isExact) = refine(x)
    let word = Rounding.word(value, to: layout)
    if isExact { return (word, .doubleDouble) }
    let margin = value.high * Self.refinementBound
    let below = Rounding.word(value + -margin, to: layout)
    let above = Rounding.word(value + margin, to: layout)
    return (word, below == above ? .doubleDouble : .undecided)
  }

  /// The results that need no evaluation: NaN, infinities, zeros, and values so far out that
  /// every format gives an infinity or a zero. `nil` for everything else.
  @inline(__always)
  func specialValue(_ x: Float) -> Float? {
    if x != x { return FP32.canonicalNaN }
    switch self {
    case .exp, .exp2:
      // FP32 overflows from 2^128 and underflows below 2^-150.
      if x > 200 { return .infinity }
      return x < -200 ? 0 : nil
    case .reciprocal:
      return x == 0 || x.bitPattern & 0x7FFF_FFFF == 0x7F80_0000 ? FP32.div(1, x) : nil
    case .rsqrt:
      if x == 0 { return FP32.div(1, x) }
      if x < 0 { return FP32.canonicalNaN }
      return x == .infinity ? 0 : nil
    case .sin:
      if x == 0 { return x }
      return x.bitPattern & 0x7FFF_FFFF == 0x7F80_0000 ? FP32.canonicalNaN : nil
    case .cos:
      if x == 0 { return 1 }
      return x.bitPattern & 0x7FFF_FFFF == 0x7F80_0000 ? FP32.canonicalNaN : nil
    case .sigmoid:
      if x == .infinity { return 1 }
      return x < -200 ? 0 : nil
    case .silu:
      if x == 0 || x == .infinity { return x }
      return x < -200 ? -0.0 : nil
    case .log:
      if x == 0 { return -.infinity }
      if x < 0 { return FP32.canonicalNaN }
      if x == 1 { return 0 }
      return x == .infinity ? x : nil
    }
  }

  /// The function in Double, relative error below ``approximationBound``, for an FP32 value
  /// without a special value.
  @inline(__always)
  func approximate(_ x: Double) -> Double {
    switch self {
    case .exp: return Exponential.exp(x)
    case .exp2: return Exponential.exp2(x)
    case .reciprocal: return 1 / x
    case .rsqrt: return ReciprocalRoot.rsqrt(x)
    case .sin: return Trigonometry.sin(x)
    case .cos: return Trigonometry.cos(x)
    case .sigmoid: return x > Self.saturation ? 1 : 1 / (1 + Exponential.exp(-x))
    case .silu: return x > Self.saturation ? x : x / (1 + Exponential.exp(-x))
    case .log: return Logarithm.log(x)
    }
  }

  /// The function in double-double, relative error below ``refinementBound``; or, marked exact, a
  /// value that every format of at most 24 significant bits rounds like the true one.
  func refine(_ x: Double) -> (value: DoubleDouble, isExact: Bool) {
    let argument = DoubleDouble(x)
    let one = DoubleDouble(1)
    switch self {
    case .exp:
      return (Exponential.exp(argument), false)
    case .exp2:
      let value = Exponential.exp2(x)
      let isInteger = Rounding.nearestInteger(x) == x
      return isInteger ? (DoubleDouble(value), true) : (Exponential.refinedExp2(x), false)
    case .reciprocal:
      return (one / argument, false)
    case .rsqrt:
      return (ReciprocalRoot.refinedRSqrt(x), false)
    case .sin:
      // x − x³/6 …: nearer to zero than x.
      if x.magnitude < Self.tiny { return (DoubleDouble(high: x, low: -x * 0x1p-60), true) }
      return (Trigonometry.refinedSin(x), false)
    case .cos:
      return (Trigonometry.refinedCos(x), false)
    case .sigmoid:
      if x > Self.saturation { return (DoubleDouble(high: 1, low: -0x1p-70), true) }
      return (one / (Exponential.exp(-argument) + 1), false)
    case .silu:
      // x/2 + x²/4 …: above x/2 on both sides.
      if x.magnitude < Self.tiny {
        return (DoubleDouble(high: x / 2, low: x.magnitude * 0x1p-80), true)
      }
      if x > Self.saturation { return (DoubleDouble(high: x, low: -x * 0x1p-70), true) }
      return (argument / (Exponential.exp(-argument) + 1), false)
    case .log:
      return (Logarithm.refinedLog(x), false)
    }
  }
}
