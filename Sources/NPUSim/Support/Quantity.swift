/// Numbers as reports print them: digits grouped, units with prefixes, three significant digits.
public enum Quantity {
  /// A whole number with its digits grouped by commas.
  public static func grouped(_ value: Int64) -> String {
    let digits = String(value.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return value < 0 ? "-" + result : result
  }

  /// A whole number with its digits grouped by commas.
  public static func grouped(_ value: Int) -> String { grouped(Int64(value)) }

  /// `value` with `digits` significant digits and an SI prefix before `unit`.
  public static func prefixed(_ value: Double, _ unit: String, digits: Int = 3) -> String {
    guard value.isFinite else { return "\(value) \(unit)" }
    if value == 0 { return "0 \(unit)" }
    let prefixes: [(Double, String)] = [
      (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ"),
      (1e-9, "n"),
    ]
    let magnitude = value.magnitude
    let (scale, prefix) = prefixes.first { magnitude >= $0.0 * 0.9995 } ?? (1e-9, "n")
    return "\(significant(value / scale, digits)) \(prefix)\(unit)"
  }

  /// Seconds as ns, µs, ms or s.
  public static func seconds(_ value: Double) -> String { prefixed(value, "s") }

  /// `value` with `digits` significant digits, without an exponent between 1e-4 and 1e6.
  public static func significant(_ value: Double, _ digits: Int = 3) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var exponent = 0
    var scaled = value.magnitude
    while scaled >= 10 {
      scaled /= 10
      exponent += 1
    }
    while scaled < 1 {
      scaled *= 10
      exponent -= 1
    }
    if exponent < -4 || exponent > 5 {
      let text = fixed(scaled, digits - 1)
      // 9.996 rounds up to 10.00: one more decade.
      if text.hasPrefix("10") {
        return (value < 0 ? "-" : "") + fixed(1, digits - 1) + "e\(exponent + 1)"
      }
      return (value < 0 ? "-" : "") + text + "e\(exponent)"
    }
    return fixed(value, max(0, digits - 1 - exponent))
  }

  /// `value` with `places` decimals; rounds half away from zero.
  public static func fixed(_ value: Double, _ places: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<max(0, places) { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 9e18 else { return "\(value)" }
    let whole = Int64(scaled)
    let unit = Int64(scale)
    let sign = value < 0 && whole != 0 ? "-" : ""
    if places <= 0 { return sign + String(whole) }
    let fraction = String(whole % unit)
    let zeros = String(repeating: "0", count: max(0, places - fraction.count))
    return "\(sign)\(whole / unit).\(zeros)\(fraction)"
  }

  /// A share as a percentage with one decimal.
  public static func percent(_ part: Double, of whole: Double) -> String {
    whole > 0 ? "\(fixed(part / whole * 100, 1)) %" : "–"
  }

  /// Bytes with a binary-free prefix: kB, MB, GB.
  public static func bytes(_ value: Int64) -> String {
    value < 10_000 ? "\(grouped(value)) B" : prefixed(Double(value), "B")
  }
}
