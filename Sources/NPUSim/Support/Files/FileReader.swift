#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An open regular file, read at any offset straight into the caller's memory. Closed at the end
/// of its life.
public struct FileReader: ~Copyable, Sendable {
  /// The path it was opened with, for messages.
  public let path: String
  /// Bytes in the file when it was opened.
  public let size: Int
  private let descriptor: Int32

  /// Opens a file for reading.
  ///
  /// - Throws: `.io` when the file is missing, may not be read, or is not a regular file.
  public init(_ path: String) throws(NPUError) {
    guard !path.utf8.contains(0) else {
      throw NPUError(.io, "the path contains a zero byte")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileFailure.error("cannot open \(path)", path: path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = FileFailure.error("cannot open \(path)", path: path)
      close(descriptor)
      throw error
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw NPUError(
        .io, "\(path) is \(isFolder ? "a folder" : "not a regular file"); a file is needed")
    }
    self.path = path
    self.size = Int(status.st_size)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Fills `buffer` from the bytes that start at `offset`.
  ///
  /// - Throws: `.io` when the file ends before the buffer is full or cannot be read.
  public func read(
    at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(NPUError) {
    guard let base = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      // One call moves less than 2 GiB on any system.
      let chunk = min(buffer.count - done, 1 << 30)
      let count = pread(descriptor, base + done, chunk, off_t(offset + done))
      if count < 0 {
        if errno == EINTR { continue }
        throw FileFailure.error("cannot read \(path)", path: path)
      }
      if count == 0 {
        throw NPUError(
          .io, "\(path) ends at byte \(offset + done), before byte \(offset + buffer.count)",
          hint: "the file became shorter while it was being read")
      }
      done += count
    }
  }

  /// The bytes `range` of the file, in one copy, with room for `room` more behind them.
  public func bytes(_ range: Range<Int>, room: Int = 0) throws(NPUError) -> [UInt8] {
    if range.count > 1 << 20 {
      var need = MemoryNeed()
      need.add(path, range.count)
      try need.require(.ofProcess())
    }
    var failure: NPUError?
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count + room) {
      buffer, initializedCount in
      let whole = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: range.count)
      do throws(NPUError) {
        try read(at: range.lowerBound, into: whole)
        initializedCount = range.count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Everything that can be read from a path, once and in order where it is no regular file.
  ///
  /// - Parameters:
  ///   - path: a regular file, a pipe or a device.
  ///   - limit: the largest size accepted, in bytes.
  /// - Throws: `.io`, also for more than the limit.
  public static func contents(
    of path: String, limit: Int = Int.max
  ) throws(NPUError) -> [UInt8] {
    if isStream(path) {
      var stream = try ByteStream(path)
      return try stream.rest(limit: limit)
    }
    let file = try FileReader(path)
    guard file.size <= limit else {
      throw NPUError(.io, "\(path) has \(file.size) bytes; at most \(limit) are accepted")
    }
    return try file.bytes(0..<file.size)
  }

  /// Whether a path exists and is neither a regular file nor a folder: what it holds comes once.
  public static func isStream(_ path: String) -> Bool {
    var status = stat()
    guard !path.utf8.contains(0), stat(path, &status) == 0 else { return false }
    return ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }
}
