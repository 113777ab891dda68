import NPUKernels
import NPUSim
import Testing

/// compress_epilog over shapes, mappings, schedules and machines.
@Suite struct CompressEpilogTests {
  static let seed: UInt64 = 90210
  static let machines = ["edge", "tiny", "ascend-910b-like", "ascend-950-like", "ideal"]

  /// 1, ragged, prime, a block and one more or less, rows larger than a tile; slots as many as rows,
  /// fewer and more.
  static let shapes: [(tokens: Int, dim: Int, slots: Int)] = [
    (1, 1, 1), (1, 128, 1), (2, 127, 5), (3, 129, 3), (7, 64, 7), (13, 255, 20), (16, 256, 16),
    (17, 257, 17), (31, 96, 31), (64, 128, 64), (65, 130, 40), (127, 32, 127), (97, 101, 300),
    (33, 384, 33), (5, 1000, 5), (3, 4096, 3), (2, 5000, 4), (250, 16, 250), (29, 640, 64),
    (1, 20000, 1), (300, 4, 310), (12, 2048, 12),
  ]

  /// A mapping with rows left out, slots named twice and runs of neighbours.
  static func mapping(tokens: Int, slots: Int, kind: Int, random: inout SeededGenerator) -> [Int32]
  {
    switch kind % 4 {
    case 0: return (0..<tokens).map { $0 < slots ? Int32($0) : -1 }
    case 1:
      return (0..<tokens).map { _ in
        random.below(5) == 0 ? -1 : Int32(random.below(slots))
      }
    case 2:
      let slot = Int32(random.below(slots))
      return (0..<tokens).map { $0 % 7 == 3 ? -1 : ($0 % 2 == 0 ? slot : Int32($0 % slots)) }
    default: return [Int32](repeating: -1, count: tokens)
    }
  }

  private static func set(_ mapping: [Int32]) throws -> TensorSet {
    var set = TensorSet()
    try set.insert(
      Tensor(words: mapping, dtype: .i32, shape: [mapping.count]), named: "slot_mapping")
    return set
  }

  @Test(arguments: shapes.indices)
  func `every mapping on every machine is clean, exact and inside its bounds`(index: Int) throws {
    let shape = Self.shapes[index]
    var random = SeededGenerator(seed: Self.seed &+ UInt64(index))
    for (place, name) in Self.machines.enumerated() {
      if name == "tiny" && shape.tokens * shape.dim > 20_000 { continue }
      for kind in 0..<4 where TestScale.isFull || (kind + place + index) % 2 == 0 {
        // Options are dealt out over shapes and machines, so that each meets each.
        let turn = index + place + kind
        var arguments = [
          "tokens": "\(shape.tokens)", "dim": "\(shape.dim)", "slots": "\(shape.slots)",
          "format": turn % 2 == 0 ? "e4m3fn" : "e5m2", "quant-mode": turn % 3 == 0 ? "0" : "1",
          "input": turn / 2 % 2 == 0 ? "bf16" : "f16",
          "rung": (index + kind) % 2 == 0 ? "one-op" : "composed",
        ]
        if turn % 6 == 0 { arguments["no-round-scale"] = "true" }
        let mapping = Self.mapping(
          tokens: shape.tokens, slots: shape.slots, kind: kind, random: &random)
        let run = try KernelRun.run(
          "compress_epilog", arguments, on: Presets.named(name).configuration,
          seed: UInt64(turn), inputs: Self.set(mapping))
        // Decoded by a scale that is cut off, a cache is far from what roundings explain.
        let faults = KernelRun.faults(run.report).filter {
          arguments["no-round-scale"] == nil || !$0.hasPrefix("N005: cache")
        }
        #expect(
          faults.isEmpty,
          "\(arguments) on \(name), mapping \(kind), seed \(Self.seed) + \(index): \(faults.prefix(3))"
        )
      }
    }
  }

  static let schedules = [
    "tile.rows=1", "tile.rows=3,stages=1,stages.out=1", "tile.rows=7,stages=2,stages.out=3",
    "tile.cols=128,tile.rows=2", "tile.cols=256,order=3", "order=2,tile.rows=12", "order=3",
    "stages=8,stages.out=4,tile.rows=1",
  ]

  @Test(arguments: schedules)
  func `no schedule, rung or number of cores changes a word`(schedule: String) throws {
    var random = SeededGenerator(seed: Self.seed)
    let mapping = Self.mapping(tokens: 40, slots: 33, kind: 1, random: &random)
    let arguments = ["tokens": "40", "dim": "600", "slots": "33"]
    let inputs = try Self.set(mapping)
    let edge = try Presets.named("edge").configuration
    let needed = try KernelRun.run("compress_epilog", arguments, on: edge, inputs: inputs).dump()
    for rung in ["one-op", "composed"] {
      for cores in [1, 2, 5, 24, 50] {
        var machine = try Presets.named(cores % 2 == 0 ? "ascend-910b-like" : "edge").configuration
        machine.cores = cores
        let run = try KernelRun.run(
          "compress_epilog", arguments.merging(["rung": rung]) { $1 }, on: machine,
          schedule: schedule, inputs: inputs)
        let faults = KernelRun.faults(run.report)
        #expect(faults.isEmpty, "\(schedule), \(rung), \(cores) cores: \(faults.prefix(3))")
        let made = try run.dump()
        #expect(made["cache"] == needed["cache"] && made["scale"] == needed["scale"])
      }
    }
  }

  @Test func `sizes beyond all measure are the whole shape`() throws {
    let machine = try Presets.named("ascend-910b-like").configuration
    let run = try KernelRun.run(
      "compress_epilog", ["tokens": "30", "dim": "64"], on: machine,
      schedule: "tile.rows=\(1 << 30),tile.cols=\(1 << 30)")
    #expect(KernelRun.faults(run.report).isEmpty)
  }

  @Test func `randomised timings change no word`() throws {
    for (name, rung) in [("edge", "one-op"), ("ascend-910b-like", "composed")] {
      var request = RunRequest(
        kernel: "compress_epilog", machine: try Presets.named(name).configuration)
      request.arguments = ["tokens": "60", "dim": "200", "slots": "70", "rung": rung]
      request.jitterRuns = 3
      request.seed = Self.seed
      let report = try Runner.run(request).report
      #expect(report.isClean && report.jitter?.changed == 0, "\(name), seed \(Self.seed)")
    }
  }

  @Test func `every event and barrier is needed`() throws {
    for (name, rung, schedule) in [
      ("edge", "one-op", nil), ("edge", "composed", "tile.rows=2"),
      ("ascend-910b-like", "one-op", "tile.rows=1,stages=2"),
      ("ascend-910b-like", "composed", "tile.rows=2,stages=1,stages.out=1"),
      ("tiny", "one-op", nil),
      ("ideal", "composed", nil),
    ] {
      var machine = try Presets.named(name).configuration
      machine.cores = 1
      let kernel = try KernelRun.kernel(
        "compress_epilog", ["tokens": "14", "dim": "130", "rung": rung], on: machine,
        schedule: schedule)
      let program = try kernel.program()
      EventMutation.expectNeeded(program, atLeast: 5, seed: Self.seed, "\(name), \(rung)")
    }
  }

  @Test func `the headline is near the bound of HBM`() throws {
    let machine = try Presets.named("ascend-910b-like").configuration
    var request = RunRequest(kernel: "compress_epilog", machine: machine)
    request.plan = .timing
    let timing = try #require(Runner.run(request).report.timing)
    let bounds = try #require(timing.bounds)
    #expect(bounds.rooflineResource == .hbm)
    #expect(Double(timing.cycles) <= 1.1 * Double(bounds.roofline))
  }

  // MARK: Slots

  @Test func `a slot keeps its bytes unless a row names it, and the last row wins`() throws {
    let mapping: [Int32] = [3, -1, 3, 6, 1, 6]
    let outcome = try KernelRun.run(
      "compress_epilog", ["tokens": "6", "dim": "200", "slots": "8"],
      on: Presets.named("edge").configuration, inputs: Self.set(mapping))
    let shape = outcome.report.shape
    #expect(shape.contains { $0 == ("rows written", "3") })
    #expect(shape.contains { $0 == ("skipped", "1") })
    #expect(shape.contains { $0 == ("duplicates", "2") })
    let kernel = try KernelRun.kernel(
      "compress_epilog", ["tokens": "6", "dim": "200", "slots": "8"],
      on: Presets.named("edge").configuration)
    let made = try outcome.dump()
    for name in ["cache", "scale"] {
      let spec = try #require(kernel.tensors.first { $0.name == name })
      guard case .plain(let before) = try kernel.seededInput(spec, seed: 0) else {
        Issue.record("\(name) has no words")
        continue
      }
      let after = try #require(made[name]).storage
      let row = after.count / 8
      for slot in 0..<8 {
        let bytes = slot * row..<(slot + 1) * row
        let isKept = after[bytes] == before.storage[bytes]
        #expect(isKept == ![1, 3, 6].contains(slot), "\(name), slot \(slot)")
      }
    }
    // Rows 2 and 5 alone make the same words.
    let alone = try KernelRun.run(
      "compress_epilog", ["tokens": "6", "dim": "200", "slots": "8"],
      on: Presets.named("edge").configuration, inputs: Self.set([-1, -1, 3, -1, 1, 6]))
    #expect(try alone.dump()["cache"] == made["cache"])
    #expect(try alone.dump()["scale"] == made["scale"])
  }

  @Test(arguments: [[0, 9, 1], [-2, 0, 1], [0, 4, Int32.max], [Int32.min, 1, 2]])
  func `a slot that does not exist is a finding that names the row`(mapping: [Int32]) throws {
    let outcome = try KernelRun.run(
      "compress_epilog", ["tokens": "3", "dim": "64", "slots": "4"],
      on: Presets.named("edge").configuration, inputs: Self.set(mapping))
    let finding = try #require(outcome.report.findings.first)
    let row = try #require(mapping.firstIndex { $0 < -1 || $0 >= 4 })
    #expect(finding.code == .M006)
    #expect(finding.message.contains("row \(row) to slot \(mapping[row])"), "\(finding.message)")
    #expect(!outcome.report.isClean && outcome.report.numerics == nil)
    #expect(outcome.report.timing == nil)
  }

  @Test(arguments: [("bf16", UInt16(0x7F80), "an infinity"), ("f16", 0xFE01, "a NaN")])
  func `quant mode 0 names the row and block of what is not finite`(
    input: String, word: UInt16, what: String
  ) throws {
    var words = [UInt16](repeating: 0x3C00, count: 5 * 300)
    words[3 * 300 + 140] = word
    let type: DType = input == "bf16" ? .bf16 : .f16
    var set = try Self.set([4, 3, 2, 1, 0])
    try set.insert(Tensor(words: words, dtype: type, shape: [5, 300]), named: "x")
    let arguments = ["tokens": "5", "dim": "300", "input": input, "quant-mode": "0"]
    let edge = try Presets.named("edge").configuration
    let error = KernelRun.error { () throws(NPUError) in
      try KernelRun.run("compress_epilog", arguments, on: edge, inputs: set)
    }
    #expect(error?.category == .tensor)
    #expect(
      error?.message
        == "x has \(what) in row 3, block 1 (column 140), which --quant-mode 0 does not take")
    // The same word in a row without a slot is no matter.
    var skipped = try Self.set([4, 3, 2, -1, 0])
    try skipped.insert(Tensor(words: words, dtype: type, shape: [5, 300]), named: "x")
    let run = try KernelRun.run("compress_epilog", arguments, on: edge, inputs: skipped)
    #expect(KernelRun.faults(run.report).isEmpty)
  }

  @Test func `the model's names of cache and scale are taken from files`() throws {
    let arguments = ["tokens": "2", "dim": "4", "slots": "3"]
    let edge = try Presets.named("edge").configuration
    var set = try Self.set([2, -1])
    let codes = [UInt8](0..<12)
    let scales: [Float] = [1, 2, 3]
    try set.insert(
      Tensor(dtype: .e4m3fn, shape: [3, 4], storage: codes), named: "indexer_compress_cache")
    try set.insert(
      Tensor(words: scales, dtype: .f32, shape: [3, 1]), named: "indexer_compress_scale")
    let dump = try KernelRun.run("compress_epilog", arguments, on: edge, inputs: set).dump()
    #expect(try #require(dump["cache"]).storage.prefix(8) == codes.prefix(8))
    #expect(try #require(dump["scale"]).floats().prefix(2) == scales.prefix(2))
  }

  // MARK: What is refused

  @Test func `what makes no sense is refused with what would`() throws {
    let edge = try Presets.named("edge").configuration
    let tiny = try Presets.named("tiny").configuration
    func refusal(
      _ arguments: [String: String], _ schedule: String? = nil,
      on machine: MachineConfiguration
    ) -> String {
      let error = KernelRun.error { () throws(NPUError) in
        try KernelRun.kernel("compress_epilog", arguments, on: machine, schedule: schedule)
      }
      return [error?.message, error?.hint].compactMap(\.self).joined(separator: "; ")
    }
    #expect(refusal(["no-round-scale": "true"], on: edge).contains("it needs --quant-mode 0"))
    #expect(refusal(["quant-mode": "2"], on: edge).contains("needs one of 1, 0, found '2'"))
    #expect(refusal(["tokens": "2000000000"], on: edge).contains("needs at most 1073741824"))
    #expect(
      refusal(["dim": "1000000", "tokens": "1000000"], on: edge).contains("use a smaller shape"))
    #expect(refusal([:], "order=4", on: edge).contains("order needs a whole number from 1 to 3"))
    #expect(refusal([:], "tile.cols=200", on: edge).contains("a multiple of 128 or the whole row"))
    #expect(
      refusal([:], "tile.rows=64", on: edge).contains("ub holds 131072 bytes, needed"))
    #expect(
      refusal([:], "tile.rows=1073741825", on: edge).contains("tile.rows is: rows of a tile"))
    #expect(
      refusal([:], "tile.rows=64", on: edge).contains("the schedule chosen by itself is tile.rows=")
    )
    #expect(refusal(["tokens": "4", "dim": "64"], "tile.rows=\(1 << 30)", on: edge).isEmpty)
    var small = tiny
    small.memories[Space.ub.index].bytes = 300
    #expect(
      refusal(["tokens": "4", "dim": "128", "rung": "composed"], on: small)
        .contains("compress_epilog does not fit tiny: ub holds 300 bytes, needed"))
  }
}
