import NPUKernels
import NPUSim
import Testing

/// Decoding with the kv tiles of a head dealt out over the cores.
@Suite struct FlashSpreadTests {
  static let seed: UInt64 = 3011

  /// 1, ragged, a tile and one more or less, fewer units than cores and more; groups, windows, pages,
  /// several sequences.
  static let shapes: [FlashCase] = {
    var cases = [
      FlashCase(1, 1), FlashCase(1, 31, d: 8), FlashCase(1, 33, heads: 3, d: 64),
      FlashCase(1, 127, heads: 4, kvHeads: 2), FlashCase(1, 129, heads: 2, d: 80),
      FlashCase(1, 257, heads: 8, kvHeads: 2, d: 64),
      FlashCase(1, 500, heads: 16, kvHeads: 1, d: 32),
      FlashCase(1, 300, heads: 6, kvHeads: 3, d: 33), FlashCase(1, 1024, heads: 8, kvHeads: 4),
      FlashCase(1, 700, heads: 3, d: 1), FlashCase(1, 200, heads: 2, d: 288),
      FlashCase(1, 390, heads: 8, kvHeads: 8, d: 32),
    ]
    for index in cases.indices {
      cases[index].accumulator = index % 2 == 0 ? .bf16 : .fp32
      cases[index].isCausal = index % 3 == 1
      if index % 4 == 3 { cases[index].window = 150 }
      if index % 4 == 1 { cases[index].batch = 2 }
      cases[index].rung = "spread"
    }
    return cases
  }()

  @Test(arguments: shapes.indices)
  func `every cache format on any number of cores is clean, exact and inside its bounds`(
    index: Int
  ) throws {
    for (place, format) in FlashDecodeTests.formats.enumerated()
    where TestScale.isFull || (index + place) % 2 == 0 {
      var one = Self.shapes[index]
      one.format = format
      if (index + place) % 3 == 0 { one.page = format == "mxint8" ? 64 : [7, 16, 64][place % 3] }
      for (turn, name) in ["edge", "ascend-910b-like", "ascend-950-like", "ideal"].enumerated()
      where TestScale.isFull || turn == (index + place / 2) % 4 {
        let machine = try one.machine(name, cores: [1, 3, 7, nil][(index + place + turn) % 4])
        let run = try one.run(on: machine, seed: Self.seed + UInt64(index))
        var faults = FlashCase.faults(run.report)
        let redundant = Checker.redundantEvents(run.program)
        if !redundant.isEmpty { faults.append("\(redundant.count) redundant events") }
        #expect(
          faults.isEmpty, "\(one) on \(machine.cores) × \(name), \(Self.seed): \(faults.prefix(3))")
      }
    }
  }

  @Test(arguments: FlashDecodeTests.formats)
  func `the words are those of decoding head by head, however tiles are dealt out`(
    format: String
  ) throws {
    var one = FlashCase(1, 450, heads: 8, kvHeads: 4, d: 64)
    one.format = format
    for tile in [32, 128] {
      one.rung = "decode"
      let needed = try one.run(on: one.machine("edge"), schedule: "tile.kv=\(tile)").dump()
      one.rung = "spread"
      let rows = format == "mxint8" ? "" : ",tile.staged=32,stages.rows=1"
      for (cores, schedule) in [
        (1, "stages=1,stages.kv=1"), (3, "tile.heads=4,stages.kv=2\(rows)"), (24, "tile.heads=8"),
        (5, "tile.heads=1,tile.right=32"),
      ] {
        let run = try one.run(
          on: one.machine("edge", cores: cores), schedule: "tile.kv=\(tile),\(schedule)",
          verification: .none)
        #expect(run.report.isClean)
        let made = try run.dump()
        for name in ["out", "lse"] {
          #expect(made[name] == needed[name], "\(name) on \(cores) cores, \(tile), \(schedule)")
        }
      }
    }
  }

  /// Keys and values lie [tokens, heads, d]: rows of a head take half a burst each.
  @Test func `heads that lie side by side in a cache share its bursts, and make the same words`()
    throws
  {
    var one = FlashCase(1, 260, heads: 8, kvHeads: 4)
    one.rung = "spread"
    let machine = try one.machine("ascend-910b-like", cores: 6)
    let memory = TensorMemory()
    var bindings: TensorBindings = [:]
    for name in ["k", "v"] {
      try memory.declare(name, TensorForm(.bf16, [300, 4, 128]))
      let form = try memory.form(of: name)
      let words = try SeededInput(seed: Self.seed, name: name).tensor(shape: form.shape)
      try memory.write(TensorWords(payload: words.storage), to: memory.whole(name))
      let view = try form.whole.window(0, 0..<260).permuted([1, 0, 2]).split(0, into: [1, 4])
      bindings[name] = TensorBinding(name, view)
    }
    for name in ["q", "out"] {
      try memory.declare(name, TensorForm(.bf16, [1, 8, 1, 128]))
      bindings[name] = try memory.whole(name)
    }
    let q = try SeededInput(seed: Self.seed, name: "q").tensor(shape: [1, 8, 1, 128])
    try memory.write(TensorWords(payload: q.storage), to: memory.whole("q"))
    var launcher = Launcher(machine)
    var words: [UInt8]?
    for rung in ["spread", "decode"] {
      one.rung = rung
      let call = KernelCall(FlashAttention.name, one.arguments, schedule: "tile.kv=128")
      let outcome = try launcher.run(
        Launch(rung, call, bindings), on: memory, .init(.values, verification: .full))
      #expect(outcome.proof.isProved && outcome.checkedOutputs == outcome.totalOutputs)
      let made = try memory.read(memory.whole("out")).payload
      #expect(words == nil || words == made)
      words = made
      // k and v once are 532,480 bytes; a burst is 512, a row 256.
      if rung == "spread" { #expect(outcome.hbmBytes < 700_000, "\(outcome.hbmBytes)") }
      if rung == "decode" { #expect(outcome.hbmBytes > 1_000_000, "\(outcome.hbmBytes)") }
    }
  }

  @Test(arguments: ["ascend-910b-like", "ascend-950-like"])
  func `one query with fewer kv heads than cores is spread where that is faster`(name: String)
    throws
  {
    func run(_ kv: Int, _ rung: String?) throws -> (rung: String?, cycles: Int64) {
      var one = FlashCase(1, kv, heads: 32, kvHeads: 8)
      one.rung = rung
      let machine = try one.machine(name)
      let kernel = try one.kernel(on: machine)
      var request = RunRequest(kernel: FlashAttention.name, machine: machine)
      request.arguments = one.arguments
      request.plan = .timing
      let timing = try #require(try Runner.run(request).report.timing)
      return (kernel.shape.last?.value, timing.cycles)
    }
    for kv in TestScale.isFull ? [1, 130, 512, 1000, 2048, 4097] : [130, 1500] {
      let (chosen, decode) = try (run(kv, nil), run(kv, "decode"))
      #expect(chosen.cycles <= decode.cycles, "\(kv): \(chosen), \(decode)")
      if kv >= 1000 {
        #expect(chosen.rung == "spread" && 10 * chosen.cycles < 8 * decode.cycles, "\(kv)")
      }
    }
  }

  @Test(arguments: [("q", "2", "--q 2"), ("splits", "2", "--splits 2")])
  func `more than one query and splits are refused with what takes them`(
    flag: String, value: String, found: String
  ) throws {
    var one = FlashCase(1, 300)
    one.rung = "spread"
    var arguments = one.arguments
    arguments[flag] = value
    let values = try KernelArguments(
      kernel: FlashAttention.name, options: FlashAttention.options, values: arguments)
    let machine = try one.machine("edge")
    let error = #expect(throws: NPUError.self) {
      try FlashAttention(values, machine: machine, schedule: nil)
    }
    #expect(error?.message == "--rung spread does not take \(found)")
    #expect(error?.hint?.contains("--rung decode") == true)
  }
}
