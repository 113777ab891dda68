import NPUKernels
import NPUSim
import Testing

/// linear on every machine and schedule, against gemm and residual_add, and against what HBM allows.
@Suite struct LinearTests {
  static let hands = 4
  static let seed: UInt64 = 1907

  static let cases: [KernelCase] = [
    (1, 1, 1), (1, 32, 32), (1, 31, 33), (2, 33, 31), (3, 64, 96), (1, 100, 300), (1, 300, 100),
    (4, 97, 101), (5, 128, 128), (7, 65, 129), (16, 96, 64), (17, 64, 100), (33, 40, 70),
    (1, 512, 700), (1, 256, 1000), (64, 33, 65), (65, 64, 1), (130, 32, 40), (1, 2000, 40),
    (2, 700, 1), (100, 200, 90),
  ].enumerated().map { index, shape in
    var flags = ["tokens": "\(shape.0)", "in": "\(shape.1)", "out": "\(shape.2)"]
    if index % 2 == 0 { flags[index % 4 == 0 ? "residual" : "gate"] = "true" }
    if index % 3 == 0 { flags["output"] = "f32" }
    return KernelCase("linear", flags)
  }

  static let schedules: [String?] = [
    nil, "rung=1", "rung=2", "rung=3", "rung=4", "tile.n=16,chunk.k=64,tile.k=32",
    "rung=3,tile.m=3,tile.n=24,chunk.k=64,tile.k=64,stages.feed=1",
    "piece.input=1,chunks.input=1", "other.side=2", "tile.n=7", "ahead=1",
    "ahead=1,tile.m=9,tile.n=20,tile.k=32,chunk.k=32,chunks.input=1,chunks.other=3,slabs=0",
  ]

  @Test(arguments: 0..<hands)
  func `every schedule on every machine is clean, exact and inside its bounds`(hand: Int) throws {
    var machines = try KernelCase.machines()
    for index in machines.indices where index % 2 == hand % 2 {
      machines[index].matrix.accumulator = .fp32
    }
    let faults = KernelCase.faults(
      Self.cases, machines: machines, schedules: Self.schedules, seed: Self.seed, hand: hand,
      of: Self.hands)
    #expect(faults.isEmpty, "\(faults.prefix(5))")
  }

  // MARK: Words

  /// A BF16 tensor of the generator.
  private func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    try SeededInput(seed: Self.seed, name: name).tensor(shape: shape)
  }

  private func words(
    _ kernel: String, _ flags: String, _ tensors: [(String, Tensor)],
    on machine: MachineConfiguration, schedule: String? = nil
  ) throws -> Tensor {
    var inputs = TensorSet()
    for (name, tensor) in tensors { try inputs.insert(tensor, named: name) }
    let run = try KernelCase(kernel, KernelCase.flags(flags)).run(
      on: machine, schedule: schedule, inputs: inputs)
    let faults = KernelRun.faults(run.report)
    #expect(faults.isEmpty, "\(kernel) \(flags): \(faults.prefix(3))")
    let dump = try run.dump()
    return try #require(dump["out"] ?? dump["output"])
  }

  private func transposed(_ tensor: Tensor) throws -> Tensor {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    var storage: [UInt8] = []
    for column in 0..<columns {
      for row in 0..<rows {
        let place = 2 * (row * columns + column)
        storage += tensor.storage[place..<place + 2]
      }
    }
    return try Tensor(dtype: tensor.dtype, shape: [columns, rows], storage: storage)
  }

  @Test(arguments: [(1, 100, 70), (5, 64, 33), (40, 300, 65), (3, 32, 1)])
  func `the words are those of gemm with the weights transposed`(shape: (Int, Int, Int)) throws {
    let (tokens, depth, width) = shape
    let x = try tensor("x", [tokens, depth])
    let weight = try tensor("weight", [width, depth])
    for accumulator in AccumulatorMode.allCases {
      var machine = try Presets.named("edge").configuration
      machine.matrix.accumulator = accumulator
      for output in ["bf16", "f32"] {
        let product = try words(
          "gemm", "m=\(tokens) n=\(width) k=\(depth) operands=bf16 output=\(output)",
          [("input", x), ("other", try transposed(weight))], on: machine)
        let found = try words(
          "linear", "tokens=\(tokens) in=\(depth) out=\(width) output=\(output)",
          [("x", x), ("weight", weight)], on: machine)
        #expect(found.storage == product.storage, "\(shape) to \(output)")
      }
    }
  }

  @Test(arguments: [1, 2])
  func `a residual gives the words of linear and residual_add one after the other`(side: Int)
    throws
  {
    for (tokens, depth, width) in [(1, 100, 300), (1, 64, 33), (40, 70, 65)]
    where side == 1 || tokens == 1 {
      let x = try tensor("x", [tokens, depth])
      let weight = try tensor("weight", [width, depth])
      let residual = try tensor("residual", [tokens, width])
      let machine = try Presets.named("edge").configuration
      let flags = "tokens=\(tokens) in=\(depth) out=\(width)"
      let product = try words("linear", flags, [("x", x), ("weight", weight)], on: machine)
      let sum = try words(
        "residual_add", "rows=\(tokens) cols=\(width)", [("x", product), ("residual", residual)],
        on: machine)
      let found = try words(
        "linear", flags + " residual=true",
        [("x", x), ("weight", weight), ("residual", residual)], on: machine,
        schedule: "other.side=\(side),tile.n=17,piece.residual=\(side == 1 ? 3 : 5)")
      #expect(found == sum, "\(flags) by side \(side)")
    }
  }

  @Test(arguments: [nil, "ahead=1,chunks.other=2,tile.m=7,tile.n=20"])
  func `three products with a gate between make the words of swiglu`(schedule: String?) throws {
    let (tokens, hidden, ffn) = (9, 70, 100)
    let machine = try Presets.named("edge").configuration
    let x = try tensor("x", [tokens, hidden])
    let weights = try ["w1", "w2", "w3"].map {
      try tensor($0, $0 == "w2" ? [hidden, ffn] : [ffn, hidden])
    }
    let inputs = [("x", x)] + zip(["w1", "w2", "w3"], weights)
    let needed = try words(
      "swiglu", "tokens=\(tokens) hidden=\(hidden) ffn=\(ffn)", inputs, on: machine)
    func product(_ flags: String, _ tensors: [(String, Tensor)]) throws -> Tensor {
      try words("linear", "tokens=\(tokens) \(flags)", tensors, on: machine, schedule: schedule)
    }
    let gate = try product("in=\(hidden) out=\(ffn)", [("x", x), ("weight", weights[0])])
    let inner = try product(
      "in=\(hidden) out=\(ffn) gate=true", [("x", x), ("weight", weights[2]), ("gate", gate)])
    let found = try product("in=\(ffn) out=\(hidden)", [("x", inner), ("weight", weights[1])])
    #expect(found == needed)
  }

  @Test func `a product meets a residual or a gate, not both`() {
    let refusal = KernelCase(
      "linear", ["tokens": "2", "in": "32", "out": "32", "residual": "true", "gate": "true"]
    ).refusal()
    #expect(refusal?.contains("found --residual and --gate") == true, "\(refusal ?? "accepted")")
  }

  // MARK: Program

  @Test(arguments: [
    ("edge", 1, "tokens=1 in=70 out=100 residual=true", "tile.n=32,chunk.k=64,tile.k=32"),
    ("edge", 1, "tokens=5 in=70 out=40", "tile.m=2,tile.n=16,chunk.k=64,tile.k=32"),
    ("ascend-910b-like", 2, "tokens=4 in=70 out=50 residual=true", "tile.n=16"),
    ("tiny", 1, "tokens=2 in=40 out=30", "tile.n=4"),
    ("edge", 1, "tokens=5 in=70 out=40 gate=true", "tile.m=2,tile.n=16,ahead=1"),
    (
      "ascend-910b-like", 2, "tokens=6 in=100 out=50",
      "tile.m=3,tile.n=16,tile.k=32,chunk.k=32,chunks.input=1,chunks.other=2,ahead=1,slabs=0"
    ),
  ])
  func `a program without one of its events or barriers is not clean`(
    name: String, cores: Int, flags: String, schedule: String
  ) throws {
    var machine = try Presets.named(name).configuration
    machine.cores = cores
    let one = KernelCase("linear", KernelCase.flags(flags))
    let program = try one.make(on: machine, schedule: schedule).program()
    EventMutation.expectNeeded(program, atLeast: 5, seed: Self.seed, "\(one) on \(name)")
  }

  @Test(arguments: [
    ("tokens=1 in=1073741825", "--in needs at most"), ("out=1073741825", "--out needs at most"),
    ("tokens=1073741825", "--tokens needs at most"),
    ("in=1000000 out=1000000", "the HBM of edge holds"), ("in=0", "--in needs at least 1"),
  ])
  func `a shape that cannot be is refused by the flag that says it`(flags: String, reason: String) {
    let refusal = KernelCase("linear", KernelCase.flags(flags)).refusal()
    #expect(refusal?.contains(reason) == true, "\(flags): \(refusal ?? "accepted")")
  }

  @Test func `a model gives the width of its residual stream, and flags that are given win`() throws
  {
    let machine = try Presets.named("edge").configuration
    let kernel = try KernelCase(
      "linear", ["model": "llama-3.2-1b", "out": "512"]
    ).make(on: machine)
    #expect(kernel.tensors.map(\.shape) == [[1, 2048], [512, 2048], [1, 512]])
  }

  // MARK: Cycles

  private func report(_ flags: String, on name: String) throws -> RunReport {
    var request = RunRequest(kernel: "linear", machine: try Presets.named(name).configuration)
    request.arguments = KernelCase.flags(flags)
    request.plan = .timing
    let report = try Runner.run(request).report
    #expect(report.isClean)
    return report
  }

  @Test(arguments: [("edge", 0.99), ("ascend-910b-like", 0.94), ("ascend-950-like", 0.9)])
  func `every weight crosses HBM once for one token, as fast as HBM allows`(
    name: String, share: Double
  ) throws {
    let report = try report("in=4096 out=4096", on: name)
    let timing = try #require(report.timing)
    let bounds = try #require(timing.bounds)
    #expect(
      Double(bounds.roofline) >= share * Double(timing.cycles),
      "\(timing.cycles) cycles, roofline \(bounds.roofline)")
    let cores = Int64(try Presets.named(name).configuration.cores)
    let traffic = try #require(report.traffic)
    #expect(traffic.hbmRead == 4096 * 4096 / 32 * 33 + cores * 2 * 4096)
  }

  /// Without a second pass over x, which is BF16, and with loads of weights long enough for their scales to
  /// fill bursts.
  @Test func `many tokens read what they multiply in few bytes more than it has`() throws {
    let report = try report("tokens=512 in=4096 out=4096", on: "ascend-910b-like")
    let timing = try #require(report.timing)
    let matrix = 512 * 4096 * 4096 / (16 * 32 * 16) / 24
    #expect(3 * Int64(matrix) >= Int64(0.9 * Double(timing.cycles)), "\(timing.cycles)")
    let traffic = try #require(report.traffic)
    #expect(10 * traffic.hbmReadBursts <= 12 * traffic.hbmRead, "\(traffic)")
  }

  @Test func `many tokens come near what the matrix unit allows`() throws {
    let timing = try #require(report("tokens=512 in=1024 out=2048", on: "edge").timing)
    let matrix = 512 * 1024 * 2048 / (16 * 32 * 8)
    #expect(4 * timing.cycles <= 5 * Int64(matrix), "\(timing.cycles) of \(matrix)")
  }
}
