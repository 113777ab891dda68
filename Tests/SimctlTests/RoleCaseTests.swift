import Foundation
import NPUSim
import Testing

/// Texts whose tensors are not what they are declared to be; each stands for its kind.
@Suite struct RoleCaseTests {
  static func file(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Cases/\(name).npu").path(percentEncoded: false)
  }

  @Test func `output-half-written: the rows that nothing writes, and the line of the last write`()
    throws
  {
    let result = try SimctlProcess.run(["check", Self.file("output-half-written")])
    #expect(result.status == 1)
    #expect(result.text.contains("error[I002]"))
    #expect(result.text.contains("rows 16 to 31 of the output y: 4096 of its 8192 elements"))
    #expect(result.text.contains("output-half-written.npu:8:1"))
    #expect(result.text.contains(".update"))
  }

  @Test func `output-never-written: the declaration of the output`() throws {
    let result = try SimctlProcess.run(["check", Self.file("output-never-written"), "--lint"])
    #expect(result.status == 1)
    #expect(result.text.contains("error[I002]"))
    #expect(result.text.contains("rows 0 to 31 of the output y"))
    #expect(result.text.contains("output-never-written.npu:2:"))
    // What the load is for is not asked while the output is missing.
    #expect(!result.text.contains("P008"))
  }

  @Test func `overwrites-input: the line that writes the input`() throws {
    let result = try SimctlProcess.run(["run", Self.file("overwrites-input")])
    #expect(result.status == 1)
    #expect(result.text.contains("error[I003]"))
    #expect(result.text.contains("overwrites-input.npu:10:1"))
    #expect(result.text.contains("declare x .update"))
  }
}
