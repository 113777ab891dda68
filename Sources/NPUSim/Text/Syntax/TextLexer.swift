/// Takes a text apart, one token at a time. It holds no reference, so that a copy looks ahead for
/// nothing; the bytes must outlive it.
struct TextLexer {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    // A byte-order mark is no part of the text.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
  }

  @inline(__always)
  private func byte(_ offset: Int = 0) -> UInt8 {
    index + offset < bytes.count ? bytes[index + offset] : 0
  }

  mutating func next() -> TextToken {
    while index < bytes.count, isSpace(bytes[index]) { index += 1 }
    let start = index
    guard start < bytes.count else { return token(.end, start) }
    let first = bytes[start]
    if isLetter(first) { return name(start) }
    if isDigit(first) { return number(start) }
    if first == UInt8(ascii: ".") { return dotted(start) }
    if first == UInt8(ascii: "\"") { return string(start) }
    if first == UInt8(ascii: ";") {
      while index < bytes.count && bytes[index] != 0x0A { index += 1 }
      return token(.comment, start)
    }
    return mark(start, first)
  }

  /// Goes on at a byte where a token starts.
  mutating func move(to place: Int) { index = place }

  /// The bytes of a token.
  func bytes(of span: TextSpan) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: bytes[Int(span.start)..<Int(span.end)])
  }

  /// Whether a token is a certain word.
  func spells(_ word: StaticString, _ span: TextSpan) -> Bool {
    guard Int(span.end) - Int(span.start) == word.utf8CodeUnitCount else { return false }
    for place in 0..<word.utf8CodeUnitCount
    where bytes[Int(span.start) + place] != word.utf8Start[place] { return false }
    return true
  }

  private func token(_ kind: TextToken.Kind, _ start: Int) -> TextToken {
    TextToken(kind: kind, span: TextSpan(start: UInt32(start), end: UInt32(index)))
  }

  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

  private func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
      || byte == UInt8(ascii: "_")
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  /// Whether a byte is a letter, a digit or `_`: a bit for each of the 64 bytes from 0x00 or 0x40 on.
  @inline(__always)
  private func isWord(_ byte: UInt8) -> Bool {
    let bits: UInt64 = byte < 0x40 ? 0x03FF_0000_0000_0000 : 0x07FF_FFFE_87FF_FFFE
    return byte < 0x80 && bits >> UInt64(byte & 0x3F) & 1 != 0
  }

  private mutating func word() {
    var place = index
    while place < bytes.count {
      if isWord(bytes[place]) {
        place += 1
      } else if bytes[place] == UInt8(ascii: "."), place + 1 < bytes.count,
        isWord(bytes[place + 1])
      {
        place += 2
      } else {
        break
      }
    }
    index = place
  }

  private mutating func name(_ start: Int) -> TextToken {
    word()
    return token(.name, start)
  }

  private mutating func dotted(_ start: Int) -> TextToken {
    if byte(1) == UInt8(ascii: "."), byte(2) == UInt8(ascii: "<") {
      index += 3
      return token(.range, start)
    }
    index += 1
    if isLetter(byte()) {
      word()
      return token(.directive, start)
    }
    return token(.invalid, start)
  }

  /// A number of a few decimal digits, which is what most are; `nil` for others.
  private mutating func plainNumber(_ start: Int) -> TextToken? {
    var place = start
    var value: Int64 = 0
    while place < bytes.count, isDigit(bytes[place]), place - start < 9 {
      value = value &* 10 &+ Int64(bytes[place] &- UInt8(ascii: "0"))
      place += 1
    }
    guard place < bytes.count, !isWord(bytes[place]), bytes[place] != UInt8(ascii: "."),
      bytes[start] != UInt8(ascii: "0") || place == start + 1
    else { return nil }
    index = place
    var result = token(.integer, start)
    result.value = value
    result.isPlain = true
    return result
  }

  /// `12`, `0x1F`, `1.5`, `1e-3`; digits may be grouped by `_`.
  private mutating func number(_ start: Int) -> TextToken {
    if let plain = plainNumber(start) { return plain }
    var result = TextToken(kind: .integer, span: .none)
    let isHexadecimal = byte() == UInt8(ascii: "0") && byte(1) | 0x20 == UInt8(ascii: "x")
    if isHexadecimal { index += 2 }
    let base: Int64 = isHexadecimal ? 16 : 10
    let digits = index
    var hasGroups = false
    while index < bytes.count {
      if byte() == UInt8(ascii: "_"), index > digits {
        index += 1
        hasGroups = true
        continue
      }
      guard let digit = digit(byte(), hexadecimal: isHexadecimal) else { break }
      let (product, overflow) = result.value.multipliedReportingOverflow(by: base)
      let (sum, carry) = product.addingReportingOverflow(digit)
      if overflow || carry { result.isTooLarge = true }
      result.value = result.isTooLarge ? .max : sum
      index += 1
    }
    if !isHexadecimal {
      result.isPlain =
        index - digits == 1 || bytes[digits] != UInt8(ascii: "0") && !hasGroups
      fraction(&result)
    }
    if isLetter(byte()) || index == digits {
      word()
      result.kind = .invalid
    }
    result.span = TextSpan(start: UInt32(start), end: UInt32(index))
    return result
  }

  private mutating func fraction(_ result: inout TextToken) {
    if byte() == UInt8(ascii: "."), isDigit(byte(1)) {
      result.kind = .real
      index += 1
      while isDigit(byte()) { index += 1 }
    }
    let sign = byte(1) == UInt8(ascii: "-") || byte(1) == UInt8(ascii: "+") ? 1 : 0
    if byte() | 0x20 == UInt8(ascii: "e"), isDigit(byte(1 + sign)) {
      result.kind = .real
      index += 1 + sign
      while isDigit(byte()) { index += 1 }
    }
  }

  private func digit(_ byte: UInt8, hexadecimal: Bool) -> Int64? {
    if isDigit(byte) { return Int64(byte - UInt8(ascii: "0")) }
    let letter = byte | 0x20
    guard hexadecimal, letter >= UInt8(ascii: "a"), letter <= UInt8(ascii: "f") else { return nil }
    return Int64(letter - UInt8(ascii: "a")) + 10
  }

  /// A string ends on its line; a backslash takes the next byte as it is.
  private mutating func string(_ start: Int) -> TextToken {
    index += 1
    while index < bytes.count, byte() != UInt8(ascii: "\""), byte() != 0x0A {
      index += byte() == UInt8(ascii: "\\") && byte(1) != 0x0A && index + 1 < bytes.count ? 2 : 1
    }
    guard byte() == UInt8(ascii: "\"") else { return token(.invalid, start) }
    index += 1
    return token(.string, start)
  }

  private mutating func mark(_ start: Int, _ first: UInt8) -> TextToken {
    let second = byte(1)
    var kind = single(first)
    var length = 1
    switch kind {
    case .less:
      if second == UInt8(ascii: "-") { kind = .from }
      if second == UInt8(ascii: "=") { kind = .lessEqual }
      length = kind == .less ? 1 : 2
    case .minus where second == UInt8(ascii: ">"): (kind, length) = (.to, 2)
    case .plus where second == UInt8(ascii: ":"): (kind, length) = (.extent, 2)
    case .assign where second == UInt8(ascii: "="): (kind, length) = (.equal, 2)
    case .not where second == UInt8(ascii: "="): (kind, length) = (.notEqual, 2)
    case .greater where second == UInt8(ascii: "="): (kind, length) = (.greaterEqual, 2)
    case .invalid where first == UInt8(ascii: "&") && second == first: (kind, length) = (.and, 2)
    case .invalid where first == UInt8(ascii: "|") && second == first: (kind, length) = (.or, 2)
    default: break
    }
    index += length
    // The bytes of one character are taken together, so that they make one error.
    while kind == .invalid, byte() >= 0x80 { index += 1 }
    return token(kind, start)
  }

  @inline(__always)
  private func single(_ byte: UInt8) -> TextToken.Kind {
    switch byte {
    case 0x0A: .newline
    case UInt8(ascii: "["): .leftBracket
    case UInt8(ascii: "]"): .rightBracket
    case UInt8(ascii: "("): .leftParenthesis
    case UInt8(ascii: ")"): .rightParenthesis
    case UInt8(ascii: "{"): .leftBrace
    case UInt8(ascii: "}"): .rightBrace
    case UInt8(ascii: ","): .comma
    case UInt8(ascii: ":"): .colon
    case UInt8(ascii: "@"): .at
    case UInt8(ascii: "+"): .plus
    case UInt8(ascii: "-"): .minus
    case UInt8(ascii: "*"): .times
    case UInt8(ascii: "/"): .slash
    case UInt8(ascii: "%"): .percent
    case UInt8(ascii: "="): .assign
    case UInt8(ascii: "<"): .less
    case UInt8(ascii: ">"): .greater
    case UInt8(ascii: "!"): .not
    default: .invalid
    }
  }
}
