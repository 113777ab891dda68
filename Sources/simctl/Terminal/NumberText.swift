#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Numbers as text, the same on every machine.
enum NumberText {
  /// `value` to at most `digits` significant digits, with an exponent where that is shorter.
  static func significant(_ value: Double, digits: Int = 3) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    return formatted("%.*g", [Int32(clamping: digits), value])
  }

  /// `value` with `places` digits after the point.
  static func fixed(_ value: Double, places: Int) -> String {
    if !value.isFinite { return significant(value) }
    return formatted("%.*f", [Int32(clamping: places), value])
  }

  /// The shortest text that reads back as the value, without a trailing `.0`.
  static func shortest(_ value: Double) -> String {
    if !value.isFinite { return significant(value) }
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// `word` in hexadecimal with `digits` digits and `0x` before them.
  static func hex(_ word: some BinaryInteger, digits: Int) -> String {
    let text = String(word, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  private static func formatted(_ format: String, _ arguments: [any CVarArg]) -> String {
    withVaList(arguments) { list in
      var bytes = [CChar](repeating: 0, count: 400)
      let count = Int(vsnprintf(&bytes, bytes.count, format, list))
      let text = bytes.prefix(max(0, min(count, bytes.count - 1)))
      return String(decoding: text.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }
}
