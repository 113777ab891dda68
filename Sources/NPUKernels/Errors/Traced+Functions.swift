import NPUSim

extension Traced {
  /// A special function of the value, rounded once to `precision`, BF16 or FP32.
  func applying(_ function: SpecialFunction, to precision: Precision = .fp32, mode: SFUMode)
    -> Traced
  {
    let model = mode == .expu ? function.model : nil
    // The modelled exponential knows BF16 arguments only.
    let x = model != nil && function == .exp ? bf16 : self
    let at = Double(x.word)
    let exact = function.exact(x.exact)
    var result = Traced(
      word: precision == .bf16
        ? function.fp32ToBF16(word, mode: mode).float : function.fp32(word, mode: mode),
      exact: exact, bound: function.movement(at, by: x.bound),
      end: x.end == x.exact ? exact : function.exact(x.end), variance: 0)
    if x.variance != 0 {
      let slope = function.slope(at)
      result.variance = slope * slope * x.variance
    }
    guard let model else { return result.afterRounding(precision) }
    let value = function.exact(at)
    if result.word.isFinite {
      result.bound += model.largest * value.magnitude + model.flushed
      result.variance += (model.rms * value) * (model.rms * value)
      // The model of exp gives BF16 itself.
      return precision == .bf16 && function != .exp ? result.afterRounding(.bf16) : result
    }
    if value == Double(result.word) { return result }
    result.bound = .infinity
    result.variance = .infinity
    return result
  }
}

extension SpecialFunction {
  /// How far the integer model of a function is from it.
  struct Model {
    /// The largest and the root-mean-square relative error.
    let largest: Double
    let rms: Double
    /// Results below it may be anything down to zero.
    let flushed: Double
  }

  /// The errors of ``SFUMode/expu``, measured over all arguments: exp over the 65,536 words of BF16
  /// (its root mean square for 0.1 < |x| < 85), reciprocal over every fraction of FP32.
  var model: Model? {
    switch self {
    case .exp: Model(largest: 0x1.2p-7, rms: 0x1.4p-9, flushed: 0x1p-126)
    case .reciprocal: Model(largest: 0x1.dp-15, rms: 0x1.6p-16, flushed: 0x1p-125)
    default: nil
    }
  }

  /// The function in FP64.
  func exact(_ x: Double) -> Double {
    switch self {
    case .exp: ReferenceMath.exp(x)
    case .exp2: ReferenceMath.exp2(x)
    case .reciprocal: 1 / x
    case .rsqrt: 1 / x.squareRoot()
    case .sin: ReferenceMath.sin(x)
    case .cos: ReferenceMath.cos(x)
    case .sigmoid: 1 / (1 + ReferenceMath.exp(-x))
    case .silu: x == -.infinity ? 0 : x / (1 + ReferenceMath.exp(-x))
    case .log: ReferenceMath.log(x)
    }
  }

  /// The derivative.
  func slope(_ x: Double) -> Double {
    switch self {
    case .exp: return exact(x)
    case .exp2: return exact(x) * Self.ln2
    case .reciprocal: return -1 / (x * x)
    case .rsqrt: return -0.5 / (x * x.squareRoot())
    case .sin: return ReferenceMath.cos(x)
    case .cos: return -ReferenceMath.sin(x)
    case .sigmoid:
      let y = exact(x)
      return y * (1 - y)
    case .silu:
      let y = SpecialFunction.sigmoid.exact(x)
      return y * (1 + x * (1 - y))
    case .log: return 1 / x
    }
  }

  /// A bound on |f(x) − f(y)| over |x − y| ≤ `bound`: what a monotone function does at the end where it
  /// is steepest, or the largest slope.
  func movement(_ x: Double, by bound: Double) -> Double {
    if bound == 0 { return 0 }
    switch self {
    case .exp: return exact(x + bound) - exact(x) + exact(x) * 0x1p-50
    case .exp2: return exact(x + bound) - exact(x) + exact(x) * 0x1p-50
    case .reciprocal:
      return bound < x.magnitude ? bound / (x.magnitude * (x.magnitude - bound)) : .infinity
    case .rsqrt: return bound < x ? exact(x - bound) - exact(x) + exact(x) * 0x1p-50 : .infinity
    case .sin, .cos: return min(2, bound)
    case .sigmoid: return min(1, bound / 4)
    case .silu: return 1.1 * bound
    case .log: return bound < x ? -ReferenceMath.log(1 - bound / x) : .infinity
    }
  }

  /// ln 2 in FP64.
  static let ln2 = 0.693147180559945309
}
