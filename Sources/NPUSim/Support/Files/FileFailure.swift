#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Turns the error number of a failed system call into an `NPUError` of category `.io`.
enum FileFailure {
  /// Call right after the failed call, before anything else can change `errno`.
  ///
  /// - Parameters:
  ///   - attempt: what was tried, such as `cannot open a.json`.
  ///   - path: the file or folder, to tell which part of its path is missing.
  static func error(_ attempt: String, path: String) -> NPUError {
    let code = errno
    switch code {
    case ENOENT:
      let parent = Self.parent(of: path)
      var status = stat()
      if stat(parent, &status) != 0 {
        return NPUError(.io, "\(attempt): the folder \(parent) does not exist")
      }
      return NPUError(.io, "\(attempt): there is no such file")
    case ENOTDIR:
      return NPUError(.io, "\(attempt): a part of its path is not a folder")
    case EACCES, EPERM:
      return NPUError(
        .io, "\(attempt): permission denied",
        hint: "check the permissions of the file and of the folder \(Self.parent(of: path))")
    case EROFS:
      return NPUError(.io, "\(attempt): the file system is read-only")
    case ENOSPC:
      return NPUError(.io, "\(attempt): the disk is full")
    case EISDIR:
      return NPUError(.io, "\(attempt): it is a folder")
    default:
      return NPUError(.io, "\(attempt): \(String(cString: strerror(code)))")
    }
  }

  /// The folder a path is in, `.` for a bare name.
  static func parent(of path: String) -> String {
    let trimmed = withoutTrailingSlashes(path)
    guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    let parent = withoutTrailingSlashes(String(trimmed[..<slash]))
    return parent.isEmpty ? "/" : parent
  }

  /// The last part of a path.
  static func name(of path: String) -> String {
    let trimmed = withoutTrailingSlashes(path)
    guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return trimmed }
    return String(trimmed[trimmed.utf8.index(after: slash)...])
  }

  /// `path` without slashes at its end; the root itself stays.
  static func withoutTrailingSlashes(_ path: String) -> String {
    var utf8 = path[...].utf8
    while utf8.count > 1, utf8.last == UInt8(ascii: "/") { utf8.removeLast() }
    return String(Substring(utf8))
  }
}
