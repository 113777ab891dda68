#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Synchronization

/// The bytes of one plane and, for each, whether it was ever written (poison is the absence).
///
/// A view: the memory belongs to its maker. Written bits are kept in 64-bit words, 64 bytes each.
public struct BytePlane {
  @usableFromInline let bytes: UnsafeMutablePointer<UInt8>
  @usableFromInline let written: UnsafeMutablePointer<UInt64>
  /// Bytes in the plane.
  public let count: Int
  /// Whether several threads write bytes of their own: a word of written bits may then belong to
  /// two of them.
  let isShared: Bool

  init(
    bytes: UnsafeMutablePointer<UInt8>, written: UnsafeMutablePointer<UInt64>, count: Int,
    isShared: Bool = false
  ) {
    self.bytes = bytes
    self.written = written
    self.count = count
    self.isShared = isShared
  }

  /// New bytes, none of them written. To be released with ``deallocate()``.
  static func allocate(_ count: Int, isShared: Bool = false) -> BytePlane {
    // A vector load may read a whole register at the last byte; the slack keeps it inside.
    let capacity = count + 64
    let words = capacity / 64 + 1
    // Zeroed memory of the system takes no room before it is written to.
    let zeroed = calloc(words, 8)?.bindMemory(to: UInt64.self, capacity: words)
    let written = zeroed ?? .allocate(capacity: words)
    if zeroed == nil { written.initialize(repeating: 0, count: words) }
    return BytePlane(
      bytes: UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        .bindMemory(to: UInt8.self, capacity: capacity),
      written: written, count: count, isShared: isShared)
  }

  /// Releases the memory of an allocated plane.
  func deallocate() {
    bytes.deallocate()
    free(written)
  }

  /// Address of a byte of the plane.
  @inlinable func pointer(_ offset: Int) -> UnsafeMutablePointer<UInt8> { bytes + offset }

  /// Where bytes that lie anywhere in memory are, counted from the plane's first.
  func offset(of other: TensorBytes.Part) -> Int {
    other.start.map { $0 - UnsafePointer(bytes) } ?? 0
  }

  /// Marks the bytes of a region as written.
  func markWritten(_ region: Region) {
    var start = region.base
    for _ in 0..<region.rows {
      markWritten(start, start + region.runBytes)
      start += region.pitch
    }
  }

  /// The first byte of the region that was never written, or `nil`.
  func firstPoisoned(_ region: Region) -> Int? {
    // Tiles mostly begin and end with words of written bits, and nearly always nothing is missing.
    if (region.base | region.pitch | region.runBytes) & 63 == 0, isWhollyWritten(region) {
      return nil
    }
    var start = region.base
    for _ in 0..<region.rows {
      if let found = firstPoisoned(start, start + region.runBytes) { return found }
      start += region.pitch
    }
    return nil
  }

  /// Whether all bytes of a region of whole words were written.
  private func isWhollyWritten(_ region: Region) -> Bool {
    let count = region.runBytes >> 6
    var word = written + (region.base >> 6)
    var all = UInt64.max
    for _ in 0..<region.rows {
      var index = 0
      while index < count {
        all &= word[index]
        index &+= 1
      }
      word += region.pitch >> 6
    }
    return all == .max
  }

  private func markWritten(_ start: Int, _ end: Int) {
    guard start < end else { return }
    let first = start >> 6
    let last = (end - 1) >> 6
    let head = UInt64.max << UInt64(start & 63)
    let tail = UInt64.max >> UInt64(63 - ((end - 1) & 63))
    if first == last {
      mark(first, head & tail)
      return
    }
    mark(first, head)
    for word in (first + 1)..<last { written[word] = .max }
    mark(last, tail)
  }

  private func mark(_ word: Int, _ bits: UInt64) {
    guard isShared else {
      written[word] |= bits
      return
    }
    UnsafeMutableRawPointer(written + word).assumingMemoryBound(to: Atomic<UInt64>.self)
      .pointee.bitwiseOr(bits, ordering: .relaxed)
  }

  private func firstPoisoned(_ start: Int, _ end: Int) -> Int? {
    guard start < end else { return nil }
    let first = start >> 6
    let last = (end - 1) >> 6
    let head = UInt64.max << UInt64(start & 63)
    let tail = UInt64.max >> UInt64(63 - ((end - 1) & 63))
    // Nearly always nothing is missing: one pass without branches finds that.
    var missing = ~written[first] & (first == last ? head & tail : head)
    if first < last {
      for word in (first + 1)..<last { missing |= ~written[word] }
      missing |= ~written[last] & tail
    }
    return missing == 0 ? nil : firstMissing(first...last, head, tail)
  }

  /// The lowest byte of some words that was never written; `head` and `tail` are the bits of the first
  /// and last word that count.
  private func firstMissing(_ words: ClosedRange<Int>, _ head: UInt64, _ tail: UInt64) -> Int? {
    for word in words {
      var missing = ~written[word]
      if word == words.lowerBound { missing &= head }
      if word == words.upperBound { missing &= tail }
      if missing != 0 { return word << 6 + missing.trailingZeroBitCount }
    }
    return nil
  }
}
