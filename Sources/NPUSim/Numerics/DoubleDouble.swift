/// An unevaluated sum of two Doubles, |low| ≤ ulp(high)/2: about 106 significant bits.
///
/// Used where 53 bits cannot decide a rounding. The sums and products of two Doubles are exact
/// (Knuth's two-sum, Dekker's product by splitting, no fused multiply-add needed); addition,
/// multiplication and division then lose less than 2^-100 of the result, as long as no part leaves
/// Double's normal range, which callers ensure by keeping magnitudes between 2^-400 and 2^400.
struct DoubleDouble: Sendable, Equatable {
  var high: Double
  var low: Double

  init(high: Double, low: Double) {
    self.high = high
    self.low = low
  }

  init(_ value: Double) { self.init(high: value, low: 0) }

  /// a + b, exactly (Knuth).
  static func exactSum(_ a: Double, _ b: Double) -> DoubleDouble {
    let sum = a + b
    let shareOfB = sum - a
    let error = (a - (sum - shareOfB)) + (b - shareOfB)
    return DoubleDouble(high: sum, low: error)
  }

  /// a · b, exactly (Dekker), for |a|, |b| < 2^500.
  static func exactProduct(_ a: Double, _ b: Double) -> DoubleDouble {
    let product = a * b
    let (a1, a2) = split(a)
    let (b1, b2) = split(b)
    let error = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
    return DoubleDouble(high: product, low: error)
  }

  /// Two halves of at most 26 bits each with the exact sum `value` (Veltkamp).
  private static func split(_ value: Double) -> (Double, Double) {
    let scaled = value * 134_217_729
    let high = scaled - (scaled - value)
    return (high, value - high)
  }

  static func + (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let high = exactSum(a.high, b.high)
    let low = exactSum(a.low, b.low)
    let middle = quickSum(high.high, high.low + low.high)
    return quickSum(middle.high, middle.low + low.low)
  }

  static func + (a: DoubleDouble, b: Double) -> DoubleDouble { a + DoubleDouble(b) }

  static prefix func - (a: DoubleDouble) -> DoubleDouble {
    DoubleDouble(high: -a.high, low: -a.low)
  }

  static func - (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble { a + -b }

  static func * (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let product = exactProduct(a.high, b.high)
    return quickSum(product.high, product.low + (a.high * b.low + a.low * b.high))
  }

  static func * (a: DoubleDouble, b: Double) -> DoubleDouble {
    let product = exactProduct(a.high, b)
    return quickSum(product.high, product.low + a.low * b)
  }

  /// Long division with three quotient digits of 53 bits.
  static func / (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let first = a.high / b.high
    let rest = a - b * first
    let second = rest.high / b.high
    let third = (rest - b * second).high / b.high
    return quickSum(first, second) + third
  }

  static func / (a: DoubleDouble, b: Double) -> DoubleDouble { a / DoubleDouble(b) }

  /// The value times a power of two, exactly.
  func scaled(by power: Double) -> DoubleDouble {
    DoubleDouble(high: high * power, low: low * power)
  }

  /// a + b, exactly, for |a| ≥ |b| (Dekker).
  private static func quickSum(_ a: Double, _ b: Double) -> DoubleDouble {
    let sum = a + b
    return DoubleDouble(high: sum, low: b - (sum - a))
  }
}
