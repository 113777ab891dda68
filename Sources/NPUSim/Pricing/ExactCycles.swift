/// A non-negative number of cycles as a fraction; exact while it fits 128 bits.
struct ExactCycles {
  private var numerator: UInt128
  private var denominator: UInt128
  /// Set when a sum did not fit; the fraction is then the sum of what did, so it stays a lower
  /// bound.
  private var isTruncated = false

  static let zero = ExactCycles(numerator: 0, denominator: 1)

  private init(numerator: UInt128, denominator: UInt128) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// `amount / rate`; zero for an unlimited rate.
  init(_ amount: Int64, at rate: Rate) {
    self.init(
      numerator: rate.isUnlimited ? 0 : UInt128(max(0, amount)) * UInt128(rate.denominator),
      denominator: rate.isUnlimited ? 1 : UInt128(rate.numerator))
  }

  /// `amount · factor / divisor`; zero for a divisor below 1.
  init(_ amount: Int64, times factor: Int64, over divisor: Int64) {
    self.init(
      numerator: divisor > 0 ? UInt128(max(0, amount)) * UInt128(max(0, factor)) : 0,
      denominator: UInt128(max(1, divisor)))
  }

  /// Adds another number of cycles.
  mutating func add(_ other: ExactCycles) {
    let (a, aOverflow) = numerator.multipliedReportingOverflow(by: other.denominator)
    let (b, bOverflow) = other.numerator.multipliedReportingOverflow(by: denominator)
    let (bottom, bottomOverflow) = denominator.multipliedReportingOverflow(by: other.denominator)
    let (top, topOverflow) = a.addingReportingOverflow(b)
    guard !aOverflow, !bOverflow, !bottomOverflow, !topOverflow else {
      isTruncated = true
      return
    }
    let common = Self.greatestCommonDivisor(top, bottom)
    numerator = top / common
    denominator = bottom / common
  }

  /// The number divided by `count`, rounded up to whole cycles.
  func roundedUp(dividedBy count: Int) -> Int64 {
    let (bottom, overflow) = denominator.multipliedReportingOverflow(by: UInt128(max(1, count)))
    if overflow { return 0 }
    let quotient = numerator / bottom
    let isWhole = numerator % bottom == 0 || isTruncated
    return Int64(clamping: quotient + (isWhole ? 0 : 1))
  }

  private static func greatestCommonDivisor(_ a: UInt128, _ b: UInt128) -> UInt128 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return max(1, a)
  }
}
