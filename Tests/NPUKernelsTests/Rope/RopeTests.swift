import NPUKernels
import NPUSim
import Testing

/// rope on every machine and schedule.
@Suite struct RopeTests {
  static let hands = 4
  static let seed: UInt64 = 88

  /// One and many positions, heads and columns, ragged and prime; options are dealt out.
  static let cases: [KernelCase] = {
    let shapes = [
      (1, 1, 2), (1, 1, 128), (2, 1, 6), (3, 2, 10), (5, 3, 64), (7, 1, 34), (31, 1, 128),
      (32, 1, 128), (33, 1, 128), (64, 2, 32), (65, 5, 16), (100, 1, 80), (127, 3, 8),
      (9, 32, 128), (4, 64, 128), (13, 40, 64), (300, 1, 64), (1, 130, 64), (2, 9, 256),
      (50, 4, 4), (1000, 1, 2),
    ]
    return shapes.enumerated().map { index, shape in
      var flags = ["positions": "\(shape.0)", "heads": "\(shape.1)", "head-dim": "\(shape.2)"]
      flags["layout"] = index % 2 == 0 ? "interleaved" : "half"
      flags["table"] = index / 2 % 2 == 0 ? "bf16" : "fp32"
      if index % 5 == 0 { flags["scaling"] = "llama3" }
      if index % 3 == 0 { flags["theta"] = "500000" }
      if index % 4 == 1 { flags["first-position"] = "\(999 * index)" }
      return KernelCase("rope", flags)
    }
  }()

  static let schedules: [String?] = [
    nil, "stages=1", "tile.positions=1", "tile.positions=3,stages=2",
    "tile.positions=1,tile.heads=1", "tile.positions=1,tile.heads=2,stages=2",
  ]

  @Test(arguments: 0..<hands)
  func `every schedule on every machine is clean, exact and inside its bounds`(hand: Int) throws {
    let faults = KernelCase.faults(
      Self.cases, machines: try KernelCase.machines(), schedules: Self.schedules,
      seed: Self.seed, hand: hand, of: Self.hands)
    #expect(faults.isEmpty, "\(faults.prefix(5))")
  }

  @Test(arguments: [
    ("edge", "positions=9 heads=1 head-dim=16", "tile.positions=2"),
    ("edge", "positions=5 heads=6 head-dim=8", "tile.positions=1,tile.heads=2"),
    ("ascend-910b-like", "positions=7 heads=2 head-dim=16", "tile.positions=2"),
  ])
  func `a program without one of its events or barriers is not clean`(
    name: String, flags: String, schedule: String
  ) throws {
    var machine = try Presets.named(name).configuration
    machine.cores = 1
    let one = KernelCase("rope", KernelCase.flags(flags))
    let program = try one.make(on: machine, schedule: schedule).program()
    EventMutation.expectNeeded(program, atLeast: 5, seed: Self.seed, "\(one) on \(name)")
  }

  @Test(arguments: [
    ("head-dim=7", nil, "--head-dim needs an even number, found 7"),
    ("theta=0.5", nil, "--theta needs a number from 1"),
    ("theta=1e13", nil, "--theta needs a number from 1"),
    ("scaling=llama3 factor=0.5", nil, "--factor needs at least 1"),
    ("positions=16777217", nil, "--positions needs at most 16777216"),
    (
      "positions=17 first-position=16777200", nil,
      "--first-position needs at most 16777199 with --positions 17, found 16777200"
    ),
    ("positions=1 first-position=9223372036854775807", nil, "--first-position needs at most"),
    ("first-position=-1", nil, "--first-position needs at least 0"),
    ("table=fp16", nil, "--table needs one of bf16, fp32"),
    ("head-dim=200000", nil, "rope does not fit edge: ub holds"),
    ("heads=4", "tile.heads=2,tile.positions=2", "needs tile.positions=1"),
    ("heads=4", "tile.positions=4000", "this schedule does not fit edge: ub holds"),
  ])
  func `what cannot be is refused with what is needed`(
    flags: String, schedule: String?, reason: String
  ) {
    let refusal = KernelCase("rope", KernelCase.flags(flags)).refusal(schedule: schedule)
    #expect(refusal?.contains(reason) == true, "\(flags): \(refusal ?? "accepted")")
  }

  @Test(arguments: ["bf16", "fp32"])
  func `a row has the same words wherever its run starts`(table: String) throws {
    let machine = try Presets.named("edge").configuration
    var random = SeededGenerator(seed: Self.seed)
    let total = 400
    let flags = KernelCase.flags("heads=3 head-dim=16 layout=half table=\(table)")
    let x = try SeededInput(seed: Self.seed, name: "x").tensor(shape: [total, 3, 16])
    func dump(_ rows: Range<Int>) throws -> TensorSet {
      let bytes = x.storage.count / total
      var inputs = TensorSet()
      try inputs.insert(
        Tensor(
          dtype: .bf16, shape: [rows.count, 3, 16],
          storage: Array(x.storage[rows.lowerBound * bytes..<rows.upperBound * bytes])),
        named: "x")
      let given = ["positions": "\(rows.count)", "first-position": "\(rows.lowerBound)"]
      let run = try KernelCase("rope", flags.merging(given) { $1 }).run(on: machine, inputs: inputs)
      #expect(KernelRun.faults(run.report).isEmpty)
      return try run.dump()
    }
    let whole = try dump(0..<total)
    for _ in 0..<4 {
      let first = 1 + random.below(total - 1)
      let rows = first..<first + 1 + random.below(min(9, total - first))
      let part = try dump(rows)
      for name in ["out", "rope.freq_\(table)", "rope.cos_\(table)", "rope.sin_\(table)"] {
        let all = try #require(whole[name]).storage
        let bytes = all.count / total
        let expected = all[rows.lowerBound * bytes..<rows.upperBound * bytes]
        #expect(part[name]?.storage == Array(expected), "\(name) at \(rows)")
      }
    }
  }

  @Test func `a step of decoding rotates one row, wherever it is`() throws {
    let machine = try Presets.named("edge").configuration
    let cycles = try ["0", "4096", "16777215"].map { first in
      let one = KernelCase(
        "rope", ["model": "llama-3-8b", "positions": "1", "first-position": first])
      return try #require(one.run(on: machine).report.timing).cycles
    }
    #expect(Set(cycles).count == 1, "\(cycles)")
  }

  @Test func `large positions collapse in bf16 tables, and do not in fp32 ones`() throws {
    let machine = try Presets.named("edge").configuration
    func last(_ table: String) throws -> [Float] {
      let one = KernelCase("rope", ["positions": "4096", "head-dim": "2", "table": table])
      let dump = try one.run(on: machine).dump()
      return try #require(dump["rope.freq_\(table)"]).floats().suffix(8).map { $0 }
    }
    #expect(try last("bf16") == [Float](repeating: 4096, count: 8))
    #expect(try last("fp32") == (4088..<4096).map { Float($0) })
  }
}
