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

  @Test func `uninitialised-tail: the columns that nothing loaded, and the line of the load`()
    throws
  {
    let result = try SimctlProcess.run(["check", Self.file("uninitialised-tail")])
    #expect(result.status == 1)
    #expect(result.text.contains("but nothing writes columns 64 to 127 of it; load.l1 #0"))
    #expect(result.text.contains("nothing writes rows 64 to 127 of it; load.l1 #1"))
    #expect(result.text.contains("uninitialised-tail.npu:11:1"))
    let whole = try SimctlProcess.run([
      "check", Self.file("uninitialised-tail"), "--param", "depth=64",
    ])
    #expect(whole.status == 0, "\(whole.text)")
  }

  @Test func `minus-one-row: the list, the place and the value that is no row`() throws {
    let result = try SimctlProcess.run(["check", Self.file("minus-one-row"), "--cores", "2"])
    #expect(result.status == 1)
    #expect(result.text.contains("error[M006]") && !result.text.contains("M005"))
    #expect(result.text.contains("q[1] is -1, but y has rows 0 to 15"))
    #expect(result.text.contains("minus-one-row.npu:11:"))
  }

  /// Kernels whose tensors are updated, indexed or passed on in HBM.
  @Test(arguments: [
    "compress_epilog --tokens 6 --dim 256 --slots 9", "swiglu --tokens 2 --hidden 64 --ffn 96",
    "linear --tokens 2 --in 64 --out 96 --residual",
    "embedding --tokens 4 --vocab 40 --hidden 64",
    "flash_attention --q 1 --kv 70 --head-dim 32 --page 32 --kv-format mxint8",
    "flash_attention --q 40 --kv 40 --head-dim 32 --rung unfused", "gemm --m 40 --n 40 --k 40",
  ])
  func `the documented comparison of a kernel with its printed text`(_ words: String) throws {
    let scratch = try ScratchFolder()
    let (dump, text) = (scratch("k.safetensors"), scratch("k.npu"))
    let words = words.components(separatedBy: " ")
    #expect(try SimctlProcess.run(["run"] + words + ["--dump", dump]).status == 0)
    let printed = try SimctlProcess.run(["disasm"] + words)
    try Data(printed.output).write(to: URL(filePath: text))
    let again = try SimctlProcess.run(["run", text, "--inputs", dump, "--expect", dump])
    #expect(again.status == 0, "\(again.text)\(again.error)")
  }
}
