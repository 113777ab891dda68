import Foundation
import NPUSim
import Testing

@Suite struct AtomicFileTests {
  private func failure(_ body: () throws -> Void) -> NPUError? {
    do {
      try body()
      return nil
    } catch { return error as? NPUError }
  }

  @Test func `a file appears with all its bytes and nothing beside it`() throws {
    let folder = try TemporaryFolder()
    var file = try AtomicFile(folder("a"), force: false)
    try file.write([1, 2, 3])
    #expect(!folder.names.contains("a"))
    try file.write([])
    try file.write([4])
    try file.commit()
    #expect(folder.names == ["a"])
    #expect(try folder.read("a") == [1, 2, 3, 4])
  }

  @Test func `a file that is not committed leaves nothing`() throws {
    let folder = try TemporaryFolder()
    do {
      var file = try AtomicFile(folder("a"), force: false)
      try file.write([1])
    }
    #expect(folder.names.isEmpty)
  }

  @Test func `an existing file is replaced by force only`() throws {
    let folder = try TemporaryFolder()
    try folder.write([9], "a")
    let error = try #require(
      failure { try AtomicFile.write([1], to: folder("a"), force: false) })
    #expect(error.category == .io)
    #expect(error.message == "\(folder("a")) exists already and is not overwritten")
    #expect(try folder.read("a") == [9])
    try AtomicFile.write([1], to: folder("a"), force: true)
    #expect(try folder.read("a") == [1])
    #expect(folder.names == ["a"])
  }

  @Test func `a file that appears meanwhile is not replaced either`() throws {
    let folder = try TemporaryFolder()
    var file = try AtomicFile(folder("a"), force: false)
    try file.write([1])
    try folder.write([9], "a")
    // A noncopyable value cannot be consumed inside a closure.
    var message: String?
    do { try file.commit() } catch { message = error.message }
    #expect(message == "\(folder("a")) exists already and is not overwritten")
    #expect(try folder.read("a") == [9])
    #expect(folder.names == ["a"])
  }

  @Test func `a link is followed and stays`() throws {
    let folder = try TemporaryFolder()
    try folder.write([9], "real")
    try FileManager.default.createSymbolicLink(
      atPath: folder("link"), withDestinationPath: folder("real"))
    try AtomicFile.write([1], to: folder("link"), force: true)
    #expect(try folder.read("real") == [1])
    #expect(folder.names == ["link", "real"])
  }

  @Test func `a device is written to, not replaced`() throws {
    try AtomicFile.write([1, 2], to: "/dev/null", force: false)
    try AtomicFile.write([1, 2], to: "/dev/null", force: true)
    let type = try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type]
    #expect(type as? FileAttributeType == .typeCharacterSpecial)
  }

  @Test func `each reason a file cannot be written is said`() throws {
    let folder = try TemporaryFolder()
    func message(_ path: String) -> String? {
      failure { try AtomicFile.write([1], to: path, force: false) }?.message
    }
    #expect(message(folder.path) == "cannot write \(folder.path): it is a folder")
    #expect(
      message(folder("no/a"))
        == "cannot write \(folder("no/a")): the folder \(folder("no")) does not exist")
    try folder.write([1], "file")
    #expect(
      message(folder("file/a"))
        == "cannot write \(folder("file/a")): a part of its path is not a folder")
    #expect(message("") == "\"\" is not a path that can be written")
    #expect(message("a\0b") == "\"a\0b\" is not a path that can be written")
  }

  @Test func `a folder without write permission is named`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
    var error: NPUError?
    withOrdinaryPermissions {
      error = failure { try AtomicFile.write([1], to: folder("a"), force: false) }
    }
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
    #expect(error?.category == .io)
    #expect(error?.message == "cannot write \(folder("a")): permission denied")
    #expect(error?.hint?.contains(folder.path) == true)
    #expect(folder.names.isEmpty)
  }

  @Test func `each reason a file cannot be read is said`() throws {
    let folder = try TemporaryFolder()
    func message(_ path: String, limit: Int = 100) -> String? {
      failure { _ = try FileReader.contents(of: path, limit: limit) }?.message
    }
    #expect(message(folder("a")) == "cannot open \(folder("a")): there is no such file")
    #expect(
      message(folder("no/a"))
        == "cannot open \(folder("no/a")): the folder \(folder("no")) does not exist")
    #expect(message(folder.path) == "\(folder.path) is a folder; a file is needed")
    let device = failure { _ = try FileReader("/dev/null") }?.message
    #expect(device == "/dev/null is not a regular file; a file is needed")
    #expect(message("a\0b") == "the path contains a zero byte")
    try folder.write([1, 2, 3], "a")
    #expect(message(folder("a"), limit: 2) == "\(folder("a")) has 3 bytes; at most 2 are accepted")
    #expect(try FileReader.contents(of: folder("a")) == [1, 2, 3])
    try folder.write([], "empty")
    #expect(try FileReader.contents(of: folder("empty")).isEmpty)
    var denied: String?
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: folder("a"))
    withOrdinaryPermissions { denied = message(folder("a")) }
    #expect(denied == "cannot open \(folder("a")): permission denied")
  }

  @Test func `reading past the end is an error`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], "a")
    let file = try FileReader(folder("a"))
    #expect(try file.bytes(1..<3) == [2, 3])
    var message: String?
    do { _ = try file.bytes(1..<9) } catch { message = error.message }
    #expect(message == "\(folder("a")) ends at byte 3, before byte 9")
  }
}
