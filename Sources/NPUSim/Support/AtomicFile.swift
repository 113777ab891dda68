#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that appears complete or not at all.
///
/// The bytes go to a temporary file in the same folder, which ``commit()`` moves into place; a
/// writer that is dropped before that leaves nothing behind. An existing file is replaced only by
/// force. A destination that exists and is no regular file (a terminal, a pipe, `/dev/null`) cannot
/// be replaced, and is written to directly.
///
/// Complete means complete for other programs; the bytes are not forced to the disk, so a power
/// failure right afterwards may still lose them.
public struct AtomicFile: ~Copyable {
  /// The path it was opened with, for messages.
  public let path: String
  private let target: String
  /// `nil` when writing straight into a device.
  private let temporary: String?
  private let force: Bool
  private let descriptor: Int32
  private var isCommitted = false

  /// Starts a file.
  ///
  /// - Parameters:
  ///   - path: where the file is to appear. A symbolic link is followed.
  ///   - force: whether an existing file may be replaced.
  /// - Throws: `.io` when the file exists and `force` is false, or it cannot be created.
  public init(_ path: String, force: Bool) throws(NPUError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw NPUError(.io, "\"\(path)\" is not a path that can be written")
    }
    var target = path
    var mode: mode_t = 0o666
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists {
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        throw NPUError(.io, "cannot write \(path): it is a folder")
      case S_IFREG:
        guard force else { throw Self.existing(path) }
        target = Self.resolved(path)
        mode = status.st_mode & 0o777
      default:
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure.error("cannot write \(path)", path: path) }
        self.path = path
        self.target = path
        self.temporary = nil
        self.force = force
        self.descriptor = descriptor
        return
      }
    }
    let temporary = Self.temporaryPath(beside: target)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw FileFailure.error("cannot write \(path)", path: target) }
    if exists { fchmod(descriptor, mode) }
    self.path = path
    self.target = target
    self.temporary = temporary
    self.force = force
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
    if let temporary, !isCommitted { unlink(temporary) }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(NPUError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let chunk = min(bytes.count - done, 1 << 30)
      #if canImport(Glibc)
        let count = Glibc.write(descriptor, base + done, chunk)
      #elseif canImport(Musl)
        let count = Musl.write(descriptor, base + done, chunk)
      #else
        let count = Darwin.write(descriptor, base + done, chunk)
      #endif
      if count < 0 {
        if errno == EINTR { continue }
        throw FileFailure.error("cannot write \(path)", path: path)
      }
      done += count
    }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: [UInt8]) throws(NPUError) {
    var failure: NPUError?
    bytes.withUnsafeBytes { raw in
      do throws(NPUError) { try write(raw) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Moves the file into place.
  ///
  /// - Throws: `.io` when a file has appeared there meanwhile and `force` is false, or the move
  ///   fails; nothing is left behind then.
  public consuming func commit() throws(NPUError) {
    guard let temporary else { return }
    if force {
      guard rename(temporary, target) == 0 else {
        throw FileFailure.error("cannot write \(path)", path: target)
      }
      isCommitted = true
      return
    }
    // A hard link, unlike a rename, fails when the name is taken.
    if link(temporary, target) == 0 { return }
    if errno == EEXIST { throw Self.existing(path) }
    // A file system without hard links: the check and the move are two steps there.
    var status = stat()
    if lstat(target, &status) == 0 { throw Self.existing(path) }
    guard rename(temporary, target) == 0 else {
      throw FileFailure.error("cannot write \(path)", path: target)
    }
    isCommitted = true
  }

  /// Writes a whole file at once.
  public static func write(
    _ bytes: [UInt8], to path: String, force: Bool
  ) throws(NPUError) {
    var file = try AtomicFile(path, force: force)
    try file.write(bytes)
    try file.commit()
  }

  static func existing(_ path: String) -> NPUError {
    NPUError(
      .io, "\(path) exists already and is not overwritten",
      hint: "choose another name, or overwrite it with --force")
  }

  /// A name in the same folder that nothing else uses.
  static func temporaryPath(beside path: String) -> String {
    let tag = String(UInt64.random(in: .min ... .max), radix: 16)
    let parent = FileFailure.parent(of: path)
    return (parent == "/" ? "" : parent) + "/.npusim-\(tag).tmp"
  }

  /// The path with symbolic links followed, or the path itself when it cannot be resolved.
  static func resolved(_ path: String) -> String {
    guard let absolute = realpath(path, nil) else { return path }
    defer { free(absolute) }
    return String(cString: absolute)
  }
}
