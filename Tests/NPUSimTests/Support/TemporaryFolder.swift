import Foundation

/// A folder for one test, removed with everything in it at the end.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "npusim-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
  }

  func write(_ text: String, _ name: String) throws { try write(Array(text.utf8), name) }

  func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: self(name))))
  }

  /// What the folder holds, sorted.
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }
}

/// Runs `body` with the file permissions of an ordinary user even when the tests run as root.
/// The change is one of the calling thread alone, so `body` must not suspend.
func withOrdinaryPermissions(_ body: () throws -> Void) rethrows {
  #if os(Linux)
    typealias SetFileUser = @convention(c) (UInt32) -> Int32
    if geteuid() == 0, let symbol = dlsym(dlopen(nil, RTLD_NOW), "setfsuid") {
      let setFileUser = unsafeBitCast(symbol, to: SetFileUser.self)
      _ = setFileUser(65534)
      defer { _ = setFileUser(0) }
      try body()
      return
    }
  #endif
  try body()
}
