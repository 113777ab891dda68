/// The bytes of a text program and what messages call them.
public struct TextSource: Sendable {
  /// The file's name in messages.
  public let file: String
  public let bytes: [UInt8]
  /// Offset of the first byte of each line.
  private let lineStarts: [UInt32]

  /// A source of at most 2^31 − 1 bytes; what lies beyond is cut off.
  public init(file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes.count > Int(Int32.max) ? Array(bytes.prefix(Int(Int32.max))) : bytes
    lineStarts = self.bytes.withUnsafeBytes { Self.lineStarts($0) }
  }

  /// The offsets of the first bytes of lines; eight bytes are looked at together.
  private static func lineStarts(_ bytes: UnsafeRawBufferPointer) -> [UInt32] {
    var starts: [UInt32] = [0]
    starts.reserveCapacity(bytes.count / 16 + 1)
    var index = 0
    while index + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
      let differences = word ^ 0x0A0A_0A0A_0A0A_0A0A
      // The highest bit of each byte that is no line break: no sum carries into the next byte.
      let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
      var breaks = ~((differences & low) &+ low | differences | low)
      while breaks != 0 {
        starts.append(UInt32(truncatingIfNeeded: index + breaks.trailingZeroBitCount / 8 + 1))
        breaks &= breaks &- 1
      }
      index += 8
    }
    while index < bytes.count {
      if bytes[index] == 0x0A { starts.append(UInt32(truncatingIfNeeded: index + 1)) }
      index += 1
    }
    return starts
  }

  /// The text of a string.
  public init(file: String, text: String) { self.init(file: file, bytes: Array(text.utf8)) }

  /// Lines; what is empty after the last line break is none.
  public var lineCount: Int {
    let isLastEmpty = lineStarts.last.map { Int($0) == bytes.count } ?? true
    return lineStarts.count - (isLastEmpty ? 1 : 0)
  }

  /// A one-based line without the space around it, `nil` if there is none.
  func line(_ number: Int) -> String? {
    guard number > 0, number <= lineCount else { return nil }
    let end = number < lineStarts.count ? Int(lineStarts[number]) : bytes.count
    let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    let line = bytes[Int(lineStarts[number - 1])..<end].drop(while: isSpace)
    guard let last = line.lastIndex(where: { !isSpace($0) }) else { return "" }
    var whole = line[...last]
    if whole.count > Self.longestShown {
      whole = whole.prefix(Self.longestShown)
      // A character that is cut goes altogether.
      while let byte = whole.last, byte & 0xC0 == 0x80 { whole.removeLast() }
      if let byte = whole.last, byte >= 0x80 { whole.removeLast() }
    }
    // What a file holds must not steer a terminal.
    let shown = whole.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }
    return String(decoding: shown, as: UTF8.self) + (whole.endIndex <= last ? "…" : "")
  }

  /// Bytes of a line that are shown beside a finding: many may be on one long line.
  private static let longestShown = 240

  /// One-based line and column of a span; its length ends with its line.
  func location(_ span: TextSpan) -> SourceLocation {
    let start = min(Int(span.start), bytes.count)
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(lineStarts[middle]) <= start { low = middle } else { high = middle }
    }
    let lineStart = Int(lineStarts[low])
    let lineEnd = low + 1 < lineStarts.count ? Int(lineStarts[low + 1]) - 1 : bytes.count
    let end = max(start, min(Int(span.end), lineEnd))
    return SourceLocation(
      file: file, line: low + 1, column: characters(lineStart, start) + 1,
      length: characters(start, end))
  }

  private func characters(_ start: Int, _ end: Int) -> Int {
    String(decoding: bytes[start..<max(start, end)], as: UTF8.self).unicodeScalars.count
  }

  /// The characters of a span.
  func text(_ span: TextSpan) -> String {
    String(decoding: bytes[Int(span.start)..<Int(max(span.start, span.end))], as: UTF8.self)
  }
}

/// A range of bytes of a ``TextSource``.
struct TextSpan: Sendable, Hashable {
  var start: UInt32
  var end: UInt32

  /// No place: what a printer made.
  static let none = TextSpan(start: 0, end: 0)

  /// From the start of this one to the end of the other.
  func joined(_ other: TextSpan) -> TextSpan { TextSpan(start: start, end: max(end, other.end)) }

  /// So many bytes further on.
  func shifted(_ bytes: UInt32) -> TextSpan { TextSpan(start: start &+ bytes, end: end &+ bytes) }
}
