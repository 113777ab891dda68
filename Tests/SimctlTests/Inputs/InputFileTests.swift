import Foundation
import NPUSim
import Testing

/// Tensors that come from somebody's files: named, typed and shaped as other tools write them.
@Suite struct InputFileTests {
  /// A file of Tests/SimctlTests/Cases.
  static func path(_ name: String, source: String = #filePath) -> String {
    let folder = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return folder.joined(separator: "/") + "/Cases/\(name)"
  }

  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func write(_ tensors: [(String, Tensor)], _ name: String = "in.safetensors") throws
    -> String
  {
    var set = TensorSet()
    for (name, tensor) in tensors { try set.insert(tensor, named: name) }
    try set.write(folder(name), force: true)
    return folder(name)
  }

  /// A safetensors file with a header of one's own.
  private func raw(_ header: String, data: Int, _ name: String = "raw.safetensors") throws -> String
  {
    let size = header.utf8.count
    return try folder.write(
      (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + Array(header.utf8)
        + [UInt8](repeating: 0, count: data), name)
  }

  private func json(_ result: SimctlProcess.Result) throws -> JSONValue {
    try JSONValue.parse(result.output, file: "report")
  }

  // MARK: Foreign tensors

  static let epilog = "compress_epilog --tokens 6 --dim 256 --slots 8"

  @Test(arguments: ["run", "check"])
  func `I64 slots are taken, and what the kernel does not ask for is left out with a line`(
    verb: String
  ) throws {
    let line = "\(verb) \(Self.epilog) --inputs \(Self.path("slots-int64.safetensors"))"
    let result = try SimctlProcess.run(line + " --json -")
    #expect(result.status == 0, "\(result.error)")
    #expect(result.error == "ignored: positions (I64 [6])\nignored: seen (BOOL [6])\n")
    let inputs = try #require(json(result)["inputs"])
    #expect(inputs["given"] == ["x", "slot_mapping"])
    #expect(inputs["seeded"] == ["cache", "scale"])
    #expect(inputs["ignored"]?.elements.first?["dtype"] == .string("I64"))
    let page = try SimctlProcess.run(line).text
    #expect(page.contains("from seed  cache, scale, which "), "\(page)")
    let strict = try SimctlProcess.run(line + " --strict")
    #expect(strict.status == 2)
    #expect(strict.error.contains("no tensor of this kernel is named 'positions'"))
  }

  @Test func `I64 and I32 slots of the same numbers give the same cache`() throws {
    let wide = try TensorArchive(Self.path("slots-int64.safetensors")).read([
      .init("x", .bf16), .init("slot_mapping", .i64),
    ])
    let slots = try #require(wide[.init("slot_mapping", .i64)]).words(as: Int64.self)
    let narrow = try write([
      ("x", #require(wide[.init("x", .bf16)])),
      ("slot_mapping", Tensor(words: slots.map(Int32.init), dtype: .i32, shape: [6])),
    ])
    let first = try SimctlProcess.run(
      "run \(Self.epilog) --dump - --inputs \(Self.path("slots-int64.safetensors"))")
    let second = try SimctlProcess.run("run \(Self.epilog) --dump - --inputs \(narrow)")
    #expect(first.status == 0 && !first.output.isEmpty)
    #expect(first.output == second.output)
  }

  @Test func `a slot that I32 does not hold is an error with its element`() throws {
    let path = try write([
      ("slot_mapping", Tensor(words: [0, 1, 2, 1 << 32, 4, 5], dtype: .i64, shape: [6]))
    ])
    let result = try SimctlProcess.run("run \(Self.epilog) --inputs \(path)")
    #expect(result.status == 2)
    #expect(
      result.error.contains(
        "element [3] of slot_mapping in \(path) is 4294967296, which I32 does not"),
      "\(result.error)")
  }

  @Test func `foreign tensors of every type are left out, many of them in one line`() throws {
    var members = [#""x":{"dtype":"BF16","shape":[2,8],"data_offsets":[0,32]}"#]
    var offset = 32
    let types = [
      ("BOOL", 1), ("U8", 1), ("I16", 2), ("U16", 2), ("U32", 4), ("U64", 8), ("I64", 8),
      ("F64", 8),
      ("C64", 8), ("F8_E4M3FNUZ", 1), ("I8", 1), ("strange", 5),
    ]
    for (type, size) in types {
      members.append(
        #""p.\#(type)":{"dtype":"\#(type)","shape":[1],"data_offsets":[\#(offset),\#(offset + size)]}"#
      )
      offset += size
    }
    let path = try raw("{\(members.joined(separator: ","))}", data: offset)
    let result = try SimctlProcess.run("run softmax --rows 2 --cols 8 --inputs \(path)")
    #expect(result.status == 0, "\(result.error)")
    let lines = result.error.split(separator: "\n")
    #expect(lines.count == 9 && lines.allSatisfy { $0.hasPrefix("ignored: ") }, "\(result.error)")
    #expect(lines.last == "ignored: 4 more tensors; --strict refuses them")
  }

  @Test func `a tensor that is asked for and cannot be read is refused`() throws {
    let path = try raw(
      #"{"x":{"dtype":"U16","shape":[2,8],"data_offsets":[0,32]}}"#, data: 32)
    let result = try SimctlProcess.run("run softmax --rows 2 --cols 8 --inputs \(path)")
    #expect(result.status == 2)
    #expect(result.error.contains("tensor \"x\" has dtype \"U16\", which is not supported"))
  }

  // MARK: Names

  static let scores = "softmax_v --kv 8 --heads 2 --head-dim 32"

  private func scores(_ name: String) throws -> String {
    try write([
      (name, Tensor(zeros: .bf16, shape: [1, 2, 1, 8])),
      ("softmaxed_v.v", Tensor(zeros: .bf16, shape: [1, 2, 8, 32])),
    ])
  }

  /// A wrong letter in a name must not end in random scores and the verdict clean.
  @Test(arguments: ["softmaxed_v.qk_t", "softmaxed_v.qkT", "qk_T", "model.softmaxed_v.qk_T"])
  func `a name close to that of an input that would come from the seed is refused`(name: String)
    throws
  {
    let path = try scores(name)
    for verb in ["run", "check"] {
      let result = try SimctlProcess.run("\(verb) \(Self.scores) --inputs \(path)")
      #expect(result.status == 2, "\(name)")
      #expect(
        result.error.contains(
          "no tensor of this kernel is named '\(name)', and softmaxed_v.qk_T, of the same shape, "
            + "would come from the seed"), "\(result.error)")
      #expect(
        result.error.contains("--map softmaxed_v.qk_T=\(name) takes it"), "\(result.error)")
      let mapped = try SimctlProcess.run(
        "\(verb) \(Self.scores) --inputs \(path) --map softmaxed_v.qk_T=\(name)")
      #expect(mapped.status == 0 && mapped.error == "", "\(mapped.error)")
    }
  }

  @Test func `a close name of another shape, or of an input that is given, is only said`() throws {
    let other = try write([
      ("softmaxed_v.qkT", Tensor(zeros: .bf16, shape: [3])),
      ("softmaxed_v.v", Tensor(zeros: .bf16, shape: [1, 2, 8, 32])),
    ])
    let result = try SimctlProcess.run("run \(Self.scores) --inputs \(other)")
    #expect(result.status == 0)
    #expect(
      result.error == "ignored: softmaxed_v.qkT (BF16 [3]); did you mean softmaxed_v.qk_T? "
        + "That comes from the seed\n")
    let both = try write([
      ("softmaxed_v.qk_T", Tensor(zeros: .bf16, shape: [1, 2, 1, 8])),
      ("softmaxed_v.qk_t", Tensor(zeros: .bf16, shape: [1, 2, 1, 8])),
    ])
    let given = try SimctlProcess.run("run \(Self.scores) --inputs \(both)")
    #expect(given.status == 0)
    #expect(given.error.hasPrefix("ignored: softmaxed_v.qk_t (BF16 [1, 2, 1, 8])"))
  }

  @Test func `a mapped tensor is the one that is read, with its scales and its axis`() throws {
    let all = folder("all.safetensors")
    #expect(try SimctlProcess.run("run \(Self.scores) --seed 5 --dump \(all)").status == 0)
    let set = try TensorSet.read(all)
    var renamed = TensorSet()
    for name in ["softmaxed_v.qk_T", "softmaxed_v.v", "softmaxed_v.v.scale"] {
      let new = name.replacing("softmaxed_v", with: "theirs")
      try renamed.insert(#require(set[name]), named: new)
      // A decoy under the kernel's own name.
      try renamed.insert(Tensor(zeros: .i8, shape: [1]), named: name)
    }
    renamed.metadata["theirs.v.axis"] = set.metadata["softmaxed_v.v.axis"]
    try renamed.write(folder("theirs.safetensors"), force: false)
    let maps = "--map softmaxed_v.qk_T=theirs.qk_T --map softmaxed_v.v=theirs.v"
    let line = "run \(Self.scores) --inputs \(folder("theirs.safetensors")) \(maps)"
    let result = try SimctlProcess.run(line + " --expect \(all)")
    #expect(result.status == 0, "\(result.error)\(result.text)")
    #expect(result.error.split(separator: "\n").count == 3, "\(result.error)")
  }

  static let maps: [(flags: String, says: String, hint: String)] = [
    ("--map y=x", "--map y=x: no input is named 'y'", ""),
    ("--map out=x", "--map out=x: no input is named 'out'", ""),
    ("--map x=hiden", "has no tensor 'hiden'", "did you mean \"hidden\"?"),
    ("--map x=hidden --map x=x", "--map names x twice, as hidden and x", "keep one"),
    ("--map x", "--map needs a name of the kernel and one of the file, found 'x'", "--map x="),
    ("--map =x", "--map needs a name of the kernel and one of the file, found '=x'", ""),
    ("--map x=", "--map needs a name of the kernel and one of the file, found 'x='", ""),
  ]

  @Test(arguments: maps)
  func `a map that names nothing, or one tensor twice, is refused`(
    _ map: (flags: String, says: String, hint: String)
  ) throws {
    let path = try write([
      ("x", Tensor(zeros: .bf16, shape: [2, 8])), ("hidden", Tensor(zeros: .bf16, shape: [2, 8])),
    ])
    for verb in ["run", "check"] {
      let result = try SimctlProcess.run(
        "\(verb) softmax --rows 2 --cols 8 --inputs \(path) \(map.flags)")
      #expect(result.status == 2)
      #expect(result.error.contains(map.says), "\(result.error)")
      #expect(map.hint.isEmpty || result.error.contains(map.hint), "\(result.error)")
    }
  }

  @Test(arguments: ["--map x=y", "--cast", "--strict"])
  func `flags about a file of inputs need one`(flag: String) throws {
    for verb in ["run", "check"] {
      let result = try SimctlProcess.run("\(verb) softmax --rows 2 --cols 8 \(flag)")
      #expect(result.status == 2)
      #expect(result.error.contains("means nothing without --inputs"), "\(result.error)")
    }
  }

  @Test func `a file without any input of the kernel is refused, and says what it holds`() throws {
    let path = try write([("hidden", Tensor(zeros: .bf16, shape: [2, 8]))])
    let result = try SimctlProcess.run("run softmax --rows 2 --cols 8 --inputs \(path)")
    #expect(result.status == 2)
    #expect(result.error.contains("found no input of this kernel among 'hidden'"))
    #expect(result.error.contains("--map NAME=FILE_NAME"))
  }

  @Test func `an escape in a name never reaches the terminal`() throws {
    let path = Self.path("escape-in-name.safetensors")
    let plain = "run softmax --rows 1 --cols 4 --inputs \(path)"
    var outputs = [try SimctlProcess.run(plain), try SimctlProcess.run(plain + " --strict")]
    for result in outputs {
      #expect(result.status == 2)
      #expect(result.error.contains("'\\u{1b}[31mname'"), "\(result.error)")
    }
    var set = try TensorSet.read(path)
    try set.insert(Tensor(zeros: .bf16, shape: [1, 4]), named: "x")
    let evil = folder("a\u{1B}[31m\u{202E}.safetensors")
    try set.write(evil, force: false)
    for flags in ["", " --map x=no", " --cast", " --json -", " --expect \(evil)"] {
      outputs.append(
        try SimctlProcess.run("run softmax --rows 1 --cols 4 --inputs \(evil)\(flags)"))
    }
    outputs.append(try SimctlProcess.run(["run", folder("no\u{1B}[2J.npu")]))
    outputs.append(try SimctlProcess.run(["run", "soft\u{1B}[2Jmax"]))
    outputs.append(try SimctlProcess.run(["config", "show", folder("\u{9B}31m.json")]))
    for result in outputs {
      let text = result.error + result.text
      #expect(!text.unicodeScalars.contains { ["\u{1B}", "\u{9B}", "\u{202E}"].contains($0) })
    }
    #expect(outputs[2].error == "ignored: \\u{1b}[31mname (F32 [2])\n")
  }

  // MARK: Types

  @Test(arguments: [DType.f32, .i8])
  func `slots of another type are refused by the header`(dtype: DType) throws {
    let path = try write([("slot_mapping", Tensor(zeros: dtype, shape: [6]))])
    let result = try SimctlProcess.run("run \(Self.epilog) --inputs \(path)")
    #expect(result.status == 2)
    let needed = "slot_mapping is \(dtype.rawValue), needed I32, or I64 with values that fit"
    #expect(result.error.contains(needed), "\(result.error)")
  }

  @Test func `scales that fit no axis, and blocks along another axis, are refused`() throws {
    let name = "softmaxed_v.v"
    let payload = try Tensor(zeros: .i8, shape: [1, 2, 8, 32])
    func refusal(_ scales: [Int], axis: String?) throws -> String {
      var set = TensorSet()
      try set.insert(payload, named: name)
      try set.insert(Tensor(zeros: .e8m0, shape: scales), named: name + ".scale")
      set.metadata[name + ".axis"] = axis
      try set.write(folder("pair.safetensors"), force: true)
      let result = try SimctlProcess.run(
        "run \(Self.scores) --inputs \(folder("pair.safetensors"))")
      #expect(result.status == 2)
      return result.error
    }
    #expect(try refusal([1 << 20], axis: nil).contains("too large for a payload of [1, 2, 8, 32]"))
    #expect(try refusal([1, 2, 8, 1], axis: "-1").contains("blocks along axis 3, needed -2"))
    #expect(try refusal([1, 2, 8, 1], axis: nil).contains("blocks along axis 3, needed -2"))
  }

  @Test(arguments: [DType.f32, .f64, .f16])
  func `a golden of a wider type is rounded once where it may be, and the page says so`(
    _ dtype: DType
  ) throws {
    let values = (0..<16).map { 0.1 * Double($0) - 0.7 }
    let wide = try Tensor(words: values, dtype: .f64, shape: [2, 8])
    let tensor = dtype == .f64 ? wide : try wide.rounded(to: dtype)
    let path = try write([("x", tensor)])
    let line = "run softmax --rows 2 --cols 8 --inputs \(path)"
    let refused = try SimctlProcess.run(line)
    #expect(refused.status == 2)
    #expect(refused.error.contains("x is \(dtype.rawValue), needed BF16"), "\(refused.error)")
    #expect(refused.error.contains("--cast rounds it to BF16, once"))
    let result = try SimctlProcess.run(line + " --cast")
    #expect(result.status == 0)
    #expect(
      result.text.contains("\ncast       x from \(dtype.rawValue) to BF16\n"), "\(result.text)")
    let report = try json(SimctlProcess.run(line + " --cast --json -"))
    #expect(
      report["inputs"]?["cast"] == [["name": "x", "from": .string(dtype.rawValue), "to": "BF16"]])
    let dump = try SimctlProcess.run(line + " --cast --dump -")
    let made = try Safetensors.decode(dump.output, file: "dump")
    #expect(try made["x"] == tensor.rounded(to: .bf16))
  }

  @Test func `what needs no cast is not one`() throws {
    let path = Self.path("fp32-golden-input.safetensors")
    for flag in ["", " --cast"] {
      let result = try SimctlProcess.run("run softmax --rows 4 --cols 64 --inputs \(path)\(flag)")
      #expect(result.status == 0 && !result.text.contains("\ncast "), "\(result.error)")
    }
  }

  @Test func `E8M0 scales are read where FP32 ones are asked for, and are the same numbers`() throws
  {
    let line = "run flash_attention --q 1 --kv 64 --kv-format e4m3fn --inputs "
    let result = try SimctlProcess.run(line + Self.path("e8m0-cache.safetensors") + " --dump -")
    #expect(result.status == 0, "\(result.error)")
    #expect(result.error.contains("k_scale from F8_E8M0 to F32, v_scale from F8_E8M0 to F32"))
    var set = try TensorSet.read(Self.path("e8m0-cache.safetensors"))
    var exact = TensorSet()
    for name in set.names {
      let tensor = try #require(set[name])
      try exact.insert(tensor.dtype == .e8m0 ? tensor.scalesAsFP32() : tensor, named: name)
    }
    set = exact
    try exact.write(folder("exact.safetensors"), force: false)
    let same = try SimctlProcess.run(line + folder("exact.safetensors") + " --dump -")
    #expect(same.output == result.output)
  }

  // MARK: Where files come from

  /// A shell, so that pipes and redirections are its own.
  private func shell(_ script: String) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", script]
    process.environment = ["PATH": "/usr/bin:/bin", "simctl": SimctlProcess.binary.path]
    process.currentDirectoryURL = URL(filePath: folder.path)
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  @Test func `tensors may come through a pipe or standard input`() throws {
    let path = Self.path("slots-int64.safetensors")
    let file = try SimctlProcess.run("run \(Self.epilog) --inputs \(path) --json -")
    for source in [
      "--inputs <(cat \(path))", "--inputs - < \(path)", "--inputs /dev/stdin < \(path)",
    ] {
      let result = try shell("$simctl run \(Self.epilog) --json - \(source) 2>/dev/null")
      #expect(result.status == 0, "\(source): \(result.output)")
      let report = try JSONValue.parse(result.output, file: "report")
      #expect(try report["cycles"] == json(file)["cycles"], "\(source)")
      #expect(report["inputs"]?["given"] == ["x", "slot_mapping"])
    }
    let dump = folder("dump.safetensors")
    #expect(try SimctlProcess.run("run softmax --rows 2 --cols 8 --dump \(dump)").status == 0)
    let expected = try shell("$simctl run softmax --rows 2 --cols 8 --expect <(cat \(dump))")
    #expect(expected.status == 0, "\(expected.output)")
  }

  static let text = """
    .input x bf16 [4, 16]
    .output y bf16 [2, 16]
    .index rows i32 [2]
    .buf a ub bf16 [2, 16]
    load.gather_ub a <- x[rows @ 0 +: 2, :]
    set load->store:0
    wait load->store:0
    store.hbm y <- a
    """

  @Test func `a path with a slash is a text, whatever its name, and a text may come from a pipe`()
    throws
  {
    _ = try folder.write(Self.text, "noext")
    for line in ["./noext", folder("noext"), "<(cat noext)", "/dev/stdin < noext", "- < noext"] {
      for verb in ["run", "check"] {
        let result = try shell("$simctl \(verb) \(line)")
        #expect(result.status == 0, "\(verb) \(line): \(result.output)")
        #expect(result.output.contains("clean"))
      }
    }
    for line in ["asm ./noext", "fmt ./noext", "asm <(cat noext)"] {
      #expect(try shell("$simctl \(line)").status == 0, "\(line)")
    }
    let missing = try SimctlProcess.run("run ./softmax")
    #expect(missing.status == 2 && missing.error.contains("cannot open ./softmax"))
  }

  @Test func `the index lists and inputs of a text come from one file or one pipe, I64 too`() throws
  {
    let words = (0..<64).map { UInt16($0) }
    let path = try write([
      ("theirs", Tensor(words: [3, 1] as [Int64], dtype: .i64, shape: [2])),
      ("x", Tensor(words: words, dtype: .bf16, shape: [4, 16])),
      ("more", Tensor(zeros: .f64, shape: [2])),
    ])
    _ = try folder.write(Self.text, "gather.npu")
    for source in [path, "<(cat \(path))", "- < \(path)"] {
      let result = try shell(
        "$simctl run gather.npu --map rows=theirs --dump - --inputs \(source) 2>err")
      #expect(result.status == 0, "\(source): \(result.output)")
      let run = try shell(
        "$simctl run gather.npu --map rows=theirs --force --dump out.safetensors --inputs \(source)"
      )
      #expect(run.output.contains("ignored: more (F64 [2])"), "\(run.output)")
      let made = try TensorSet.read(folder("out.safetensors"))
      #expect(
        try made["y"]?.words(as: UInt16.self) == Array(words[48..<64]) + Array(words[16..<32]))
    }
    let wrong = try write([
      ("rows", Tensor(words: [0, 1 << 40] as [Int64], dtype: .i64, shape: [2]))
    ])
    let result = try SimctlProcess.run("check \(folder("gather.npu")) --inputs \(wrong)")
    #expect(result.status == 2 && result.error.contains("element [1] of "), "\(result.error)")
  }

  /// 5 GiB that nobody asks for, in less memory than a tenth of them.
  @Test func `a file larger than the memory is no matter where its tensors are not wanted`() throws
  {
    let size = 5 << 30
    let header =
      #"{"x":{"dtype":"BF16","shape":[2,8],"data_offsets":[0,32]},"#
      + #""huge":{"dtype":"F32","shape":[\#(size / 4)],"data_offsets":[32,\#(size + 32)]}}"#
    let path = try raw(header, data: 32)
    let handle = try FileHandle(forUpdating: URL(filePath: path))
    try handle.truncate(atOffset: UInt64(8 + header.utf8.count + 32 + size))
    try handle.close()
    for flags in ["", " --strict"] {
      let result = try shell(
        "ulimit -v 4000000; $simctl run softmax --rows 2 --cols 8 --inputs \(path)\(flags)")
      #expect(result.status == (flags.isEmpty ? 0 : 2), "\(result.output)")
      #expect(result.output.contains(flags.isEmpty ? "ignored: huge (F32" : "named 'huge'"))
    }
  }
}
