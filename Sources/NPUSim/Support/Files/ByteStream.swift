#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Bytes that come once and in order: of a pipe, a terminal, or standard input.
///
/// Waiting for them, or for whoever opens the other end, can be interrupted at any time.
public struct ByteStream: ~Copyable, Sendable {
  /// What messages call it: the path it was opened with.
  public let path: String
  private let descriptor: Int32
  private let isOwned: Bool
  /// Bytes read so far.
  private var position = 0

  /// Bytes that are asked for at once.
  private static let chunk = 1 << 16

  /// Opens what stands at a path; waits until somebody writes where it is a named pipe.
  ///
  /// - Throws: `.io` when it is missing, may not be read, or is a folder.
  public init(_ path: String) throws(NPUError) {
    guard !path.utf8.contains(0) else { throw NPUError(.io, "the path contains a zero byte") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFailure.error("cannot open \(path)", path: path) }
    self.path = path
    self.descriptor = descriptor
    isOwned = true
  }

  private init(descriptor: Int32, path: String) {
    self.path = path
    self.descriptor = descriptor
    isOwned = false
  }

  /// Standard input.
  public static func standardInput() -> ByteStream {
    ByteStream(descriptor: STDIN_FILENO, path: "standard input")
  }

  deinit {
    if isOwned { close(descriptor) }
  }

  /// Reads up to the end of `buffer`; 0 only at the end of the stream.
  private mutating func some(
    _ buffer: UnsafeMutableRawBufferPointer
  ) throws(NPUError) -> Int {
    guard let base = buffer.baseAddress, !buffer.isEmpty else { return 0 }
    while true {
      let count = read(descriptor, base, min(buffer.count, 1 << 30))
      if count >= 0 {
        position += count
        return count
      }
      if errno != EINTR { throw FileFailure.error("cannot read \(path)", path: path) }
    }
  }

  /// The next bytes: `count` of them, fewer only where the stream ends.
  public mutating func next(_ count: Int) throws(NPUError) -> [UInt8] {
    var bytes: [UInt8] = []
    // Memory grows with what has come, not with what somebody claims will.
    while bytes.count < count {
      let start = bytes.count
      let size = min(count - start, max(Self.chunk, start))
      bytes.append(contentsOf: repeatElement(0, count: size))
      var found = 0
      while found < size {
        let part = try Self.fill(&self, &bytes, start + found..<start + size)
        if part == 0 {
          bytes.removeLast(size - found)
          return bytes
        }
        found += part
      }
    }
    return bytes
  }

  /// Reads bytes and forgets them; returns how many there were, fewer than `count` only where the
  /// stream ends.
  public mutating func skip(_ count: Int) throws(NPUError) -> Int {
    var chunk = [UInt8](repeating: 0, count: min(max(count, 0), Self.chunk))
    var done = 0
    while done < count {
      let part = try Self.fill(&self, &chunk, 0..<min(chunk.count, count - done))
      if part == 0 { break }
      done += part
    }
    return done
  }

  /// Everything that is left.
  ///
  /// - Throws: `.io` when it cannot be read or is longer than `limit` bytes.
  public mutating func rest(limit: Int) throws(NPUError) -> [UInt8] {
    let bytes = try next(limit)
    if bytes.count == limit, try skip(1) > 0 {
      throw NPUError(.io, "\(path) is longer than \(limit) bytes, the most that are accepted")
    }
    return bytes
  }

  private static func fill(
    _ stream: inout ByteStream, _ bytes: inout [UInt8], _ range: Range<Int>
  ) throws(NPUError) -> Int {
    let outcome: Result<Int, NPUError> = bytes.withUnsafeMutableBytes { buffer in
      do throws(NPUError) {
        return .success(
          try stream.some(UnsafeMutableRawBufferPointer(rebasing: buffer[range])))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }
}
