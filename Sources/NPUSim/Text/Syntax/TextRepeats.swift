/// Lines that stood before: a text without loops has the same few hundred again and again. Each is
/// read once, and one that stands again takes over the statement of the first.
///
/// The bytes must outlive it.
struct TextRepeats {
  /// A line that may have stood before.
  struct Line {
    fileprivate var hash: UInt32
    fileprivate var start: UInt32
    /// Its line break.
    let end: Int
  }

  /// A line that was read.
  private struct Known {
    var hash: UInt32 = 0
    var start: UInt32 = 0
    var statement: Int32 = -1
  }

  private static var size: Int { 4096 }

  private let bytes: UnsafeRawBufferPointer
  /// By the low bits of their hashes; a later line takes the place of an earlier one.
  private var known = [Known](repeating: Known(), count: size)
  /// The first statement since a name got its present meaning.
  private var first: Int32 = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = UnsafeRawBufferPointer(bytes) }

  /// Forgets all lines before a statement: from there on they may mean something else.
  mutating func forget(before statement: Int) { first = Int32(truncatingIfNeeded: statement) }

  /// The line from one of its bytes on; `nil` if no line break follows, or one among the last seven bytes.
  func line(from start: Int) -> Line? {
    var hash: UInt64 = 0
    var place = start
    while place + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
      let breaks = Self.lineBreaks(word)
      guard breaks == 0 else {
        let length = breaks.trailingZeroBitCount / 8
        hash = Self.mixed(hash, word & ~(~0 << UInt64(8 * length)))
        return Line(
          hash: UInt32(truncatingIfNeeded: hash >> 32), start: UInt32(truncatingIfNeeded: start),
          end: place + length)
      }
      hash = Self.mixed(hash, word)
      place += 8
    }
    return nil
  }

  /// The statement of the first line with the same bytes, if it still means the same.
  func statement(of line: Line) -> Int? {
    let candidate = known[Int(line.hash) & (Self.size - 1)]
    guard candidate.statement >= first, candidate.hash == line.hash,
      isSame(Int(candidate.start), line)
    else { return nil }
    return Int(candidate.statement)
  }

  /// Keeps a line that is one statement and nothing else.
  mutating func keep(_ line: Line, as statement: Int) {
    known[Int(line.hash) & (Self.size - 1)] = Known(
      hash: line.hash, start: line.start, statement: Int32(truncatingIfNeeded: statement))
  }

  /// Whether another line has the same bytes, its line break included.
  private func isSame(_ start: Int, _ line: Line) -> Bool {
    let distance = Int(line.start) - start
    var place = Int(line.start)
    while place + 8 <= line.end {
      let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      if word != bytes.loadUnaligned(fromByteOffset: place - distance, as: UInt64.self) {
        return false
      }
      place += 8
    }
    while place <= line.end {
      if bytes[place] != bytes[place - distance] { return false }
      place += 1
    }
    return true
  }

  /// The highest bit of the first byte that is a line break, and maybe of later ones.
  @inline(__always)
  private static func lineBreaks(_ word: UInt64) -> UInt64 {
    let differences = word ^ 0x0A0A_0A0A_0A0A_0A0A
    return (differences &- 0x0101_0101_0101_0101) & ~differences & 0x8080_8080_8080_8080
  }

  @inline(__always)
  private static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let mixed = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
    return mixed ^ (mixed >> 29)
  }
}
