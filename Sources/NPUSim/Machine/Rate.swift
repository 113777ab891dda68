/// An exact rate: a positive rational, or unlimited. Units are the field's (bytes per cycle here).
public struct Rate: Sendable, Hashable {
  /// Numerator in lowest terms; 0 marks an unlimited rate.
  public let numerator: Int64
  /// Denominator in lowest terms; positive.
  public let denominator: Int64

  /// No limit: anything takes zero cycles.
  public static let unlimited = Rate(uncheckedNumerator: 0, denominator: 1)

  /// One, as a share of something.
  public static let whole = Rate(uncheckedNumerator: 1, denominator: 1)

  @inlinable public var isUnlimited: Bool { numerator == 0 }

  init(uncheckedNumerator numerator: Int64, denominator: Int64) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// `numerator / denominator` in lowest terms, or `nil` unless both are positive.
  public init?(_ numerator: Int64, over denominator: Int64 = 1) {
    guard numerator > 0, denominator > 0 else { return nil }
    var a = numerator
    var b = denominator
    while b != 0 { (a, b) = (b, a % b) }
    self.init(uncheckedNumerator: numerator / a, denominator: denominator / a)
  }

  /// Whole cycles for `amount` units: `⌈amount / rate⌉`; 0 when unlimited or `amount` is 0.
  ///
  /// Exact while `amount · denominator` fits 63 bits; beyond that it saturates at `Int64.max`.
  @inlinable public func cycles(for amount: Int64) -> Int64 {
    if numerator == 0 || amount <= 0 { return 0 }
    let (scaled, overflow) = amount.multipliedReportingOverflow(by: denominator)
    if overflow { return Int64.max }
    let quotient = scaled / numerator
    return scaled % numerator == 0 ? quotient : quotient + 1
  }

  /// The nearest Double; `infinity` when unlimited.
  public var approximate: Double {
    isUnlimited ? .infinity : Double(numerator) / Double(denominator)
  }

  /// A share of the rate, exact; `nil` where its lowest terms do not fit 63 bits.
  func times(_ share: Rate) -> Rate? {
    if isUnlimited || share.isUnlimited { return .unlimited }
    // Reducing crosswise first keeps the products as small as the result allows.
    guard let left = Rate(numerator, over: share.denominator),
      let right = Rate(share.numerator, over: denominator)
    else { return nil }
    let (top, isOver) = left.numerator.multipliedReportingOverflow(by: right.numerator)
    let (bottom, isUnder) = left.denominator.multipliedReportingOverflow(by: right.denominator)
    return isOver || isUnder ? nil : Rate(top, over: bottom)
  }

  /// The smaller of two rates.
  public static func minimum(_ a: Rate, _ b: Rate) -> Rate {
    if a.isUnlimited { return b }
    if b.isUnlimited { return a }
    // Cross products of 64-bit fractions need 128 bits.
    let left = a.numerator.multipliedFullWidth(by: b.denominator)
    let right = b.numerator.multipliedFullWidth(by: a.denominator)
    let aIsSmaller = left.high < right.high || (left.high == right.high && left.low <= right.low)
    return aIsSmaller ? a : b
  }
}
