import NPUKernels
import NPUSim
import Testing

/// Decoding on every machine, from every kind of cache.
@Suite struct FlashDecodeTests {
  static let seed: UInt64 = 2903

  /// 1, ragged, prime, a tile and one more or less, longer than a tile; groups, masks, pages, splits.
  static let shapes: [FlashCase] = {
    var cases = [
      FlashCase(1, 1), FlashCase(1, 31, d: 8), FlashCase(1, 32, heads: 2, d: 32),
      FlashCase(1, 33, heads: 3, d: 64), FlashCase(1, 127, heads: 4), FlashCase(1, 128, heads: 5),
      FlashCase(1, 129, heads: 2, d: 80), FlashCase(1, 257, heads: 8, kvHeads: 2, d: 64),
      FlashCase(1, 500, heads: 32, kvHeads: 1, d: 32), FlashCase(2, 300, heads: 4, d: 48),
      FlashCase(3, 131, heads: 6, kvHeads: 3, d: 96), FlashCase(5, 400, heads: 2, d: 160),
      FlashCase(7, 97, heads: 4, kvHeads: 1, d: 33), FlashCase(1, 1024, heads: 7),
      FlashCase(1, 64, heads: 40, d: 16), FlashCase(4, 3, heads: 2, d: 40),
      FlashCase(16, 130, heads: 2, d: 64), FlashCase(1, 700, heads: 3, d: 1),
      FlashCase(40, 200, heads: 2, kvHeads: 1, d: 64), FlashCase(1, 200, heads: 2, d: 288),
      FlashCase(2, 160, heads: 12, kvHeads: 4, d: 128), FlashCase(1, 96, heads: 70, d: 24),
      FlashCase(33, 33, heads: 1, d: 128),
    ]
    for index in cases.indices {
      cases[index].accumulator = index % 2 == 0 ? .bf16 : .fp32
      cases[index].isCausal = index % 3 == 1
      if index % 5 == 3 { cases[index].window = 50 }
      if index % 4 == 2 { cases[index].batch = 2 }
    }
    return cases
  }()

  static let formats = ["bf16", "mxint8", "e4m3fn", "e5m2"]

  @Test(arguments: shapes.indices)
  func `every cache format on every machine is clean, exact and inside its bounds`(index: Int)
    throws
  {
    for (place, format) in Self.formats.enumerated() {
      var one = Self.shapes[index]
      one.format = format
      one.rung = "decode"
      // Options are dealt out over shapes and formats, so that each meets each.
      if (index + place) % 3 == 0 { one.page = format == "mxint8" ? 64 : [7, 16, 64][place % 3] }
      let tiles = (one.kv - 1) / 128 + 1
      if tiles > 1, (index + place) % 4 < 2 { one.splits = min(tiles, 2 + place % 2) }
      let names = ["edge", "ascend-910b-like", "ascend-950-like", "ideal"]
      for (turn, name) in names.enumerated()
      where TestScale.isFull || turn == (index + place) % names.count || turn == 0 {
        let machine = try one.machine(name, cores: (index + turn) % 3 == 0 ? nil : 1 + turn)
        let run = try one.run(on: machine, seed: Self.seed + UInt64(index))
        let faults = FlashCase.faults(run.report)
        #expect(
          faults.isEmpty, "\(one) on \(machine.cores) × \(name), \(Self.seed): \(faults.prefix(3))")
      }
    }
  }

  static let schedules = [
    "tile.heads=1", "tile.heads=3,stages=1,stages.kv=1", "tile.staged=32,stages.rows=1",
    "tile.heads=2,stages.kv=2,stages.rows=2", "tile.q=1", "tile.q=2,tile.heads=4",
  ]

  @Test(arguments: formats)
  func `no schedule with the same kv tile changes a word`(format: String) throws {
    for var one in [
      FlashCase(3, 200, heads: 8, kvHeads: 2, d: 64), FlashCase(1, 300, heads: 6, d: 40),
    ] {
      one.format = format
      one.isCausal = one.queries > 1
      one.rung = "decode"
      for tile in [32, 64, 128] {
        var words: [Tensor?]?
        for (place, schedule) in (["stages=2"] + Self.schedules).enumerated() {
          let name = place % 2 == 0 ? "edge" : "ideal"
          var machine = try one.machine(name, cores: 1 + place % 3)
          machine.vector.lanes = 32
          // Rows are staged only where they are encoded.
          let fields = schedule.split(separator: ",").filter {
            format != "mxint8" || !($0.hasPrefix("tile.staged") || $0.hasPrefix("stages.rows"))
          }
          let run = try one.run(
            on: machine, schedule: (["tile.kv=\(tile)"] + fields).joined(separator: ","))
          let faults = FlashCase.faults(run.report)
          #expect(faults.isEmpty, "\(one), tile.kv=\(tile),\(schedule): \(faults.prefix(3))")
          let dump = try run.dump()
          let made = [dump["out"], dump["lse"]]
          if words == nil { words = made }
          #expect(made == words, "\(one), tile.kv=\(tile),\(schedule) makes other words")
        }
      }
    }
  }

  @Test func `the smallest machine decodes what fits it`() throws {
    for (queries, kv, d) in [(1, 1, 8), (1, 70, 8), (3, 100, 4), (2, 33, 12)] {
      var one = FlashCase(queries, kv, heads: 2, d: d)
      one.format = "mxint8"
      one.rung = "decode"
      one.isCausal = true
      for accumulator in AccumulatorMode.allCases {
        one.accumulator = accumulator
        let run = try one.run(on: one.machine("tiny"))
        #expect(FlashCase.faults(run.report).isEmpty, "\(one)")
      }
    }
  }

  @Test(arguments: ["bf16", "e4m3fn"])
  func `a paged cache gives the words of the dense one`(format: String) throws {
    var one = FlashCase(2, 160, heads: 4, kvHeads: 2, d: 64)
    one.format = format
    one.rung = "decode"
    one.batch = 2
    one.page = 32
    let machine = try one.machine("edge")
    let paged = try one.run(on: machine, seed: Self.seed).dump()
    let table = try #require(paged["block_table"]).words(as: Int32.self)
    #expect(table != table.sorted())
    one.page = nil
    var dense = TensorSet()
    for name in paged.names where name.hasPrefix("k") || name.hasPrefix("v") {
      let tensor = try #require(paged[name])
      let width = tensor.shape[3] * tensor.dtype.byteCount
      var bytes: [UInt8] = []
      for group in 0..<4 {
        for page in table[group / 2 * 5..<group / 2 * 5 + 5] {
          let first = (Int(page) * 2 + group % 2) * 32 * width
          bytes += tensor.storage[first..<first + 32 * width]
        }
      }
      try dense.insert(
        Tensor(dtype: tensor.dtype, shape: [2, 2, 160, tensor.shape[3]], storage: bytes),
        named: name)
    }
    let made = try one.run(on: machine, seed: Self.seed, inputs: dense).dump()
    #expect(made["out"] == paged["out"])
    #expect(made["lse"] == paged["lse"])
  }

  @Test(arguments: ["bf16", "mxint8", "e4m3fn"])
  func `pages among those of others give the words of a pool of their own`(format: String) throws {
    let flags = [
      "q": "2", "kv": "150", "heads": "4", "kv-heads": "2", "head-dim": "64", "page": "32",
      "kv-format": format,
    ]
    let machine = try Presets.named("edge").configuration
    let own = try KernelRun.run(FlashAttention.name, flags, on: machine, seed: Self.seed).dump()
    let table = try #require(own["block_table"]).words(as: Int32.self)
    // Page p of five is page 2p + 1 of eleven, and the others hold anything.
    var pool = TensorSet()
    pool.metadata = own.metadata
    for name in own.names where name.hasPrefix("k") || name.hasPrefix("v") {
      let tensor = try #require(own[name])
      let page = tensor.storage.count / 5
      var bytes: [UInt8] = []
      for place in 0..<11 {
        let start = place / 2 % 5 * page
        bytes += tensor.storage[start..<start + page]
      }
      try pool.insert(
        Tensor(dtype: tensor.dtype, shape: [11] + tensor.shape.dropFirst(), storage: bytes),
        named: name)
    }
    try pool.insert(
      Tensor(words: table.map { 2 * $0 + 1 }, dtype: .i32, shape: [1, 5]), named: "block_table")
    try pool.insert(try #require(own["q"]), named: "q")
    let run = try KernelRun.run(
      FlashAttention.name, flags.merging(["pages": "11"]) { $1 }, on: machine, inputs: pool)
    #expect(KernelRun.faults(run.report).isEmpty)
    #expect(try run.dump()["out"] == own["out"])
    // A table of the seed names some pages of all.
    let seeded = try KernelRun.kernel(
      FlashAttention.name, flags.merging(["pages": "99"]) { $1 }, on: machine)
    let pages = try IndexTensors(seeded, seed: 5)["block_table"]
    #expect(Set(pages).count == 5 && pages.max() ?? 0 > 5)
  }

  /// At the length of the mission's decode step, and at a quarter of it in the default run.
  @Test(arguments: ["mxint8", "e4m3fn", "e5m2"])
  func `decoding is within 15 percent of the memory's rate`(format: String) throws {
    var one = FlashCase(1, TestScale.isFull ? 4096 : 1024, heads: 32)
    one.format = format
    let machine = try one.machine("edge")
    var request = RunRequest(kernel: FlashAttention.name, machine: machine)
    request.arguments = one.arguments
    request.plan = .timing
    let timing = try #require(try Runner.run(request).report.timing)
    let bounds = try #require(timing.bounds)
    #expect(Double(timing.cycles) <= 1.15 * Double(bounds.roofline), "\(timing.cycles)")
    one.rung = "composed"
    guard format != "mxint8" else { return }
    request.arguments = one.arguments
    let composed = try #require(try Runner.run(request).report.timing)
    #expect(composed.cycles > 5 * timing.cycles)
  }
}
