/// The numbers of a floating-point format in their order, zero at 0 and both its signs one number.
///
/// Two numbers of the format are as many units in the last place apart as steps lie between them; from
/// the largest finite number to infinity is one step.
public struct NumberLine: Sendable, Hashable {
  private let fractionBits: Int
  private let leastExponent: Int
  private let greatestExponent: Int
  private let hasInfinity: Bool

  public static let bf16 = NumberLine(7, -126...127, hasInfinity: true)
  public static let f16 = NumberLine(10, -14...15, hasInfinity: true)
  public static let f32 = NumberLine(23, -126...127, hasInfinity: true)
  public static let e4m3fn = NumberLine(3, -6...8, hasInfinity: false)
  public static let e5m2 = NumberLine(2, -14...15, hasInfinity: true)

  private init(_ fractionBits: Int, _ exponents: ClosedRange<Int>, hasInfinity: Bool) {
    self.fractionBits = fractionBits
    leastExponent = exponents.lowerBound
    greatestExponent = exponents.upperBound
    self.hasInfinity = hasInfinity
  }

  /// Where a number stands, rounded to nearest even first; `nil` for NaN, and for an infinity that the
  /// format does not have.
  public func position(of number: Double) -> Int? {
    guard !number.isNaN, number.isFinite || hasInfinity else { return nil }
    let infinity = (greatestExponent + 1 - leastExponent + 1) << fractionBits
    guard number.isFinite, number != 0 else {
      return number == 0 ? 0 : number < 0 ? -infinity : infinity
    }
    // A position counts the numbers below: those of a binade follow those of the one before, and a
    // fraction that rounds up to 2 is the first number of the next.
    let exponent = max(Int(number.exponent), leastExponent)
    let step = Double(sign: .plus, exponent: exponent - fractionBits, significand: 1)
    let count = Int((number.magnitude / step).rounded(.toNearestOrEven))
    let position = count + (exponent - leastExponent) << fractionBits
    let magnitude = hasInfinity ? min(position, infinity) : position
    return number < 0 ? -magnitude : magnitude
  }

  /// Steps between two numbers, each rounded first; `nil` where one has no position.
  public func steps(_ a: Double, _ b: Double) -> Int? {
    guard let a = position(of: a), let b = position(of: b) else { return nil }
    return abs(a - b)
  }
}
