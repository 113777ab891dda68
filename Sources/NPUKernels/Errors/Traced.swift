import NPUSim

/// A value of the datapath with what it stands for: references are written over these, and every
/// operation carries exact values, a bound and an expected error along with the word.
///
/// With a word x̂, its exact value x and |x̂ − x| ≤ b, an operation f gives |f(x̂) − f(x)| from b and
/// the slope of f, and half a step of its result for its one rounding (``Precision``). Expected errors
/// are propagated to first order, as if those of the operands were independent.
struct Traced: Sendable {
  /// What the datapath holds.
  var word: Float
  /// The exact value of the present stage, for the words that it was given.
  var exact: Double
  /// A bound on |word − exact|.
  var bound: Double
  /// The exact value for the inputs of the run.
  var end: Double
  /// The expected square of word − end.
  var variance: Double

  @inline(__always)
  init(word: Float, exact: Double, bound: Double, end: Double, variance: Double) {
    self.word = word
    self.exact = exact
    self.bound = bound
    self.end = end
    self.variance = variance
  }

  /// A word that is exact: an input, or a constant of the definition.
  init(_ word: Float) {
    self.init(word: word, exact: Double(word), bound: 0, end: Double(word), variance: 0)
  }

  /// A word that stands for `exact`, off by what is known.
  init(_ word: Float, for exact: Double) {
    let error = (Double(word) - exact).magnitude
    self.init(word: word, exact: exact, bound: error, end: exact, variance: error * error)
  }

  /// The figures that a comparison takes.
  var figure: ErrorFigure {
    ErrorFigure(
      exact: exact, bound: bound.isNaN ? .infinity : bound, end: end, variance: variance)
  }

  /// The value as the next stage is given it: its word is exact, whatever led to it.
  var given: Traced {
    Traced(word: word, exact: Double(word), bound: 0, end: end, variance: variance)
  }

  /// The same with what the word is off by in the place of the bound, where that is less: for a step
  /// inside a stage, of which the reference knows both.
  var measured: Traced {
    var result = self
    result.bound = min(bound, (Double(word) - exact).magnitude * Precision.slack)
    return result
  }

  // MARK: Operations, each rounded once to FP32

  @inline(__always)
  static func add(_ a: Traced, _ b: Traced) -> Traced {
    Traced(
      word: FP32.add(a.word, b.word), exact: a.exact + b.exact, bound: a.bound + b.bound,
      end: a.end + b.end, variance: a.variance + b.variance
    ).afterRounding(.fp32)
  }

  @inline(__always)
  static func sub(_ a: Traced, _ b: Traced) -> Traced {
    Traced(
      word: FP32.sub(a.word, b.word), exact: a.exact - b.exact, bound: a.bound + b.bound,
      end: a.end - b.end, variance: a.variance + b.variance
    ).afterRounding(.fp32)
  }

  /// âb̂ − ab = â(b̂ − b) + (â − a)b.
  @inline(__always)
  static func mul(_ a: Traced, _ b: Traced) -> Traced {
    let (x, y) = (Double(a.word), Double(b.word))
    return Traced(
      word: FP32.mul(a.word, b.word), exact: a.exact * b.exact,
      bound: x.magnitude * b.bound + a.bound * b.exact.magnitude, end: a.end * b.end,
      variance: x * x * b.variance + y * y * a.variance
    ).afterRounding(.fp32)
  }

  /// The larger one. A maximum serves as a shift, which the result does not depend on, so its own
  /// expected error is none.
  @inline(__always)
  static func max(_ a: Traced, _ b: Traced) -> Traced {
    Traced(
      word: FP32.max(a.word, b.word), exact: Swift.max(a.exact, b.exact),
      bound: Swift.max(a.bound, b.bound), end: Swift.max(a.end, b.end), variance: 0)
  }

  /// The largest of a row; −∞ over no elements.
  static func max(_ values: some Sequence<Traced>) -> Traced {
    values.reduce(Traced(-.infinity)) { max($0, $1) }
  }

  /// A maximum as the shift of a softmax. The result does not depend on the shift, so the word stands for
  /// itself; but where the exact maximum is far from it, exponentials would overflow FP64.
  var shift: Traced {
    guard (exact - Double(word)).magnitude < 512 else { return self }
    return Traced(word: word, exact: Double(word), bound: 0, end: end, variance: variance)
  }

  /// The sum of a row on the lanes of the vector unit.
  static func sum(_ values: [Traced], lanes: Int) -> Traced {
    LaneReduction.reduce(
      values, lanes: lanes, first: { $0.canonical }, combine: { add($0, $1) }) ?? Traced(0)
  }

  /// Rounded to BF16; nothing happens to a word that is one.
  var bf16: Traced {
    let rounded = BF16(word).float
    if rounded == word { return self }
    var result = self
    result.word = rounded
    return result.afterRounding(.bf16)
  }

  private var canonical: Traced {
    var result = self
    result.word = FP32.canonical(word)
    return result
  }

  /// Adds the error of the rounding that gave the word. An infinity that is the exact value has none.
  @inline(__always)
  func afterRounding(_ precision: Precision) -> Traced {
    var result = self
    let step = precision.step(word)
    if step == .infinity && exact == Double(word) { return result }
    result.bound += 0.5 * step * Precision.slack
    result.variance += step * step * (1 / 12)
    return result
  }
}
