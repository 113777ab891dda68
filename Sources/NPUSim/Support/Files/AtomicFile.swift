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
/// be replaced, and neither can one that is open already (`/dev/fd/3`): they are written to directly.
///
/// A caller may hold back signals that would leave the temporary file behind. One that is pending ends
/// the writing with an error, so that nobody waits for a large file before it is heard.
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
    if Self.writesDirectly(path) {
      let descriptor = Self.openDirectly(path)
      guard descriptor >= 0 else { throw FileFailure.error("cannot write \(path)", path: path) }
      self.path = path
      self.target = path
      self.temporary = nil
      self.force = force
      self.descriptor = descriptor
      return
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
      default: break
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

  /// Whether a path is written to as it is, without a temporary file: it exists and is no regular file,
  /// or it is an open descriptor.
  public static func writesDirectly(_ path: String) -> Bool {
    openDescriptor(path) != nil || FileReader.isStream(path)
  }

  /// The descriptor that a path such as `/dev/fd/3` names.
  private static func openDescriptor(_ path: String) -> Int32? {
    for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
      return Int32(path.dropFirst(folder.utf8.count)).flatMap { $0 >= 0 ? $0 : nil }
    }
    return ["/dev/stdout": STDOUT_FILENO, "/dev/stderr": STDERR_FILENO][path]
  }

  /// Waits for a reader where the path is a named pipe.
  private static func openDirectly(_ path: String) -> Int32 {
    openDescriptor(path).map { dup($0) } ?? open(path, O_WRONLY | O_CLOEXEC)
  }

  /// Finds out whether a path can be written, and leaves it as it is. Nothing is opened that would be
  /// noticed at the other end.
  ///
  /// - Throws: `.io` as writing would, as far as that can be known.
  public static func check(_ path: String, force: Bool) throws(NPUError) {
    guard !path.utf8.contains(0), writesDirectly(path) else {
      _ = try AtomicFile(path, force: force)
      return
    }
    if openDescriptor(path) == nil, access(path, W_OK) != 0 {
      throw FileFailure.error("cannot write \(path)", path: path)
    }
  }

  /// Whether the user wants to stop and the caller holds the signal back.
  private static var isInterrupted: Bool {
    var pending = sigset_t()
    guard sigpending(&pending) == 0 else { return false }
    return [SIGINT, SIGTERM, SIGHUP].contains { sigismember(&pending, $0) == 1 }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(NPUError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      guard !Self.isInterrupted else {
        throw NPUError(.io, "cannot write \(path): interrupted")
      }
      let chunk = min(bytes.count - done, 1 << 24)
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
