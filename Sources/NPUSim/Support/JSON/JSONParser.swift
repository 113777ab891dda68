/// The strict reader behind `JSONValue.parse`: one pass over the bytes, recursive descent.
struct JSONParser {
  let bytes: [UInt8]
  private let file: String
  private let category: NPUError.Category
  var index = 0
  var line = 1
  /// Subtracted from a byte index to get a zero-based column: the bytes before this line, plus the
  /// continuation bytes met on it.
  var columnBase = 0
  private var depth = 0

  init(bytes: [UInt8], file: String, category: NPUError.Category) {
    self.bytes = bytes
    self.file = file
    self.category = category
  }

  /// The start of a token, remembered while it is being read.
  struct Mark {
    var index: Int
    var line: Int
    var column: Int
  }

  var mark: Mark { Mark(index: index, line: line, column: index - columnBase + 1) }

  /// Most bytes of a value for each byte of its text.
  private static let valueBytes = 64

  mutating func parseDocument() throws(NPUError) -> JSONValue {
    if bytes.count > 1 << 20 {
      var need = MemoryNeed()
      need.add(file, bytes.count, times: Self.valueBytes)
      try need.require(.ofProcess())
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw error("the text starts with a byte order mark", hint: "save it as UTF-8 without one")
    }
    skipSpace()
    guard index < bytes.count else {
      throw error("the text is empty; one JSON value is needed")
    }
    let value = try parseValue()
    skipSpace()
    guard index == bytes.count else {
      throw error("found \(found()) after the end of the JSON value")
    }
    return value
  }

  // MARK: Values

  private mutating func parseValue() throws(NPUError) -> JSONValue {
    guard index < bytes.count else { throw error("the text ends where a value is needed") }
    switch bytes[index] {
    case UInt8(ascii: "{"): return try parseObject()
    case UInt8(ascii: "["): return try parseArray()
    case UInt8(ascii: "\""):
      let start = mark
      let text = try parseString()
      return JSONValue(.string(text), span: span(from: start))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
    default: return try parseWord()
    }
  }

  private mutating func parseObject() throws(NPUError) -> JSONValue {
    let start = mark
    try enter(start)
    var members: [JSONMember] = []
    var keys: Set<String> = []
    skipSpace()
    if !take(UInt8(ascii: "}")) {
      while true {
        let keyStart = mark
        guard index < bytes.count else { throw unclosed("object", start) }
        guard bytes[index] == UInt8(ascii: "\"") else {
          throw error(
            "found \(found()) where a key is needed",
            hint: isWordStart ? "keys are written in double quotes" : nil)
        }
        let key = try parseString()
        let keySpan = span(from: keyStart)
        // A set costs more than it saves until the keys are many.
        if members.count == 16 { keys = Set(members.map(\.key)) }
        let isNew =
          members.count < 16
          ? !members.contains { $0.key == key } : keys.insert(key).inserted
        guard isNew else {
          let first = members.first { $0.key == key }?.keySpan?.location.line ?? 0
          throw NPUError(
            category, "the key \(JSONWriter.quoted(key)) appears twice in one object",
            at: keySpan.location, hint: "it is already on line \(first); keep one of them")
        }
        skipSpace()
        guard take(UInt8(ascii: ":")) else {
          if index == bytes.count { throw unclosed("object", start) }
          throw error("found \(found()) where `:` is needed after the key")
        }
        skipSpace()
        if index == bytes.count { throw unclosed("object", start) }
        members.append(JSONMember(key, try parseValue(), keySpan: keySpan))
        if try !parseSeparator(closing: UInt8(ascii: "}"), of: "object", start) { break }
      }
    }
    depth -= 1
    return JSONValue(.object(members), span: span(from: start, visible: 1))
  }

  private mutating func parseArray() throws(NPUError) -> JSONValue {
    let start = mark
    try enter(start)
    var elements: [JSONValue] = []
    skipSpace()
    if !take(UInt8(ascii: "]")) {
      while true {
        if index == bytes.count { throw unclosed("array", start) }
        elements.append(try parseValue())
        if try !parseSeparator(closing: UInt8(ascii: "]"), of: "array", start) { break }
      }
    }
    depth -= 1
    return JSONValue(.array(elements), span: span(from: start, visible: 1))
  }

  /// After an element: true when a comma and another element follow, false at the closing bracket.
  private mutating func parseSeparator(
    closing: UInt8, of kind: String, _ start: Mark
  ) throws(NPUError) -> Bool {
    skipSpace()
    if take(closing) { return false }
    guard index < bytes.count else { throw unclosed(kind, start) }
    let comma = mark
    let close = Character(Unicode.Scalar(closing))
    guard take(UInt8(ascii: ",")) else {
      throw error("found \(found()) where `,` or `\(close)` is needed")
    }
    skipSpace()
    if index < bytes.count, bytes[index] == closing {
      throw error("a comma right before `\(close)`", at: comma, hint: "remove the comma")
    }
    return true
  }

  private mutating func enter(_ start: Mark) throws(NPUError) {
    depth += 1
    if depth > JSONValue.depthLimit {
      throw error("nested deeper than \(JSONValue.depthLimit) levels", at: start)
    }
    index += 1
  }

  private mutating func parseNumber() throws(NPUError) -> JSONValue {
    let start = mark
    if bytes[index] == UInt8(ascii: "-") { index += 1 }
    let whole = takeDigits()
    if whole == 0 { throw error("found \(found()) where a digit is needed") }
    if whole > 1, bytes[index - whole] == UInt8(ascii: "0") {
      throw error("a number may not start with a zero", at: start, length: index - start.index)
    }
    if take(UInt8(ascii: ".")), takeDigits() == 0 {
      throw error("found \(found()) where a digit is needed after the decimal point")
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      if takeDigits() == 0 {
        throw error("found \(found()) where the digits of the exponent are needed")
      }
    }
    let text = String(decoding: bytes[start.index..<index], as: UTF8.self)
    guard let number = JSONNumber(literal: text) else {
      throw error(
        "the number is too large: doubles end at 1.8e308", at: start, length: index - start.index)
    }
    return JSONValue(.number(number), span: span(from: start))
  }

  private mutating func parseWord() throws(NPUError) -> JSONValue {
    let start = mark
    while index < bytes.count, isWordStart || isDigit(bytes[index]) { index += 1 }
    let word = String(decoding: bytes[start.index..<index], as: UTF8.self)
    let content: JSONValue.Content
    switch word {
    case "null": content = .null
    case "true": content = .bool(true)
    case "false": content = .bool(false)
    case "":
      throw error("found \(found()) where a value is needed", hint: hintForStrayByte())
    default:
      let shown = word.utf8.count <= 40 ? "`\(word)`" : "a word"
      let literal = ["null", "true", "false"].first { $0 == word.lowercased() }
      let hint: String =
        switch word {
        case "NaN", "Infinity", "nan", "inf", "Inf": "JSON has no NaN or infinity"
        case "None": "write null"
        default: literal.map { "write \($0)" } ?? "a string needs double quotes"
        }
      throw error(
        "found \(shown) where a value is needed", at: start, length: index - start.index,
        hint: hint)
    }
    return JSONValue(content, span: span(from: start))
  }

  private func hintForStrayByte() -> String? {
    switch bytes[index] {
    case UInt8(ascii: "'"): "a string needs double quotes"
    case UInt8(ascii: "/"), UInt8(ascii: "#"): "JSON has no comments"
    case UInt8(ascii: "+"): "a positive number has no sign"
    case UInt8(ascii: "."): "write a digit before the decimal point"
    default: nil
    }
  }

  // MARK: Bytes

  private mutating func skipSpace() {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x09, 0x0D: index += 1
      case 0x0A:
        index += 1
        line += 1
        columnBase = index
      default: return
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func takeDigits() -> Int {
    let start = index
    while index < bytes.count, isDigit(bytes[index]) { index += 1 }
    return index - start
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private var isWordStart: Bool {
    guard index < bytes.count else { return false }
    let byte = bytes[index] | 0x20
    return byte >= 0x61 && byte <= 0x7A || bytes[index] == UInt8(ascii: "_")
  }

  // MARK: Places and errors

  private func span(from start: Mark, visible: Int? = nil) -> JSONSpan {
    let width = visible ?? (index - columnBase + 1 - start.column)
    return JSONSpan(
      file: file, line: start.line, column: start.column, length: width,
      byteOffset: start.index, byteCount: index - start.index)
  }

  /// What stands at the current byte, for a message.
  private func found() -> String {
    guard index < bytes.count else { return "the end of the text" }
    let byte = bytes[index]
    if byte > 0x20, byte < 0x7F { return "`\(Character(Unicode.Scalar(byte)))`" }
    return "the byte 0x\(hex(byte))"
  }

  func hex(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }

  private func unclosed(_ kind: String, _ start: Mark) -> NPUError {
    error("the text ends inside the \(kind) opened on line \(start.line), column \(start.column)")
  }

  func error(
    _ message: String, at place: Mark? = nil, length: Int = 1, hint: String? = nil
  ) -> NPUError {
    let place = place ?? mark
    return NPUError(
      category, message,
      at: SourceLocation(file: file, line: place.line, column: place.column, length: length),
      hint: hint)
  }
}
