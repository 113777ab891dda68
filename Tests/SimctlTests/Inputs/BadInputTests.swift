import Foundation
import NPUSim
import Testing

@Suite struct BadInputTests {
  static let lines = [
    BadLine("run", "simctl run needs a kernel", "simctl list kernels"),
    BadLine("run softmax_w", "there is no kernel 'softmax_w'", "did you mean softmax_v?"),
    BadLine("check --kv 3 softmaxv", "there is no kernel 'softmaxv'", "did you mean softmax_v?"),
    BadLine("run softmax_v gemm", "simctl run softmax_v takes nothing that 'gemm' could be"),
    BadLine(
      "run softmax_v --kvheads 3", "simctl run softmax_v has no flag --kvheads",
      "did you mean --kv-heads?"),
    BadLine("run softmax_v --kv", "--kv needs a value, found nothing", "write --kv N"),
    BadLine("run softmax_v --kv 0", "--kv needs at least 1, found 0"),
    BadLine("run softmax_v --kv -1", "--kv needs at least 1, found -1"),
    BadLine("run softmax_v --kv=-1", "--kv needs at least 1, found -1"),
    BadLine("run softmax_v --kv many", "--kv needs a whole number, found 'many'"),
    BadLine("run softmax_v --kv 12.5", "--kv needs a whole number, found '12.5'"),
    BadLine(
      "run softmax_v --kv 99999999999999999999",
      "--kv needs a whole number, found '99999999999999999999'"),
    BadLine("run softmax_v --kv 9223372036854775807", "--kv needs at most 1073741824"),
    BadLine("run softmax_v --kv 100000000 --heads 32", "HBM of edge holds", "smaller shape"),
    BadLine(
      "run softmax_v --kv 1073741824 --heads 1073741824 --head-dim 1073741824 --batch 1073741824",
      "HBM of edge holds"),
    BadLine("run softmax_v --heads 4 --kv-heads 3", "--kv-heads 3 does not divide --heads 4"),
    BadLine("run softmax_v --config edg", "there is no machine \"edg\"", "did you mean \"edge\"?"),
    BadLine("run softmax_v --config none.json", "cannot open none.json: there is no such file"),
    BadLine("run softmax_v --set vector.lane=3", "no machine parameter", "did you mean"),
    BadLine("run softmax_v --set vector.lanes=3", "vector.lanes"),
    BadLine("run softmax_v --set vector", "has no value", "path=value"),
    BadLine("run softmax_v --cores 0", "--cores needs at least 1, found 0"),
    BadLine("run softmax_v --cores two", "--cores needs a whole number, found 'two'"),
    BadLine("run softmax_v --schedule tile", "--schedule needs name=value, found 'tile'"),
    BadLine(
      "run softmax_v --schedule tile.kw=32", "the schedule has no field 'tile.kw'",
      "did you mean tile.kv?"),
    BadLine(
      "run softmax_v --kv 300 --config ideal --schedule stages=1000000000",
      "--schedule stages needs a whole number from 1 to 65535, found '1000000000'"),
    BadLine("run softmax_v --schedule stages=1,stages=2", "gives stages twice, as '1' and '2'"),
    BadLine("run softmax_v --set cores=2 --set cores=3", "cores is set twice", "keep one of them"),
    BadLine("run softmax_v --set cores=2 --cores 3", "by cores=2 and by cores=3"),
    BadLine(
      "run rope --positions 16 --factor 8",
      "--factor has no effect here: it needs --scaling llama3", "or leave --factor out"),
    BadLine("run softmax_v --seed -1", "--seed needs a whole number from 0"),
    BadLine("run softmax_v --verify most", "--verify needs one of full, sample, none"),
    BadLine("run softmax_v --fail-on lints", "--fail-on needs one of lint", "did you mean lint?"),
    BadLine("run softmax_v --jitter 0", "--jitter needs a percentage from 1 to 100"),
    BadLine("run softmax_v --runs 3", "--runs means nothing without --jitter"),
    BadLine("run softmax_v --tolerance 1", "--tolerance means nothing without --expect"),
    BadLine("run softmax_v --no-values --dump x", "--dump needs values"),
    BadLine("run softmax_v --dump - --json -", "cannot both go to standard output"),
    BadLine("run softmax_v --inputs none.safetensors", "cannot open none.safetensors"),
    BadLine("run softmax_v --inputs a.npy", "a.npy has no tensor names"),
    BadLine("run softmax_v --dump a.npy", "a.npy cannot hold several named tensors"),
    BadLine("run softmax_v --json /nowhere/a.json", "the folder /nowhere does not exist"),
    BadLine("run softmax_v --dump /nowhere/a.safetensors", "the folder /nowhere does not exist"),
    BadLine("check softmax_v --dump x", "simctl check softmax_v has no flag --dump"),
    BadLine("bench speed", "there is no benchmark 'speed'"),
    BadLine("bench --samples 0", "--samples needs at least 1, found 0"),
  ]

  @Test(arguments: lines)
  func `a request that cannot be run ends with 2 and says why`(_ line: BadLine) throws {
    try line.check()
  }

  @Test(arguments: ["run", "check", "disasm"])
  func `a shape that wants too many micro-ops ends with 3 before it is built`(verb: String) throws {
    let shape = "--q 100000 --kv 100000 --heads 64"
    let result = try SimctlProcess.run("\(verb) flash_attention \(shape)")
    #expect(result.status == 3 && result.text == "", "\(result.error)")
    #expect(result.error.contains("found more than 16777216 micro-ops"), "\(result.error)")
    #expect(result.error.contains("smaller shape"), "\(result.error)")
  }

  /// A file of tensors that cannot be used, and what has to be said about it.
  struct BadFile: CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var says: [String]

    init(_ name: String, header: String, size: Int? = nil, data: Int = 0, says: String...) {
      testDescription = name
      let count = UInt64(size ?? header.utf8.count)
      bytes =
        (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(header.utf8)
        + [UInt8](repeating: 0, count: data)
      self.says = says
    }
  }

  static let files = [
    BadFile("empty header", header: "", size: 0, says: "bad.safetensors"),
    BadFile("cut off", header: "{\"a\":", size: 1000, says: "bad.safetensors"),
    BadFile("header of 2^62 bytes", header: "{}", size: 1 << 62, says: "bad.safetensors"),
    BadFile(
      "data too short",
      header: #"{"a":{"dtype":"BF16","shape":[8],"data_offsets":[0,16]}}"#, data: 10,
      says: "bad.safetensors"),
    BadFile(
      "overlapping",
      header: #"{"a":{"dtype":"I8","shape":[8],"data_offsets":[0,8]},"#
        + #""b":{"dtype":"I8","shape":[8],"data_offsets":[4,12]}}"#, data: 12, says: "inside \"a\""),
    BadFile(
      "wrong name",
      header: #"{"softmaxed_v.qkT":{"dtype":"BF16","shape":[1,2,1,40],"data_offsets":[0,160]}}"#,
      data: 160, says: "no tensor of this kernel is named 'softmaxed_v.qkT'",
      "did you mean softmaxed_v.qk_T?"),
    BadFile(
      "wrong shape",
      header: #"{"softmaxed_v.qk_T":{"dtype":"BF16","shape":[1,2,40],"data_offsets":[0,160]}}"#,
      data: 160, says: "has shape [1, 2, 40], needed [1, 2, 1, 40]"),
    BadFile(
      "wrong type",
      header: #"{"softmaxed_v.qk_T":{"dtype":"F16","shape":[1,2,1,40],"data_offsets":[0,160]}}"#,
      data: 160, says: "is F16, needed BF16"),
    BadFile(
      "payload without scales",
      header: #"{"softmaxed_v.v":{"dtype":"I8","shape":[1,2,40,32],"data_offsets":[0,2560]}}"#,
      data: 2560, says: "softmaxed_v.v.scale"),
    BadFile(
      "integers as values",
      header: #"{"softmaxed_v.v":{"dtype":"I32","shape":[1,2,40,32],"data_offsets":[0,10240]}}"#,
      data: 10240, says: "softmaxed_v.v is I32, needed I8 with softmaxed_v.v.scale"),
  ]

  @Test(arguments: files)
  func `a file of tensors that cannot be used ends with 2 and says why`(_ file: BadFile) throws {
    let folder = try ScratchFolder()
    let path = try folder.write(file.bytes, "bad.safetensors")
    let result = try SimctlProcess.run(RunTests.small + " --inputs \(path)")
    #expect(result.status == 2, "\(result.text)")
    #expect(result.text == "")
    for text in file.says + ["bad.safetensors"] {
      #expect(result.error.contains(text), "\(result.error)")
    }
  }

  @Test func `an expected tensor that the kernel does not have ends with 2`() throws {
    let folder = try ScratchFolder()
    var set = TensorSet()
    try set.insert(Tensor(zeros: .bf16, shape: [3]), named: "softmaxed_v.oot")
    try set.write(folder("golden.safetensors"), force: false)
    let path = folder("golden.safetensors")
    let result = try SimctlProcess.run(RunTests.small + " --expect \(path)")
    #expect(result.status == 2)
    #expect(result.error.contains("golden.safetensors holds none of this kernel's tensors"))
  }

  @Test func `nothing is overwritten without force`() throws {
    let folder = try ScratchFolder()
    for flag in ["--json", "--dump"] {
      let path = try folder.write("precious", "kept.safetensors")
      let refused = try SimctlProcess.run(RunTests.small + " \(flag) \(path)")
      #expect(refused.status == 2)
      #expect(refused.text == "")
      #expect(refused.error.contains("exists already"))
      #expect(refused.error.contains("--force"))
      #expect(try folder.read("kept.safetensors") == Array("precious".utf8))
      #expect(try SimctlProcess.run(RunTests.small + " \(flag) \(path) --force").status == 0)
      #expect(try folder.read("kept.safetensors") != Array("precious".utf8))
    }
    #expect(folder.names == ["kept.safetensors"])
  }

  @Test func `a place that cannot be written is an error and leaves nothing behind`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write("", "file")
    for flag in ["--json \(file)/report.json", "--dump \(file)/d.safetensors", "--dump \(file)/d"] {
      let result = try SimctlProcess.run(RunTests.small + " \(flag)")
      #expect(result.status == 2, "\(flag)")
      #expect(result.error.hasPrefix("error: cannot "), "\(result.error)")
    }
    #expect(folder.names == ["file"])
  }
}
