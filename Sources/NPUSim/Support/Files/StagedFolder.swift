#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A folder of files that appears complete or not at all.
///
/// The files are written into ``path``, a temporary folder beside the target, which ``commit()``
/// moves into place. A staged folder that is dropped before that is removed. An existing folder
/// that holds anything is replaced only when every file in it is one the caller has named.
struct StagedFolder: ~Copyable {
  /// Where to put the files meanwhile.
  let path: String
  private let target: String
  private let mayReplace: Bool
  private var isCommitted = false

  /// - Parameters:
  ///   - target: where the folder is to appear.
  ///   - replaceable: the files that may be thrown away when the folder exists already; `nil` when
  ///     nothing may.
  /// - Throws: `.io` when something is in the way or the folder cannot be created.
  init(_ target: String, replacing replaceable: Set<String>?) throws(NPUError) {
    let target = FileFailure.withoutTrailingSlashes(target)
    let name = FileFailure.name(of: target)
    guard !["", ".", "..", "/"].contains(name), !target.utf8.contains(0) else {
      throw NPUError(
        .io, "\"\(target)\" cannot be written as a folder", hint: "give the new folder a name")
    }
    var resolved = target
    if FolderAccess.isFolder(target) {
      try Self.check(target, replaceable)
      resolved = AtomicFile.resolved(target)
    } else if FolderAccess.exists(target) {
      throw NPUError(.io, "cannot write the folder \(target): a file has that name")
    }
    let path = AtomicFile.temporaryPath(beside: resolved)
    guard mkdir(path, 0o777) == 0 else {
      throw FileFailure.error("cannot create the folder \(target)", path: resolved)
    }
    self.path = path
    self.target = resolved
    self.mayReplace = replaceable != nil
  }

  deinit {
    if !isCommitted { Self.remove(path) }
  }

  /// Moves the folder into place.
  consuming func commit() throws(NPUError) {
    if rename(path, target) == 0 {
      isCommitted = true
      return
    }
    guard mayReplace, errno == ENOTEMPTY || errno == EEXIST else {
      if errno == ENOTEMPTY || errno == EEXIST { throw AtomicFile.existing(target) }
      throw FileFailure.error("cannot write the folder \(target)", path: target)
    }
    let aside = AtomicFile.temporaryPath(beside: target)
    guard rename(target, aside) == 0 else {
      throw FileFailure.error("cannot replace the folder \(target)", path: target)
    }
    guard rename(path, target) == 0 else {
      let error = FileFailure.error("cannot write the folder \(target)", path: target)
      rename(aside, target)
      throw error
    }
    isCommitted = true
    Self.remove(aside)
  }

  private static func check(_ folder: String, _ replaceable: Set<String>?) throws(NPUError) {
    let names = try FolderAccess.names(in: folder)
    if names.isEmpty { return }
    guard let replaceable else { throw AtomicFile.existing(folder) }
    for name in names {
      guard replaceable.contains(name), FolderAccess.isRegularFile("\(folder)/\(name)") else {
        throw NPUError(
          .io, "the folder \(folder) holds \(name), which is not part of it, and is not replaced",
          hint: "choose another name, or empty the folder yourself")
      }
    }
  }

  /// Removes a folder of plain files; what cannot be removed stays.
  private static func remove(_ folder: String) {
    for name in (try? FolderAccess.names(in: folder)) ?? [] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }
}
