import Foundation
import NPUSim
import Testing

/// Comparisons with somebody's tensors: what is compared, in which numbers, and what is refused.
@Suite struct ExpectTests {
  static let softmax = "run softmax --rows 4 --cols 64"

  /// Inputs of softmax and what it gives in FP64, but for some elements that are off by a few words.
  private struct Golden {
    var inputs: String
    var exact: [Double]

    init(_ folder: ScratchFolder) throws {
      var random = SystemSeed(state: 11)
      let values = (0..<256).map { _ in Float(BF16(Float(random.next() * 8 - 4)).float) }
      var set = TensorSet()
      try set.insert(Tensor(rounding: values, to: .bf16, shape: [4, 64]), named: "x")
      inputs = folder("inputs.safetensors")
      try set.write(inputs, force: true)
      exact = (0..<4).flatMap { row in
        let exps = values[row * 64..<row * 64 + 64].map { exp(Double($0)) }
        let sum = exps.reduce(0, +)
        return exps.enumerated().map { $1 / sum * ($0 % 9 == 4 ? 1 + 0x1p-6 : 1) }
      }
    }

    func write(_ type: DType, _ folder: ScratchFolder) throws -> String {
      let path = folder("\(type.rawValue).safetensors")
      var set = TensorSet()
      let floats = exact.map { Float($0) }
      try set.insert(
        type == .f64
          ? Tensor(words: exact, dtype: .f64, shape: [4, 64])
          : Tensor(rounding: floats, to: type, shape: [4, 64]), named: "out")
      try set.write(path, force: true)
      return path
    }
  }

  /// A small generator of numbers from 0 to 1.
  private struct SystemSeed {
    var state: UInt64

    mutating func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
  }

  /// The words of a dump, with one tensor changed.
  private func changed(
    _ path: String, _ name: String, _ folder: ScratchFolder,
    _ edit: (inout [UInt8]) -> Void
  ) throws -> String {
    let set = try TensorSet.read(path)
    var copy = TensorSet()
    copy.metadata = set.metadata
    for each in set.names {
      let tensor = try #require(set[each])
      var storage = tensor.storage
      if each == name { edit(&storage) }
      try copy.insert(
        Tensor(dtype: tensor.dtype, shape: tensor.shape, storage: storage), named: each)
    }
    let file = folder("changed-\(UUID().uuidString).safetensors")
    try copy.write(file, force: false)
    return file
  }

  private func run(_ line: String, _ more: String...) throws -> SimctlProcess.Result {
    try SimctlProcess.run(line.components(separatedBy: " ") + more)
  }

  @Test(arguments: [DType.f32, .f16, .f64])
  func `a golden of another float type is compared in value, with its own figures`(
    _ type: DType
  ) throws {
    let folder = try ScratchFolder()
    let golden = try Golden(folder)
    let expect = try golden.write(type, folder)
    let dump = folder("dump.safetensors")
    let line = Self.softmax + " --inputs \(golden.inputs)"
    #expect(try run(line + " --dump \(dump)").status == 0)
    let found = try #require(TensorSet.read(dump)["out"]).floats().map { Double($0) }
    let wanted = try #require(TensorSet.read(expect)["out"]).values()
    let differences = zip(found, wanted).map { ($0 - $1).magnitude }
    // A word that is the golden's value, rounded once, is right.
    let wrong = (0..<256).filter { Double(BF16(Float(wanted[$0])).float) != found[$0] }
    #expect(wrong.count > 1 && wrong.count < 128)
    let report = folder("report.json")
    let close = try run(line + " --expect \(expect) --tolerance 0.01 --json \(report)")
    #expect(close.status == 0, "\(close.text)\(close.error)")
    let json = try JSONValue.parse(folder.read("report.json"), file: report)
    let compared = try #require(json["expect"]?["compared"]?.elements.first)
    let largest = try #require(compared["max_abs_difference"]).requireDouble("largest")
    let rms = try #require(compared["rms_difference"]).requireDouble("rms")
    let squares = differences.reduce(0) { $0 + $1 * $1 }
    #expect(largest == differences.max())
    #expect(abs(rms - (squares / 256).squareRoot()) < 1e-12)
    #expect(compared["mismatches"] == .integer(wrong.count))
    #expect(compared["beyond_tolerance"] == .integer(0))
    #expect(compared["expected_type"] == .string(type.rawValue))
    let exact = try run(line + " --expect \(expect)")
    #expect(exact.status == 1 && exact.text.contains("error[N004]"), "\(exact.text)")
    let limit = try #require(wrong.map { differences[$0] }.max()).nextDown
    let beyond = try run(line + " --expect \(expect) --tolerance \(limit)")
    #expect(beyond.status == 1)
    let rtol = wrong.map { differences[$0] / wanted[$0].magnitude }.max() ?? 0
    #expect(try run(line + " --expect \(expect) --rtol \(rtol * 1.001)").status == 0)
    #expect(try run(line + " --expect \(expect) --rtol \(rtol * 0.999)").status == 1)
  }

  @Test func `a golden whose values round to the words of the run is met`() throws {
    let folder = try ScratchFolder()
    let dump = folder("dump.safetensors")
    #expect(try run(Self.softmax + " --dump \(dump)").status == 0)
    let found = try #require(TensorSet.read(dump)["out"]).floats()
    // A quarter of the least step above each word; then one that is a whole step off.
    for (factor, status) in [(1 + 0x1p-11, 0), (1 + 0x1p-7, 1)] {
      var values = found.map { Double($0) * (1 + 0x1p-11) }
      values[9] = Double(found[9]) * factor
      for dtype in [DType.f64, .f32] {
        var set = TensorSet()
        try set.insert(
          dtype == .f64
            ? Tensor(words: values, dtype: .f64, shape: [4, 64])
            : Tensor(words: values.map { Float($0) }, dtype: .f32, shape: [4, 64]), named: "out")
        let golden = folder("\(dtype.rawValue)-\(status).safetensors")
        try set.write(golden, force: false)
        let result = try run(Self.softmax + " --expect \(golden)")
        #expect(result.status == Int32(status), "\(result.text)")
        #expect(
          result.text.contains(
            status == 0 ? "equal once rounded to the run's types" : "1 word differs"))
        let bits = try run(Self.softmax + " --expect \(golden) --cast --bits")
        #expect(bits.status == Int32(status), "\(bits.text)\(bits.error)")
      }
    }
  }

  @Test func `other names are left out with a line, refused where strict, and renamed`() throws {
    let folder = try ScratchFolder()
    let dump = folder("dump.safetensors")
    #expect(try run(Self.softmax + " --dump \(dump)").status == 0)
    let set = try TensorSet.read(dump)
    func golden(_ names: [String: String], _ other: Tensor? = nil) throws -> String {
      var copy = TensorSet()
      for (name, own) in names { try copy.insert(#require(set[own]), named: name) }
      if let other { try copy.insert(other, named: "logits") }
      let path = folder("golden-\(UUID().uuidString).safetensors")
      try copy.write(path, force: false)
      return path
    }
    let mask = try Tensor(words: [Int8](repeating: 1, count: 3), dtype: .i8, shape: [3])
    let more = try golden(["x": "x", "out": "out"], mask)
    let ignored = try run(Self.softmax + " --expect \(more)")
    #expect(ignored.status == 0 && ignored.error == "ignored: logits (I8 [3])\n")
    let json = try JSONValue.parse(
      run(Self.softmax + " --expect \(more) --json -").output, file: "report")
    #expect(json["expect"]?["ignored"]?.elements.first?["name"] == .string("logits"))
    let strict = try run(Self.softmax + " --expect \(more) --strict")
    #expect(strict.status == 2)
    #expect(strict.error.contains("no tensor of this kernel is named 'logits'"))
    // What would be left out of the comparison by its name is not left out silently.
    let near = try run(Self.softmax + " --expect \(golden(["x": "x", "outt": "out"]))")
    #expect(near.status == 2)
    #expect(near.error.contains("and out, of the same shape, would not be compared"))
    #expect(near.error.contains("--map out=outt takes it"))
    let foreign = try golden(["probs": "out", "scores": "x"])
    let none = try run(Self.softmax + " --expect \(foreign)")
    #expect(none.status == 2 && none.error.contains("holds none of this kernel's tensors"))
    #expect(none.error.contains("--map NAME=FILE_NAME says what the file calls it"))
    let one = try run(Self.softmax + " --expect \(foreign) --map out=probs")
    #expect(one.status == 0 && one.error == "ignored: scores (BF16 [4, 64])\n", "\(one.error)")
    // One file for both: an input is renamed for both, a result for the comparison.
    let both = try run(
      Self.softmax + " --seed 5 --inputs \(foreign) --expect \(foreign)", "--map", "out=probs",
      "--map", "x=scores", "--strict")
    #expect(both.status == 0 && both.text.contains("inputs equal"), "\(both.text)\(both.error)")
    let unknown = try run(Self.softmax + " --expect \(foreign) --map y=probs")
    #expect(unknown.status == 2 && unknown.error.contains("no tensor is named 'y'"))
    let absent = try run(Self.softmax + " --expect \(foreign) --map out=prob")
    #expect(absent.status == 2 && absent.error.contains("has no tensor 'prob'"))
    // One file in both places is said once.
    let twice = try run(
      Self.softmax + " --inputs \(foreign) --expect \(foreign) --map x=nope")
    #expect(twice.status == 2 && !twice.error.contains(" and "), "\(twice.error)")
    #expect(twice.error.contains("has no tensor 'nope'"))
  }

  @Test func `units in the last place count the numbers between two words`() throws {
    let folder = try ScratchFolder()
    let dump = folder("dump.safetensors")
    #expect(try run(Self.softmax + " --dump \(dump)").status == 0)
    let three = try changed(dump, "out", folder) { bytes in
      let word = UInt16(bytes[10]) | UInt16(bytes[11]) << 8
      bytes[10] = UInt8(truncatingIfNeeded: word + 3)
      bytes[11] = UInt8(truncatingIfNeeded: (word + 3) >> 8)
    }
    for (flags, status) in [("", 1), (" --ulp 2", 1), (" --ulp 3", 0), (" --ulp 4", 0)] {
      let result = try run(Self.softmax + " --expect \(three)" + flags)
      #expect(result.status == Int32(status), "\(flags): \(result.text)")
      #expect(status == 0 || result.text.contains("out at [0, 5] (block 0): found 0x"))
      #expect(status == 0 || result.text.contains("3 ULPs apart"))
    }
  }

  @Test func `NaN is NaN and -0 is 0, but for their bits`() throws {
    let folder = try ScratchFolder()
    var words = [UInt16](repeating: 0x3F80, count: 16)
    words[3] = 0x7FC0
    words[5] = 0x8000
    var inputs = TensorSet()
    try inputs.insert(Tensor(words: words, dtype: .bf16, shape: [2, 8]), named: "x")
    try inputs.insert(
      Tensor(words: words.map { $0 == 0x3F80 ? 0 : $0 }, dtype: .bf16, shape: [2, 8]),
      named: "residual")
    let file = folder("inputs.safetensors")
    try inputs.write(file, force: false)
    let line = "run residual_add --rows 2 --cols 8 --inputs \(file)"
    let dump = folder("dump.safetensors")
    #expect(try run(line + " --dump \(dump)").status == 0)
    let other = try changed(dump, "out", folder) { bytes in
      bytes[7] ^= 0x80
      bytes[11] ^= 0x80
    }
    let value = try run(line + " --expect \(other)")
    #expect(value.status == 0 && value.text.contains("expected   equal;"), "\(value.text)")
    #expect(value.text.contains("\nverdict    clean\n"))
    let bits = try run(line + " --expect \(other) --bits")
    #expect(bits.status == 1 && bits.text.contains("2 words differ"), "\(bits.text)")
    #expect(try run(line + " --expect \(dump) --bits").status == 0)
    let number = try changed(dump, "out", folder) { $0[6...7] = [0x80, 0x3F] }
    #expect(try run(line + " --expect \(number) --tolerance 1e30").status == 1)
  }

  @Test func `bits of two types are not compared`() throws {
    let folder = try ScratchFolder()
    let golden = try Golden(folder)
    let expect = try golden.write(.f32, folder)
    let result = try run(Self.softmax + " --inputs \(golden.inputs) --expect \(expect) --bits")
    #expect(result.status == 2 && result.text == "")
    #expect(result.error.contains("out is F32 [4, 64], this run makes BF16 [4, 64]"))
    #expect(result.error.contains("--bits compares words of one type"))
  }

  @Test func `an MXINT8 tensor is compared in the numbers it stands for`() throws {
    let folder = try ScratchFolder()
    let dump = folder("dump.safetensors")
    #expect(try run(RunTests.small + " --dump \(dump)").status == 0)
    let name = "softmaxed_v.exp_mxint8"
    let pair = try TensorSet.read(dump).mxTensor(named: name)
    let values = pair.floats()
    func golden(_ edit: (inout [Float]) -> Void) throws -> String {
      var floats = values
      edit(&floats)
      var set = TensorSet()
      try set.insert(Tensor(words: floats, dtype: .f32, shape: pair.shape), named: name)
      let path = folder("golden-\(UUID().uuidString).safetensors")
      try set.write(path, force: false)
      return path
    }
    let equal = try run(RunTests.small + " --expect \(golden { _ in })")
    #expect(equal.status == 0, "\(equal.text)\(equal.error)")
    #expect(equal.text.contains("equal; \(values.count) words of 1 tensor compared"))
    let other = try golden { $0[7] += 0.25 }
    let apart = try run(RunTests.small + " --expect \(other)")
    #expect(apart.status == 1 && apart.text.contains("1 of \(values.count) differ"))
    #expect(apart.text.contains("largest 0.25"), "\(apart.text)")
    #expect(try run(RunTests.small + " --expect \(other) --tolerance 0.25").status == 0)
    // Half the payloads under twice the scale are the same numbers, and other words.
    let doubled = try changed(dump, name, folder) { bytes in
      for index in bytes.indices {
        bytes[index] = UInt8(bitPattern: Int8(bitPattern: bytes[index]) / 2)
      }
    }
    let halves = try TensorSet.read(doubled).mxTensor(named: name).floats()
    let scaled = try changed(doubled, name + ".scale", folder) { bytes in
      for index in bytes.indices { bytes[index] += 1 }
    }
    let loss = zip(values, halves).map { ($0 - 2 * $1).magnitude }.max() ?? 0
    let same = try run(RunTests.small + " --expect \(scaled) --tolerance \(loss)")
    #expect(same.status == 0, "\(same.text)")
    #expect(try run(RunTests.small + " --expect \(scaled) --tolerance \(loss) --bits").status == 2)
    #expect(try run(RunTests.small + " --expect \(scaled) --bits").status == 1)
  }

  @Test func `a comparison that compares nothing is refused, and says what could be compared`()
    throws
  {
    let folder = try ScratchFolder()
    let golden = try Golden(folder)
    let inputs = try run(Self.softmax + " --expect \(golden.inputs)")
    #expect(inputs.status == 2 && inputs.text == "")
    #expect(inputs.error.contains("inputs.safetensors holds only inputs (x): nothing that the run"))
    #expect(inputs.error.contains("what can be compared is"))
    #expect(inputs.error.contains("out"))
    let empty = folder("empty.safetensors")
    try TensorSet().write(empty, force: false)
    let nothing = try run(Self.softmax + " --expect \(empty)")
    #expect(nothing.status == 2)
    #expect(nothing.error.contains("empty.safetensors holds no tensors: nothing that the run"))
  }

  @Test func `inputs are compared apart, and other inputs are said before other outputs`() throws {
    let folder = try ScratchFolder()
    let dump = folder("dump.safetensors")
    #expect(try run(Self.softmax + " --dump \(dump)").status == 0)
    let same = try run(Self.softmax + " --expect \(dump)")
    #expect(
      same.text.contains("\n           inputs equal: 256 words of 1 tensor\n"), "\(same.text)")
    let other = try run(Self.softmax + " --seed 1 --expect \(dump)")
    #expect(other.status == 1 && other.text.contains("inputs differ: 256 words of 1 tensor"))
    let input = try #require(
      other.text.range(of: " of 256 words of the input x are not the expected ones"))
    let output = try #require(
      other.text.range(of: "of 256 words are not the expected ones; the first is out"))
    #expect(input.lowerBound < output.lowerBound)
    let json = try SimctlProcess.run(Self.softmax + " --seed 1 --expect \(dump) --json -")
    let report = try JSONValue.parse(json.output, file: "report")
    #expect(report["expect"]?["inputs"]?.elements.count == 1)
    // An FP32 golden of a BF16 input holds what the run's input was rounded from.
    let set = try TensorSet.read(dump)
    var wide = TensorSet()
    let x = try #require(set["x"]).floats()
    try wide.insert(
      Tensor(words: x.map { $0 * (1 + 0x1p-12) }, dtype: .f32, shape: [4, 64]), named: "x")
    try wide.insert(try #require(set["out"]), named: "out")
    let path = folder("wide.safetensors")
    try wide.write(path, force: false)
    let rounded = try run(Self.softmax + " --expect \(path)")
    #expect(rounded.status == 0 && rounded.text.contains("inputs equal"), "\(rounded.text)")
  }

  @Test func `the first difference is that of the first step, whatever the order of the file`()
    throws
  {
    let folder = try ScratchFolder()
    let dump = folder("dump.safetensors")
    #expect(try run(RunTests.small + " --dump \(dump)").status == 0)
    let late = try changed(dump, "softmaxed_v.out", folder) { $0[1] ^= 0x40 }
    let both = try changed(late, "softmaxed_v.exp_sum", folder) { $0[1] ^= 0x40 }
    let result = try run(RunTests.small + " --expect \(both)")
    #expect(result.status == 1)
    #expect(
      result.text.contains(
        "words are not the expected ones; the first is softmaxed_v.exp_sum"))
    // Both tensors have a writer: the finding names that of the first.
    let writers = result.text.split(separator: "\n").compactMap { line in
      line.firstRange(of: "written by ").map {
        line[$0.upperBound...].split(separator: " ").prefix(2).joined(separator: " ") + " "
      }
    }
    #expect(writers.count == 2 && writers[0] != writers[1], "\(result.text)")
    let finding = try #require(result.text.firstRange(of: "N004"))
    let page = result.text[finding.upperBound...].split(separator: "fix").first ?? ""
    #expect(page.contains(writers[0]) && !page.contains(writers[1]), "\(result.text)")
  }

  static let lines = [
    BadLine("run softmax --rtol 0.1", "--rtol means nothing without --expect"),
    BadLine("run softmax --ulp 1", "--ulp means nothing without --expect"),
    BadLine("run softmax --bits", "--bits means nothing without --expect"),
    BadLine("run softmax --expect a --bits --rtol 0", "--rtol allows differences, and --bits"),
    BadLine("run softmax --expect a --ulp -1", "--ulp needs at least 0, found -1"),
    BadLine("run softmax --expect a --rtol nan", "--rtol needs a number of at least 0"),
  ]

  @Test(arguments: lines)
  func `flags of a comparison that mean nothing are refused`(_ line: BadLine) throws {
    try line.check()
  }
}

extension Tensor {
  /// Every element as FP64.
  fileprivate func values() -> [Double] { (0..<elementCount).map { value(at: $0) } }
}
