/// A JSON value that knows where it was written.
///
/// Values read by ``parse(_:file:category:)-([UInt8],_,_)`` carry the place of every value and key,
/// so that whoever finds fault with one can point at it. Values made in code carry no place and are
/// meant for writing.
public struct JSONValue: Sendable {
  /// What a value is.
  public enum Content: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    /// Members in the order written; a value that was read has no key twice.
    case object([JSONMember])
  }

  /// What the value is.
  public var content: Content
  /// Where the value stands in its file; `nil` for a value made in code. The span of an array or
  /// object starts at its bracket.
  public var span: JSONSpan?

  /// A value; one made in code has no span.
  public init(_ content: Content, span: JSONSpan? = nil) {
    self.content = content
    self.span = span
  }

  /// The place to report an error at.
  public var location: SourceLocation? { span?.location }

  /// What the value is, for a message: `a string`, `the number 51.2`.
  public var summary: String {
    switch content {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let number): "the number \(number.text)"
    case .string(let text):
      text.utf8.count <= 40 ? "the string \(JSONWriter.quoted(text))" : "a string"
    case .array(let elements): elements.isEmpty ? "an empty array" : "an array"
    case .object: "an object"
    }
  }

  /// The members of an object in the order written; empty for anything else.
  public var members: [JSONMember] {
    if case .object(let members) = content { members } else { [] }
  }

  /// The elements of an array; empty for anything else.
  public var elements: [JSONValue] {
    if case .array(let elements) = content { elements } else { [] }
  }

  /// The value of a key of an object; `nil` when there is none, or this is no object.
  public subscript(key: String) -> JSONValue? {
    members.first { $0.key == key }?.value
  }
}

/// A key and its value.
public struct JSONMember: Sendable {
  /// The key, escapes decoded.
  public var key: String
  /// Where the key stands; `nil` for a member made in code.
  public var keySpan: JSONSpan?
  /// The value of the key.
  public var value: JSONValue

  /// A member; one made in code has no span.
  public init(_ key: String, _ value: JSONValue, keySpan: JSONSpan? = nil) {
    self.key = key
    self.value = value
    self.keySpan = keySpan
  }
}

/// A stretch of a JSON text.
public struct JSONSpan: Sendable, Hashable {
  /// The file's name.
  public let file: String
  /// Bytes before the first one.
  public let byteOffset: Int
  /// Bytes covered.
  public let byteCount: Int
  // A document has a span for every value and key: 32 bits suffice for any text a person reads.
  private let line: Int32
  private let column: Int32
  private let length: Int32

  init(file: String, line: Int, column: Int, length: Int, byteOffset: Int, byteCount: Int) {
    self.file = file
    self.line = Int32(clamping: line)
    self.column = Int32(clamping: column)
    self.length = Int32(clamping: length)
    self.byteOffset = byteOffset
    self.byteCount = byteCount
  }

  /// File, one-based line and column of the first character. Columns count Unicode scalars.
  public var location: SourceLocation {
    SourceLocation(file: file, line: Int(line), column: Int(column), length: Int(length))
  }
}

// MARK: - Reading

extension JSONValue {
  /// Arrays and objects may nest this deep.
  public static let depthLimit = 128

  /// Reads one JSON text (RFC 8259), strictly: UTF-8 without a byte order mark, no duplicate key,
  /// no trailing comma, no comment, nothing after the value, at most ``depthLimit`` levels.
  ///
  /// - Parameters:
  ///   - bytes: the whole text.
  ///   - file: the name to report.
  ///   - category: the category of the errors, `.parse` unless the text belongs to something
  ///     with a category of its own.
  /// - Throws: `NPUError` located at the first offending character.
  public static func parse(
    _ bytes: [UInt8], file: String, category: NPUError.Category = .parse
  ) throws(NPUError) -> JSONValue {
    var parser = JSONParser(bytes: bytes, file: file, category: category)
    return try parser.parseDocument()
  }

  /// Reads one JSON text from a string; see the overload that takes bytes.
  public static func parse(
    _ text: String, file: String, category: NPUError.Category = .parse
  ) throws(NPUError) -> JSONValue {
    try parse(Array(text.utf8), file: file, category: category)
  }
}

// MARK: - Making

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// Null.
  public init(nilLiteral: ()) { self.init(.null) }
  /// True or false.
  public init(booleanLiteral value: Bool) { self.init(.bool(value)) }
  /// An integer.
  public init(integerLiteral value: Int64) { self.init(.number(JSONNumber(value))) }
  /// A string.
  public init(stringLiteral value: String) { self.init(.string(value)) }
  /// An array.
  public init(arrayLiteral elements: JSONValue...) { self.init(.array(elements)) }
  /// Keeps the order of the literal; the keys must differ.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self.init(.object(elements.map { JSONMember($0, $1) }))
  }

  /// Null.
  public static var null: JSONValue { JSONValue(.null) }
  /// True or false.
  public static func bool(_ value: Bool) -> JSONValue { JSONValue(.bool(value)) }
  /// A string.
  public static func string(_ text: String) -> JSONValue { JSONValue(.string(text)) }
  /// An integer.
  public static func integer(_ value: Int) -> JSONValue {
    JSONValue(.number(JSONNumber(Int64(value))))
  }
  /// An integer.
  public static func integer(_ value: Int64) -> JSONValue { JSONValue(.number(JSONNumber(value))) }
  /// An integer, such as a seed.
  public static func integer(_ value: UInt64) -> JSONValue { JSONValue(.number(JSONNumber(value))) }
  /// The shortest literal that reads back as `value`; null for an infinity or a NaN.
  public static func double(_ value: Double) -> JSONValue {
    JSONNumber(value).map { JSONValue(.number($0)) } ?? .null
  }
  /// An array.
  public static func array(_ elements: [JSONValue]) -> JSONValue { JSONValue(.array(elements)) }
  /// An object; its keys must differ.
  public static func object(_ members: [JSONMember]) -> JSONValue { JSONValue(.object(members)) }
}

// MARK: - Comparing

extension JSONValue: Equatable {
  /// Same value, wherever it stands. Objects compare without regard to the order of their keys;
  /// numbers compare by exact value where 64 bits hold it, else by literal.
  public static func == (left: JSONValue, right: JSONValue) -> Bool {
    switch (left.content, right.content) {
    case (.null, .null): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.number(let a), .number(let b)):
      if a.text == b.text { return true }
      guard let x = a.fraction, let y = b.fraction else { return false }
      return x == y
    case (.string(let a), .string(let b)): return a == b
    case (.array(let a), .array(let b)): return a == b
    case (.object(let a), .object(let b)):
      guard a.count == b.count else { return false }
      let byKey = Dictionary(b.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
      return a.allSatisfy { byKey[$0.key] == $0.value }
    default: return false
    }
  }
}
