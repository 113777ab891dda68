extension JSONParser {
  /// Reads the string that starts at the current byte, a double quote.
  mutating func parseString() throws(NPUError) -> String {
    let start = mark
    index += 1
    let bodyStart = index
    let bodyBase = columnBase
    var hasEscape = false
    var continuations = 0
    var isASCII = true
    while true {
      guard index < bytes.count else {
        columnBase = bodyBase + continuations
        throw error("the text ends inside a string", at: start)
      }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") {
        hasEscape = true
        // The escaped byte is skipped here and judged in the second pass; a quote may be one.
        index += index + 1 < bytes.count && bytes[index + 1] >= 0x20 ? 2 : 1
        if bytes[index - 1] >= 0x80 { isASCII = false }
        if bytes[index - 1] & 0xC0 == 0x80 { continuations += 1 }
        continue
      }
      if byte < 0x20 {
        columnBase = bodyBase + continuations
        if byte == 0x0A || byte == 0x0D {
          throw error(
            "the string does not end on its line", at: start,
            hint: "close it with a double quote; a line break inside is written \\n")
        }
        throw error(
          "the control character U+00\(hex(byte)) stands inside a string",
          hint: "write it as \\u00\(hex(byte))")
      }
      if byte >= 0x80 {
        isASCII = false
        if byte & 0xC0 == 0x80 { continuations += 1 }
      }
      index += 1
    }
    let body = bodyStart..<index
    columnBase = bodyBase + continuations
    if !isASCII, String(validating: bytes[body], as: UTF8.self) == nil {
      throw invalidUTF8(in: body, base: bodyBase)
    }
    let text =
      hasEscape
      ? try unescape(body, base: bodyBase) : String(decoding: bytes[body], as: UTF8.self)
    index += 1
    return text
  }

  /// Decodes a string body whose UTF-8 has been validated. `base` is the column base at its start.
  private mutating func unescape(_ body: Range<Int>, base: Int) throws(NPUError) -> String {
    let endBase = columnBase
    columnBase = base
    index = body.lowerBound
    var decoded: [UInt8] = []
    decoded.reserveCapacity(body.count)
    while index < body.upperBound {
      let byte = bytes[index]
      guard byte == UInt8(ascii: "\\") else {
        if byte & 0xC0 == 0x80 { columnBase += 1 }
        decoded.append(byte)
        index += 1
        continue
      }
      let start = mark
      guard index + 1 < body.upperBound else {
        throw error("the backslash escapes nothing", at: start)
      }
      let escaped = bytes[index + 1]
      index += 2
      switch escaped {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(escaped)
      case UInt8(ascii: "b"): decoded.append(0x08)
      case UInt8(ascii: "f"): decoded.append(0x0C)
      case UInt8(ascii: "n"): decoded.append(0x0A)
      case UInt8(ascii: "r"): decoded.append(0x0D)
      case UInt8(ascii: "t"): decoded.append(0x09)
      case UInt8(ascii: "u"):
        let scalar = try parseUnicodeEscape(start, end: body.upperBound)
        decoded.append(contentsOf: Character(scalar).utf8)
      default:
        throw error(
          "unknown escape in a string", at: start, length: 2,
          hint: "the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX; "
            + "a backslash itself is \\\\")
      }
    }
    columnBase = endBase
    return String(decoding: decoded, as: UTF8.self)
  }

  /// After `\u`: four hex digits, and for a high surrogate the low one that must follow.
  private mutating func parseUnicodeEscape(
    _ start: Mark, end: Int
  ) throws(NPUError) -> Unicode.Scalar {
    let first = try parseHex4(start, end: end)
    if let scalar = Unicode.Scalar(first) { return scalar }
    let second = index
    if first < 0xDC00, second + 1 < end, bytes[second] == UInt8(ascii: "\\"),
      bytes[second + 1] == UInt8(ascii: "u")
    {
      index += 2
      let low = try parseHex4(start, end: end)
      if (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (low - 0xDC00))
      {
        return scalar
      }
    }
    throw error(
      "the escape is half of a surrogate pair", at: start, length: 6,
      hint: "write \\uD800..\\uDBFF followed by \\uDC00..\\uDFFF, or the character itself")
  }

  private mutating func parseHex4(_ start: Mark, end: Int) throws(NPUError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard index < end, let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
        throw error("\\u needs four hexadecimal digits", at: start, length: index - start.index)
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    return value
  }

  private mutating func invalidUTF8(in body: Range<Int>, base: Int) -> NPUError {
    columnBase = base
    index = body.lowerBound
    while index < body.upperBound {
      let byte = bytes[index]
      let count = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      let end = index + count
      if end > body.upperBound || String(validating: bytes[index..<end], as: UTF8.self) == nil {
        break
      }
      columnBase += count - 1
      index = end
    }
    let byte = index < bytes.count ? bytes[index] : 0
    return error(
      "the string is not valid UTF-8 (byte 0x\(hex(byte)) at offset \(index))",
      hint: "save the file as UTF-8")
  }
}
