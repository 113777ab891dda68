#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Which file a path leads to, however it is spelled and through whatever links: equal for two paths
/// where writing to one would change the other.
public struct FileIdentity: Sendable, Hashable {
  private let device: UInt64
  private let node: UInt64
  /// The name in the folder `node` of a file that does not exist yet; empty for one that does.
  private let name: String

  /// `nil` for a character device, which takes anything from anybody, and where no folder could hold
  /// the file.
  public init?(_ path: String) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFCHR else { return nil }
      self.init(status, name: "")
      return
    }
    let path = FileFailure.withoutTrailingSlashes(path)
    guard stat(FileFailure.parent(of: path), &status) == 0 else { return nil }
    self.init(status, name: FileFailure.name(of: path))
  }

  private init(_ status: stat, name: String) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    node = UInt64(truncatingIfNeeded: status.st_ino)
    self.name = name
  }

  /// The folder that a path's file is in.
  public static func folder(of path: String) -> FileIdentity? {
    FileIdentity(FileFailure.parent(of: FileFailure.withoutTrailingSlashes(path)))
  }
}
