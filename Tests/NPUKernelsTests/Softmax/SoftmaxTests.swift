import NPUKernels
import NPUSim
import Testing

/// softmax over shapes, forms, schedules and machines.
@Suite struct SoftmaxTests {
  static let seed: UInt64 = 5150
  static let machines = ["edge", "tiny", "ascend-910b-like", "ascend-950-like", "ideal"]

  /// 1, ragged, prime, lanes and one more or less, a tile and one more or less, rows that do not fit.
  static let shapes: [(rows: Int, columns: Int)] = [
    (1, 1), (1, 2), (3, 1), (2, 3), (7, 31), (5, 32), (6, 33), (4, 63), (4, 64), (4, 65), (13, 97),
    (1, 255), (32, 256), (33, 257), (300, 5), (97, 101), (2, 1000), (3, 4095), (3, 4096), (2, 4097),
    (1, 8192), (25, 512), (50, 1024), (3, 20_011), (2, 65_536),
  ]

  static func arguments(_ shape: (rows: Int, columns: Int), turn: Int) -> [String: String] {
    [
      "rows": "\(shape.rows)", "cols": "\(shape.columns)", "passes": turn % 2 == 0 ? "3" : "2",
      "exp": turn / 2 % 2 == 0 ? "base-e" : "base-2",
    ]
  }

  @Test(arguments: shapes.indices)
  func `every form on every machine is clean, exact and inside its bounds`(index: Int) throws {
    let shape = Self.shapes[index]
    for (place, name) in Self.machines.enumerated() {
      // Elements of the large shapes are dear: they are dealt out more thinly.
      let isLarge = shape.rows * shape.columns > 20_000
      for form in 0..<4
      where TestScale.isFull || (form + place + index) % (isLarge ? 8 : 2) == 0 {
        let arguments = Self.arguments(shape, turn: form)
        let run = try KernelRun.run(
          "softmax", arguments, on: Presets.named(name).configuration, seed: UInt64(index))
        let faults = KernelRun.faults(run.report)
        #expect(faults.isEmpty, "\(arguments) on \(name): \(faults.prefix(3))")
      }
    }
  }

  static let schedules = [
    "tile.cols=64", "tile.cols=64,tile.rows=3", "tile.cols=128,stages=2,tiles=2",
    "tile.cols=192,stages=1,tiles=1", "tile.cols=64,stages=8,tiles=3,tile.rows=2",
    "tile.rows=1", "tile.rows=4,stages=2,tiles=1", "tile.rows=5,stages=3,tiles=3",
  ]

  @Test(arguments: schedules)
  func `no schedule or number of cores changes a word of the three-pass form`(schedule: String)
    throws
  {
    for exp in ["base-e", "base-2"] {
      let arguments = ["rows": "11", "cols": "450", "exp": exp]
      var edge = try Presets.named("edge").configuration
      edge.vector.lanes = 64
      let needed = try KernelRun.run("softmax", arguments, on: edge).dump()["out"]
      for cores in [1, 3, 24] {
        var machine = try Presets.named(cores == 3 ? "ascend-910b-like" : "edge").configuration
        machine.vector.lanes = 64
        machine.cores = cores
        let run = try KernelRun.run("softmax", arguments, on: machine, schedule: schedule)
        let faults = KernelRun.faults(run.report)
        #expect(faults.isEmpty, "\(schedule) on \(cores) cores: \(faults.prefix(3))")
        #expect(try run.dump()["out"] == needed, "\(schedule) on \(cores) cores")
      }
    }
  }

  @Test func `only the width of a column tile is part of the online form`() throws {
    let edge = try Presets.named("edge").configuration
    for width in [32, 64, 256] {
      var words: Tensor?
      for rest in ["tile.rows=1,stages=2", "tile.rows=3,stages=1,tiles=1", "tile.rows=4,tiles=2"] {
        let run = try KernelRun.run(
          "softmax", ["rows": "9", "cols": "300", "passes": "2"], on: edge,
          schedule: "tile.cols=\(width),\(rest)")
        #expect(KernelRun.faults(run.report).isEmpty, "\(width), \(rest)")
        let made = try run.dump()["out"]
        if words == nil { words = made }
        #expect(made == words, "\(width), \(rest)")
      }
    }
  }

  @Test func `a row that fits is read once, a longer one once for each pass`() throws {
    let edge = try Presets.named("edge").configuration
    for (columns, passes, reads) in [
      (4096, 3, 1), (4096, 2, 1), (40_000, 3, 3), (40_000, 2, 2),
    ] {
      var request = RunRequest(kernel: "softmax", machine: edge)
      request.arguments = ["rows": "4", "cols": "\(columns)", "passes": "\(passes)"]
      request.plan = .timing
      let traffic = try #require(Runner.run(request).report.traffic)
      #expect(traffic.hbmRead == Int64(reads * 2 * 4 * columns))
      #expect(traffic.hbmWritten == Int64(2 * 4 * columns))
    }
  }

  @Test func `the vector unit has little left to win at the default shape`() throws {
    for passes in ["3", "2"] {
      let machine = try Presets.named("edge").configuration
      var request = RunRequest(kernel: "softmax", machine: machine)
      request.arguments = ["passes": passes]
      request.plan = .timing
      let timing = try #require(Runner.run(request).report.timing)
      let bounds = try #require(timing.bounds)
      #expect(Double(timing.cycles) <= Double(bounds.attainable) / 0.93)
    }
  }

  @Test func `sizes beyond all measure are the whole shape`() throws {
    var machine = try Presets.named("edge").configuration
    machine.cores = 3
    let run = try KernelRun.run(
      "softmax", ["rows": "10", "cols": "90", "passes": "2"], on: machine,
      schedule: "tile.rows=\(1 << 30),tile.cols=\(1 << 30)")
    #expect(KernelRun.faults(run.report).isEmpty)
  }

  @Test func `randomised timings change no word`() throws {
    for (name, passes) in [("edge", "2"), ("ascend-910b-like", "3"), ("ascend-910b-like", "2")] {
      var request = RunRequest(kernel: "softmax", machine: try Presets.named(name).configuration)
      request.arguments = ["rows": "30", "cols": "331", "passes": passes]
      request.schedule = "tile.cols=128,tile.rows=1"
      request.jitterRuns = 3
      request.seed = Self.seed
      let report = try Runner.run(request).report
      #expect(report.isClean && report.jitter?.changed == 0, "\(name), seed \(Self.seed)")
    }
  }

  @Test func `every event and barrier is needed`() throws {
    for (name, columns, passes, schedule) in [
      ("edge", 100, "3", nil), ("edge", 100, "2", "tile.cols=32,tile.rows=1"),
      ("edge", 100, "3", "tile.cols=32,tile.rows=2,stages=2"), ("tiny", 70, "2", nil),
      ("ascend-910b-like", 300, "3", "tile.cols=64,tile.rows=1"),
      ("ascend-910b-like", 300, "2", "tile.cols=128,tile.rows=1,stages=2,tiles=1"),
      ("ascend-950-like", 300, "2", "tile.cols=64,tile.rows=2"), ("ideal", 100, "3", nil),
    ] {
      var machine = try Presets.named(name).configuration
      machine.cores = 1
      let kernel = try KernelRun.kernel(
        "softmax", ["rows": "7", "cols": "\(columns)", "passes": passes, "exp": "base-2"],
        on: machine, schedule: schedule)
      let program = try kernel.program()
      EventMutation.expectNeeded(
        program, atLeast: 3, seed: Self.seed, "\(name), \(schedule ?? "")")
    }
  }

  @Test func `what makes no sense is refused with what would`() throws {
    let edge = try Presets.named("edge").configuration
    func refusal(
      _ arguments: [String: String], _ schedule: String? = nil, on machine: MachineConfiguration
    ) -> String {
      let error = KernelRun.error { () throws(NPUError) in
        try KernelRun.kernel("softmax", arguments, on: machine, schedule: schedule)
      }
      return [error?.message, error?.hint].compactMap(\.self).joined(separator: "; ")
    }
    #expect(refusal(["passes": "1"], on: edge).contains("needs one of 3, 2, found '1'"))
    #expect(refusal(["rows": "2000000000"], on: edge).contains("needs at most 1073741824"))
    #expect(refusal(["rows": "1000000", "cols": "1000000"], on: edge).contains("smaller shape"))
    #expect(refusal([:], "tile.cols=100", on: edge).contains("a multiple of 32 (lanes and"))
    #expect(refusal([:], "stages=1", on: edge).contains("at least as many as tiles, found 1 for 2"))
    #expect(refusal([:], "tile.rows=9", on: edge).contains("ub holds 131072 bytes, needed"))
    #expect(
      refusal([:], "tile.rows=\(Int.max)", on: edge).contains("tile.rows is: rows of a row tile"))
    var small = edge
    small.memories[Space.ub.index].bytes = 400
    #expect(
      refusal([:], on: small).contains("softmax does not fit edge: ub holds 400 bytes, needed"))
  }
}
