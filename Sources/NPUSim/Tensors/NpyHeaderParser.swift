/// Reads the one kind of Python dictionary literal that .npy headers are made of.
struct NpyHeaderParser {
  private let text: [UInt8]
  private let offset: Int
  private let file: String
  private var index = 0

  /// - Parameter offset: bytes of the file before `text`.
  init(text: [UInt8], offset: Int, file: String) {
    self.text = text
    self.offset = offset
    self.file = file
  }

  mutating func parse() throws(NPUError) -> NpyHeader {
    var descriptor: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !take("}") {
      let start = index
      let key = try parseString()
      try expect(":")
      switch key {
      case "descr" where descriptor == nil: descriptor = try parseDescriptor()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try parseBool()
      case "shape" where shape == nil: shape = try parseShape()
      case "descr", "fortran_order", "shape":
        throw error("the key '\(key)' appears twice", at: start)
      default:
        throw error(
          "unknown key \(JSONWriter.quoted(key))", at: start,
          hint: "the keys are 'descr', 'fortran_order' and 'shape'")
      }
      if !take(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard index == text.count else { throw error("found \(found()) after the dictionary") }
    guard let descriptor else { throw error("the key 'descr' is missing", at: 0) }
    guard let isFortranOrder else { throw error("the key 'fortran_order' is missing", at: 0) }
    guard let shape else { throw error("the key 'shape' is missing", at: 0) }
    return NpyHeader(descriptor: descriptor, isFortranOrder: isFortranOrder, shape: shape)
  }

  private mutating func parseDescriptor() throws(NPUError) -> String {
    skipSpace()
    if index < text.count, text[index] == UInt8(ascii: "[") || text[index] == UInt8(ascii: "(") {
      throw error(
        "the elements are structured; plain numbers are needed",
        hint: "save each field as an array of its own")
    }
    return try parseString()
  }

  private mutating func parseString() throws(NPUError) -> String {
    skipSpace()
    guard index < text.count, text[index] == UInt8(ascii: "'") || text[index] == UInt8(ascii: "\"")
    else { throw error("found \(found()) where a quoted string is needed") }
    let quote = text[index]
    let start = index + 1
    index = start
    while index < text.count, text[index] != quote {
      guard text[index] >= 0x20, text[index] < 0x7F, text[index] != UInt8(ascii: "\\") else {
        throw error("found \(found()) inside a string")
      }
      index += 1
    }
    guard index < text.count else { throw error("a string does not end", at: start - 1) }
    index += 1
    return String(decoding: text[start..<(index - 1)], as: UTF8.self)
  }

  private mutating func parseBool() throws(NPUError) -> Bool {
    skipSpace()
    if text[index...].starts(with: "True".utf8) {
      index += 4
      return true
    }
    if text[index...].starts(with: "False".utf8) {
      index += 5
      return false
    }
    throw error("found \(found()) where True or False is needed")
  }

  private mutating func parseShape() throws(NPUError) -> [Int] {
    var shape: [Int] = []
    try expect("(")
    while !take(")") {
      shape.append(try parseDimension())
      if take(",") { continue }
      guard shape.count > 1 else {
        throw error("found \(found()) where `,` is needed in the shape")
      }
      try expect(")")
      break
    }
    return shape
  }

  private mutating func parseDimension() throws(NPUError) -> Int {
    skipSpace()
    let start = index
    while index < text.count, text[index] >= 0x30, text[index] <= 0x39 { index += 1 }
    guard index > start else { throw error("found \(found()) where a dimension is needed") }
    guard let value = Int(String(decoding: text[start..<index], as: UTF8.self)) else {
      throw error("the dimension has too many digits", at: start)
    }
    return value
  }

  private mutating func skipSpace() {
    while index < text.count, text[index] == 0x20 || text[index] == 0x0A || text[index] == 0x09 {
      index += 1
    }
  }

  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    skipSpace()
    guard index < text.count, text[index] == UInt8(ascii: mark) else { return false }
    index += 1
    return true
  }

  private mutating func expect(_ mark: Unicode.Scalar) throws(NPUError) {
    guard take(mark) else { throw error("found \(found()) where `\(mark)` is needed") }
  }

  private func found() -> String {
    guard index < text.count else { return "the end of the header" }
    let byte = text[index]
    if byte > 0x20, byte < 0x7F { return "`\(Character(Unicode.Scalar(byte)))`" }
    return "the byte \(byte)"
  }

  /// An error that names the byte of the file; a header is one line, so the column says the same.
  private func error(_ message: String, at place: Int? = nil, hint: String? = nil) -> NPUError {
    let byte = offset + (place ?? index)
    return NPUError(
      .tensor, ".npy header, byte \(byte): \(message)",
      at: SourceLocation(file: file, line: 1, column: byte + 1), hint: hint)
  }
}
