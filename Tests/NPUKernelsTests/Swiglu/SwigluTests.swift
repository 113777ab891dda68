import NPUKernels
import NPUSim
import Testing

/// swiglu on every machine and schedule.
@Suite struct SwigluTests {
  static let hands = 4
  static let seed: UInt64 = 512

  static let cases: [KernelCase] = [
    (1, 1, 1), (1, 32, 32), (1, 31, 33), (2, 33, 31), (3, 64, 96), (1, 100, 300), (1, 300, 100),
    (4, 97, 101), (5, 128, 128), (7, 65, 129), (16, 96, 64), (17, 64, 100), (33, 40, 70),
    (1, 512, 700), (1, 256, 1000), (64, 33, 65), (65, 64, 32), (2, 160, 352), (130, 32, 40),
    (1, 1024, 64), (1, 40, 2000),
  ].map {
    KernelCase("swiglu", ["tokens": "\($0.0)", "hidden": "\($0.1)", "ffn": "\($0.2)"])
  }

  static let schedules: [String?] = [
    nil, "tile.columns=16,chunk.k=64,tile.k=32", "tile.tokens=3,stages.rows=1,tile.columns=24",
    "tile.tokens=4,stages.rows=2,tile.k=64,chunk.k=96", "stages.weights=1,stages.feed=1",
    "stages.weights=2,piece.columns=32,tile.columns=7", "chunk.k=32,tile.k=32,tile.columns=32",
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

  @Test(arguments: [
    ("edge", 1, "tokens=1 hidden=70 ffn=100", "chunk.k=64,tile.k=32,tile.columns=32"),
    ("edge", 1, "tokens=5 hidden=40 ffn=70", "tile.tokens=2,piece.columns=32,tile.columns=40"),
    ("edge", 2, "tokens=3 hidden=40 ffn=50", "tile.columns=16,stages.weights=2"),
    ("ascend-910b-like", 1, "tokens=2 hidden=40 ffn=50", "tile.columns=16,stages.weights=2"),
    ("tiny", 1, "tokens=2 hidden=40 ffn=30", "tile.columns=4"),
  ])
  func `a program without one of its events or barriers is not clean`(
    name: String, cores: Int, flags: String, schedule: String
  ) throws {
    var machine = try Presets.named(name).configuration
    machine.cores = cores
    let one = KernelCase("swiglu", KernelCase.flags(flags))
    let program = try one.make(on: machine, schedule: schedule).program()
    EventMutation.expectNeeded(program, atLeast: 5, seed: Self.seed, "\(one) on \(name)")
  }

  @Test(arguments: [
    ("tile.k=48", "tile.k needs a multiple of 32"),
    ("chunk.k=100", "chunk.k needs a multiple of 32"),
    ("piece.columns=33", "piece.columns needs a multiple of 32"),
    ("tile.columns=1073741825", "tile.columns needs a whole number from 1 to 1073741824"),
    ("tile.column=8", "did you mean tile.columns"),
    ("tile.columns=4096,chunk.k=4096", "this schedule does not fit edge: l1 holds"),
    (
      "tile.k=1024,chunk.k=1024,tile.columns=32,stages.feed=3",
      "this schedule does not fit edge: right holds"
    ),
  ])
  func `a schedule that cannot be is refused with what is needed`(text: String, reason: String) {
    let refusal = KernelCase("swiglu", ["hidden": "4096", "ffn": "4096"]).refusal(schedule: text)
    #expect(refusal?.contains(reason) == true, "\(text): \(refusal ?? "accepted")")
  }

  @Test(arguments: [
    ("tokens=1 hidden=4000 ffn=64", "tiny", "swiglu does not fit tiny: l1 holds"),
    ("tokens=1 hidden=1073741825", "edge", "--hidden needs at most"),
    ("tokens=1 hidden=1000000 ffn=1000000", "edge", "the HBM of edge holds"),
  ])
  func `a shape that cannot be is refused with what is needed`(
    flags: String, machine: String, reason: String
  ) {
    let refusal = KernelCase("swiglu", KernelCase.flags(flags)).refusal(on: machine)
    #expect(refusal?.contains(reason) == true, "\(flags): \(refusal ?? "accepted")")
  }

  @Test(arguments: [("edge", 0.98), ("ascend-910b-like", 0.9), ("ascend-950-like", 0.85)])
  func `one token of Llama 2 7B comes near what HBM allows`(name: String, share: Double) throws {
    var request = RunRequest(
      kernel: "swiglu", machine: try Presets.named(name).configuration)
    request.arguments = ["model": "llama-2-7b"]
    request.plan = .timing
    let report = try Runner.run(request).report
    #expect(report.isClean)
    let timing = try #require(report.timing)
    let bounds = try #require(timing.bounds)
    #expect(
      Double(bounds.roofline) >= share * Double(timing.cycles),
      "\(timing.cycles) cycles, roofline \(bounds.roofline)")
  }
}
