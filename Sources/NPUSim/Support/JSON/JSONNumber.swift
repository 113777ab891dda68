/// A JSON number, kept exactly: the literal, and what it means as an integer, a fraction and a
/// double.
///
/// Rates such as 51.2 are rationals in a machine description, so a reader must be able to take
/// them without passing through binary floating point: see ``fraction``.
public struct JSONNumber: Sendable, Hashable {
  /// The literal, as written; a valid JSON number.
  public let text: String

  /// An integer.
  public init(_ value: Int64) { text = String(value) }

  /// An integer; above 2^63 only ``unsigned`` holds it exactly.
  public init(_ value: UInt64) { text = String(value) }

  /// The shortest literal that reads back as `value`; `nil` for an infinity or a NaN, which JSON
  /// cannot express.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    text = value.description
  }

  /// A number from text that already follows the JSON grammar; `nil` when a double cannot hold it.
  init?(literal: String) {
    // Without an exponent it takes more than 300 digits to leave the range of a double.
    if literal.utf8.count > 300 || literal.utf8.contains(where: { $0 | 0x20 == 0x65 }) {
      guard let double = Double(literal), double.isFinite else { return nil }
    }
    text = literal
  }

  /// The nearest double, always finite. A literal too small for a double reads as zero.
  public var double: Double { Double(text) ?? 0 }

  /// The value when it is integral and fits 64 bits; `1e3` and `2.0` are integral.
  public var integer: Int64? {
    if let integer = Int64(text) { return integer }
    guard let fraction, fraction.denominator == 1 else { return nil }
    return fraction.numerator
  }

  /// The value when it is a non-negative integer below 2^64.
  public var unsigned: UInt64? {
    if let integer { return UInt64(exactly: integer) }
    return UInt64(text)
  }

  /// The exact value as a fraction in lowest terms with a positive denominator; `nil` when either
  /// part exceeds 64 bits. `51.2` is 256/5.
  public var fraction: (numerator: Int64, denominator: Int64)? {
    Self.fraction(of: text)
  }

  /// Whether the literal is digits only: no sign, no fraction, no exponent.
  public var isPlain: Bool {
    text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
  }

  private static func fraction(of text: String) -> (numerator: Int64, denominator: Int64)? {
    guard var (digits, exponent) = decimal(of: text) else { return nil }
    var denominator: Int64 = 1
    while exponent > 0 {
      let (scaled, overflow) = digits.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      digits = scaled
      exponent -= 1
    }
    while exponent < 0 {
      if digits % 2 == 0 && digits % 5 == 0 {
        digits /= 10
      } else if digits % 2 == 0 {
        digits /= 2
        guard multiply(&denominator, by: 5) else { return nil }
      } else if digits % 5 == 0 {
        digits /= 5
        guard multiply(&denominator, by: 2) else { return nil }
      } else {
        guard multiply(&denominator, by: 10) else { return nil }
      }
      exponent += 1
    }
    return (digits, denominator)
  }

  private static func multiply(_ value: inout Int64, by factor: Int64) -> Bool {
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    value = product
    return !overflow
  }

  /// The literal as `digits · 10^exponent`, trailing zeros moved into the exponent; `nil` when the
  /// digits exceed 64 bits or the exponent could not matter to a 64-bit fraction.
  private static func decimal(of text: String) -> (digits: Int64, exponent: Int)? {
    var digits: Int64 = 0
    var pendingZeros = 0
    var exponent = 0
    var negative = false
    var inFraction = false
    var exponentText: Substring.UTF8View?
    let utf8 = text[...].utf8
    var index = utf8.startIndex
    while index < utf8.endIndex {
      let byte = utf8[index]
      index = utf8.index(after: index)
      switch byte {
      case 0x2D: negative = true
      case 0x2E: inFraction = true
      case 0x45, 0x65:
        exponentText = utf8[index...]
        index = utf8.endIndex
      default:
        if inFraction { exponent -= 1 }
        if byte == 0x30 {
          pendingZeros += 1
          continue
        }
        if digits == 0 { pendingZeros = 0 }
        for _ in 0..<pendingZeros {
          guard multiply(&digits, by: 10) else { return nil }
        }
        pendingZeros = 0
        guard multiply(&digits, by: 10) else { return nil }
        let digit = Int64(byte) - 0x30
        let (sum, overflow) =
          negative
          ? digits.subtractingReportingOverflow(digit) : digits.addingReportingOverflow(digit)
        if overflow { return nil }
        digits = sum
      }
    }
    if digits == 0 { return (0, 0) }
    exponent += pendingZeros
    if let exponentText {
      guard let written = Int(Substring(exponentText)), abs(written.clamped) < 100_000 else {
        return nil
      }
      exponent += written
    }
    guard exponent > -10_000, exponent < 64 else { return nil }
    return (digits, exponent)
  }
}

extension Int {
  /// Away from `Int.min`, whose magnitude has no `Int`.
  fileprivate var clamped: Int { Swift.max(self, -Int.max) }
}
