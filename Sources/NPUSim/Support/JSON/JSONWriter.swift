/// Writes JSON text into a byte buffer, deterministically: the same calls give the same bytes.
///
/// The calls must follow the grammar (a key before each value of an object, every `begin` closed);
/// the writer places commas, line breaks and escapes. For very long texts call ``takeBytes()``
/// now and then and pass the bytes on.
///
/// ```swift
/// var json = JSONWriter()
/// json.beginObject()
/// json.key("cycles")
/// json.integer(1234)
/// json.endObject()
/// ```
public struct JSONWriter: Sendable {
  /// How much white space is written.
  public enum Layout: Sendable {
    /// Two spaces per level, one member per line.
    case pretty
    /// No white space at all.
    case compact
  }

  private struct Level {
    var closing: UInt8
    var isInline: Bool
    var isEmpty = true
  }

  private var bytes: [UInt8] = []
  private var levels: [Level] = []
  private var followsKey = false
  private let layout: Layout

  /// An empty text. `capacity` is the number of bytes to make room for.
  public init(_ layout: Layout = .pretty, reservingCapacity capacity: Int = 0) {
    self.layout = layout
    bytes.reserveCapacity(max(0, capacity))
  }

  /// The bytes written and not yet taken.
  public var byteCount: Int { bytes.count }

  /// Hands over the bytes written so far and goes on with an empty buffer.
  public mutating func takeBytes() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  // MARK: Structure

  /// Opens an object.
  public mutating func beginObject() { begin(UInt8(ascii: "{"), UInt8(ascii: "}"), inline: false) }
  /// Closes the innermost object.
  public mutating func endObject() { end() }

  /// Opens an array.
  ///
  /// - Parameter inline: keeps the elements on one line in the pretty layout; meant for scalars.
  public mutating func beginArray(inline: Bool = false) {
    begin(UInt8(ascii: "["), UInt8(ascii: "]"), inline: inline)
  }
  /// Closes the innermost array.
  public mutating func endArray() { end() }

  /// Writes a key of the innermost object; its value comes next.
  public mutating func key(_ key: String) {
    separate()
    appendQuoted(key)
    bytes.append(UInt8(ascii: ":"))
    if layout == .pretty { bytes.append(UInt8(ascii: " ")) }
    followsKey = true
  }

  /// Ends the text with a line break.
  public mutating func newline() { bytes.append(0x0A) }

  // MARK: Scalars

  /// Writes null.
  public mutating func null() { raw("null") }
  /// Writes true or false.
  public mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }
  /// Writes an integer.
  public mutating func integer(_ value: Int) { integer(Int64(value)) }

  /// Writes an integer.
  public mutating func integer(_ value: Int64) {
    separate()
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(value.magnitude)
  }

  /// Writes an integer.
  public mutating func integer(_ value: UInt64) {
    separate()
    appendDigits(value)
  }

  /// The shortest text that reads back as `value`; null for an infinity or a NaN.
  public mutating func double(_ value: Double) {
    if value.isFinite { raw(value.description) } else { null() }
  }

  /// The shortest text that reads back as the same FP32 value; null for an infinity or a NaN.
  public mutating func float(_ value: Float) {
    if value.isFinite { raw(value.description) } else { null() }
  }

  /// The number's own literal.
  public mutating func number(_ value: JSONNumber) { raw(value.text) }

  /// Writes a string, escaping only what must be.
  public mutating func string(_ text: String) {
    separate()
    appendQuoted(text)
  }

  /// A whole tree. In the pretty layout an array of scalars stays on one line.
  public mutating func value(_ value: JSONValue) {
    switch value.content {
    case .null: null()
    case .bool(let flag): bool(flag)
    case .number(let number): self.number(number)
    case .string(let text): string(text)
    case .array(let elements):
      beginArray(inline: elements.allSatisfy(\.isScalar))
      for element in elements { self.value(element) }
      endArray()
    case .object(let members):
      beginObject()
      for member in members {
        key(member.key)
        self.value(member.value)
      }
      endObject()
    }
  }

  // MARK: Bytes

  private mutating func begin(_ opening: UInt8, _ closing: UInt8, inline: Bool) {
    separate()
    bytes.append(opening)
    let inherited = levels.last?.isInline ?? false
    levels.append(Level(closing: closing, isInline: inline || inherited))
  }

  private mutating func end() {
    guard let level = levels.popLast() else { return }
    if !level.isEmpty && !level.isInline { lineBreak() }
    bytes.append(level.closing)
  }

  /// What stands between the previous value and the next.
  private mutating func separate() {
    if followsKey {
      followsKey = false
      return
    }
    guard let last = levels.indices.last else { return }
    if !levels[last].isEmpty { bytes.append(UInt8(ascii: ",")) }
    if !levels[last].isInline {
      lineBreak()
    } else if !levels[last].isEmpty, layout == .pretty {
      bytes.append(UInt8(ascii: " "))
    }
    levels[last].isEmpty = false
  }

  private mutating func lineBreak() {
    guard layout == .pretty else { return }
    bytes.append(0x0A)
    for _ in 0..<(2 * levels.count) { bytes.append(0x20) }
  }

  private mutating func raw(_ text: String) {
    separate()
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func appendDigits(_ value: UInt64) {
    var count = 1
    var rest = value
    while rest > 9 {
      rest /= 10
      count += 1
    }
    for _ in 0..<count { bytes.append(0) }
    rest = value
    var index = bytes.count
    repeat {
      index -= 1
      bytes[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
  }

  private mutating func appendQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    if text.utf8.contains(where: { $0 >= 0x7F }),
      text.unicodeScalars.contains(where: ForeignText.isInvisible)
    {
      appendVisible(text)
      return
    }
    let isDone: Void? = text.utf8.withContiguousStorageIfAvailable { appendEscaped($0) }
    if isDone == nil { Array(text.utf8).withUnsafeBufferPointer { appendEscaped($0) } }
  }

  /// Text whose invisible characters are escapes too: JSON goes to terminals as well.
  private mutating func appendVisible(_ text: String) {
    for scalar in text.unicodeScalars {
      if scalar.value >= 0x7F && ForeignText.isInvisible(scalar) {
        for unit in UTF16.encode(scalar) ?? UTF16.EncodedScalar() {
          let digits = String(unit, radix: 16)
          bytes.append(contentsOf: "\\u".utf8)
          bytes.append(contentsOf: String(repeating: "0", count: 4 - digits.utf8.count).utf8)
          bytes.append(contentsOf: digits.utf8)
        }
      } else {
        Array(String(scalar).utf8).withUnsafeBufferPointer { appendEscaped($0) }
      }
    }
  }

  private mutating func appendEscaped(_ utf8: UnsafeBufferPointer<UInt8>) {
    var start = 0
    for index in 0..<utf8.count {
      let byte = utf8[index]
      if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
      start = index + 1
      bytes.append(UInt8(ascii: "\\"))
      switch byte {
      case 0x08: bytes.append(UInt8(ascii: "b"))
      case 0x09: bytes.append(UInt8(ascii: "t"))
      case 0x0A: bytes.append(UInt8(ascii: "n"))
      case 0x0C: bytes.append(UInt8(ascii: "f"))
      case 0x0D: bytes.append(UInt8(ascii: "r"))
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
      default:
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(contentsOf: "u00".utf8)
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      }
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
  }
}

extension JSONWriter {
  /// `text` as a JSON string, quotes and escapes included.
  public static func quoted(_ text: String) -> String {
    var writer = JSONWriter(.compact)
    writer.string(text)
    return String(decoding: writer.takeBytes(), as: UTF8.self)
  }
}

extension JSONValue {
  fileprivate var isScalar: Bool {
    switch content {
    case .array, .object: false
    default: true
    }
  }

  /// The canonical bytes: members in their order, numbers as their literals. The pretty layout
  /// ends with a line break.
  public func bytes(_ layout: JSONWriter.Layout = .pretty) -> [UInt8] {
    var writer = JSONWriter(layout)
    writer.value(self)
    if layout == .pretty { writer.newline() }
    return writer.takeBytes()
  }

  /// The canonical text; see ``bytes(_:)``.
  public func text(_ layout: JSONWriter.Layout = .pretty) -> String {
    String(decoding: bytes(layout), as: UTF8.self)
  }
}
