import Foundation
import Testing

/// The text programs of docs/examples do what they say.
@Suite struct ExampleTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(
      path: "docs/examples")

  private static func files(_ name: String) throws -> [String] {
    let path = folder.appending(path: name).path(percentEncoded: false)
    return try FileManager.default.contentsOfDirectory(atPath: path)
      .filter { $0.hasSuffix(".npu") }.sorted().map { path + "/" + $0 }
  }

  private static func file(_ name: String) -> String {
    folder.appending(path: name).path(percentEncoded: false)
  }

  private static func cycles(_ text: String) throws -> Int {
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("cycles") })
    let number = line.split(separator: " ")[1].filter { $0 != "," }
    return try #require(Int(number))
  }

  @Test func `every example is formatted, clean, and runs`() throws {
    let files = try Self.files(".")
    #expect(files.count >= 6)
    #expect(try SimctlProcess.run(["fmt", "--check"] + files).status == 0)
    for file in files {
      let result = try SimctlProcess.run(["run", file])
      #expect(result.status == 0, "\(file): \(result.text)\(result.error)")
    }
  }

  @Test func `every broken example has the finding that it names`() throws {
    let files = try Self.files("broken")
    #expect(files.count >= 5)
    #expect(try SimctlProcess.run(["fmt", "--check"] + files).status == 0)
    for file in files {
      let text = try String(contentsOfFile: file, encoding: .utf8)
      let first = try #require(text.split(separator: "\n").first)
      let code = first.replacingOccurrences(of: "; finds ", with: "")
      let result = try SimctlProcess.run(["check", file])
      #expect(result.status == 1 && result.text.contains("error[\(code)]"), "\(file)")
      #expect(result.text.contains("  at \(file):"), "\(file)")
    }
  }

  @Test(arguments: [
    ("softmax_v.npu", "softmax_v --kv 128", "kv=128"),
    ("softmax_v.npu", "softmax_v --kv 300", "kv=300"),
    (
      "gemm.npu",
      "gemm --m 256 --n 256 --k 512 --schedule rung=3,tile.m=128,tile.n=256,tile.k=32,"
        + "chunk.k=256,chunks.input=1,stages.input=4,stages.other=4,stages.feed=4,stages.acc=1,"
        + "slabs=0,kept=1,other.side=1", "k=512"
    ),
    (
      "flash_decode.npu",
      "flash_attention --q 1 --heads 16 --kv-heads 1 --kv 1024 --kv-format mxint8", "kv=1024"
    ),
    (
      "compress_epilog.npu", "compress_epilog --tokens 256 --dim 1024",
      "tokens=256 slots=256 dim=1024"
    ),
  ])
  func `a kernel by hand has the bits of the kernel, whose order takes at most 2 % more`(
    _ name: String, _ command: String, _ parameters: String
  ) throws {
    let scratch = try ScratchFolder()
    let dump = scratch("dump.safetensors")
    let words = command.components(separatedBy: " ")
    let kernel = try SimctlProcess.run(["run"] + words + ["--verify", "none", "--dump", dump])
    #expect(kernel.status == 0, "\(kernel.error)")
    let flags = parameters.components(separatedBy: " ").flatMap { ["--param", $0] }
    let text = try SimctlProcess.run(
      ["run", Self.file(name), "--inputs", dump, "--expect", dump, "--bits"] + flags)
    #expect(text.status == 0, "\(text.text)\(text.error)")
    let found = try Self.cycles(kernel.text)
    let byHand = try Self.cycles(text.text)
    #expect((found - byHand) * 50 <= byHand, "\(found) and \(byHand) cycles")
  }

  @Test func `the rows that are normalised have the bits of the kernel`() throws {
    let scratch = try ScratchFolder()
    let dump = scratch("dump.safetensors")
    let kernel = try SimctlProcess.run(
      ["run", "rms_norm", "--rows", "64", "--cols", "512", "--verify", "none", "--dump", dump])
    #expect(kernel.status == 0, "\(kernel.error)")
    let text = try SimctlProcess.run(
      ["run", Self.file("rms_norm.npu"), "--inputs", dump, "--expect", dump, "--bits"])
    #expect(text.status == 0, "\(text.text)\(text.error)")
  }

  @Test func `layer norm takes less than 40 lines, and 95 % of what is attainable on edge`() throws
  {
    let file = Self.file("layer_norm.npu")
    let source = try String(contentsOfFile: file, encoding: .utf8)
    #expect(source.split(separator: "\n", omittingEmptySubsequences: false).count - 1 < 40)
    let page = try SimctlProcess.run(["run", file, "--no-values"]).text
    let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("reached") })
    #expect(try #require(Double(line.split(separator: " ")[1])) >= 95, "\(line)")
  }

  @Test func `a gemm that is written plainly takes less than one that is pipelined by hand`() throws
  {
    // Pipelined by hand it takes 24,698: first-gemm-pipelined.npu of the programs of 0.1.0.
    let page = try SimctlProcess.run(["run", Self.file("gemm_bias.npu"), "--no-values"]).text
    #expect(try Self.cycles(page) <= 19_851)
  }

  @Test(arguments: ["ascend-910b-like", "ascend-950-like"], ["layer_norm.npu", "gemm_bias.npu"])
  func `what is written one after another is clean where nothing interlocks`(
    machine: String, name: String
  ) throws {
    let result = try SimctlProcess.run(["check", Self.file(name), "--config", machine])
    #expect(result.status == 0, "\(result.text)\(result.error)")
  }

  @Test func `ragged shapes of the examples are clean`() throws {
    for (name, parameters) in [
      ("vector_add.npu", ["rows=37", "columns=100"]), ("gemm.npu", ["m=130", "n=70", "k=300"]),
      ("softmax_v.npu", ["kv=77"]), ("online_softmax.npu", ["rows=5", "columns=300"]),
      ("flash_decode.npu", ["kv=333"]), ("compress_epilog.npu", ["tokens=16", "tile=3"]),
      ("rms_norm.npu", ["rows=37", "columns=100"]), ("layer_norm.npu", ["rows=37", "cols=100"]),
    ] {
      let flags = parameters.flatMap { ["--param", $0] }
      let result = try SimctlProcess.run(["run", Self.file(name)] + flags)
      #expect(result.status == 0, "\(name): \(result.text)\(result.error)")
    }
  }
}
