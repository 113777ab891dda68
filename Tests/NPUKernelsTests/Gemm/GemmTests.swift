import NPUKernels
import NPUSim
import Testing

/// gemm, gevm and dot_product on every rung and machine.
@Suite struct GemmTests {
  /// 1, ragged, prime, a tile and one more or less, larger than a tile.
  static let shapes: [(Int, Int, Int)] = [
    (1, 1, 1), (1, 1, 100), (1, 7, 32), (1, 130, 257), (5, 1, 64), (64, 1, 300), (2, 3, 5),
    (16, 8, 32), (16, 16, 64), (17, 9, 33), (31, 37, 41), (32, 32, 32), (33, 31, 65),
    (64, 64, 64), (63, 65, 127), (97, 101, 103), (128, 128, 128), (129, 127, 130),
    (100, 260, 96), (260, 20, 160), (40, 40, 700), (3, 530, 64),
  ]

  static let machines = ["edge", "tiny", "ascend-910b-like", "ascend-950-like"]

  @Test(arguments: shapes.indices)
  func `every rung on every machine is clean, exact and makes the same words`(index: Int) throws {
    let (m, n, k) = Self.shapes[index]
    for (place, name) in Self.machines.enumerated() {
      var one = GemmCase(m, n, k)
      // Options are dealt out over shapes and machines, so that each meets each.
      one.operands = (index + place) % 3 == 0 ? "bf16" : "mxint8"
      one.output = (index + place) % 2 == 0 ? "f32" : "bf16"
      one.accumulator = (index / 2 + place) % 2 == 0 ? .bf16 : .fp32
      let machine = try one.machine(name, cores: index % 3 == 1 ? nil : 1)
      var words: [UInt8]?
      for schedule in [nil, "rung=1", "rung=2", "rung=3", "rung=4"] {
        // tiny's memories hold no second tile for each rung.
        let mayMiss = name == "tiny" && schedule != nil
        // Words that are equal to verified ones are verified.
        let verification = words == nil || TestScale.isFull ? .full : RunRequest.Verification.none
        guard
          let run = try one.runIfItFits(
            on: machine, schedule: schedule, seed: UInt64(index), mayMiss: mayMiss,
            verification: verification)
        else { continue }
        let faults = KernelRun.faults(run.report, verification)
        #expect(faults.isEmpty, "\(one) on \(name), \(schedule ?? "default"): \(faults.prefix(3))")
        let made = try run.dump()["output"]?.storage
        if words == nil { words = made }
        #expect(made == words, "\(one) on \(name): \(schedule ?? "default") makes other words")
      }
    }
  }

  @Test(arguments: [
    "rung=3,tile.m=32,tile.n=64,tile.k=32,chunk.k=96",
    "rung=3,tile.k=64,chunk.k=128,stages.feed=1",
    "rung=4,tile.m=16,tile.n=24,tile.k=32,chunk.k=64,slabs=2,kept=2,stages.other=8,stages.input=4",
    "rung=4,tile.m=48,tile.n=50,tile.k=32,chunk.k=256,slabs=3,kept=1,stages.input=3,stages.other=1",
    "rung=3,tile.m=7,tile.n=11,tile.k=96,chunk.k=96,stages.input=1,stages.other=2,stages.acc=1",
    "rung=3,tile.m=32,tile.n=64,tile.k=32,chunk.k=64,chunks.input=3",
    "rung=3,tile.m=32,tile.n=32,tile.k=32,chunk.k=32,chunks.input=100,stages.input=1",
    "rung=4,tile.m=16,tile.n=24,tile.k=32,chunk.k=64,chunks.input=2,slabs=2,kept=1,"
      + "stages.input=4,stages.other=4",
    "rung=4,tile.m=16,tile.n=24,tile.k=32,chunk.k=64,chunks.input=3,slabs=2,kept=2,stages.other=8",
  ])
  func `fields of the schedule change no word`(schedule: String) throws {
    let one = GemmCase(100, 90, 200)
    let machine = try one.machine("edge")
    let needed = try one.run(on: machine).dump()["output"]
    let run = try one.run(on: machine, schedule: schedule)
    let faults = KernelRun.faults(run.report)
    #expect(faults.isEmpty, "\(faults.prefix(3))")
    #expect(try run.dump()["output"] == needed)
  }

  @Test(arguments: ["mxint8", "bf16"])
  func `longer loads of the first operand leave fewer bytes of bursts and change no word`(
    operands: String
  ) throws {
    var one = GemmCase(64, 96, 2048)
    one.operands = operands
    let machine = try one.machine("ascend-910b-like", cores: 1)
    let runs = try [1, 2, 4].map { chunks in
      try one.run(
        on: machine,
        schedule: "rung=3,tile.m=32,tile.n=96,tile.k=32,chunk.k=128,chunks.input=\(chunks)")
    }
    for run in runs { #expect(KernelRun.faults(run.report).isEmpty) }
    let traffic = try runs.map { try #require($0.report.traffic) }
    #expect(Set(traffic.map(\.hbmRead)).count == 1, "useful bytes")
    // A row of 2,048 has 64 scale bytes: each load of a part of it takes a whole burst of 512.
    #expect(traffic[0].hbmReadBursts > traffic[1].hbmReadBursts)
    #expect(traffic[1].hbmReadBursts > traffic[2].hbmReadBursts || operands == "bf16")
    let words = try runs.map { try $0.dump()["output"] }
    #expect(words[0] == words[1] && words[1] == words[2])
  }

  @Test(arguments: [1, 2, 3, 5, 24])
  func `cores share the tiles and change no word`(cores: Int) throws {
    for shape in [(1, 700, 96), (150, 70, 64), (33, 400, 32)] {
      let one = GemmCase(shape.0, shape.1, shape.2)
      let alone = try one.run(on: one.machine("edge", cores: 1)).dump()["output"]
      let run = try one.run(on: one.machine("edge", cores: cores))
      #expect(KernelRun.faults(run.report).isEmpty, "\(one) on \(cores) cores")
      #expect(try run.dump()["output"] == alone)
    }
  }

  @Test func `the matrix of a gevm may enter by either side`() throws {
    var one = GemmCase(1, 300, 500)
    one.kernel = "gevm"
    let machine = try one.machine("ascend-910b-like", cores: 1)
    let runs = try [1, 2].map { side in
      try one.run(on: machine, schedule: "other.side=\(side)")
    }
    for run in runs { #expect(KernelRun.faults(run.report).isEmpty) }
    #expect(try runs[0].dump()["output"] == runs[1].dump()["output"])
  }

  @Test(arguments: [
    ("rung=5", "rung"), ("tile.k=48", "multiple of 32"), ("chunk.k=96,tile.k=64", "multiple of"),
    ("chunks.input=0", "needs a whole number from 1"),
    ("other.side=2", "one row"), ("kept=3", "from 1 to 2"), ("tile.q=4", "no field"),
    ("rung=3,tile.m=128,tile.n=128,tile.k=128,chunk.k=128,stages.feed=8", "left holds"),
    ("rung=4,chunk.k=32,tile.k=32,slabs=4,kept=1,stages.input=2", "stages.input="),
  ])
  func `a schedule that cannot be is refused with what is needed`(text: String, reason: String)
    throws
  {
    let one = GemmCase(256, 256, 256)
    let machine = try one.machine("edge")
    do {
      _ = try one.run(on: machine, schedule: text)
      Issue.record("\(text) was accepted")
    } catch {
      #expect("\(error)".contains(reason), "\(text): \(error)")
    }
  }

  @Test func `sizes beyond the machine are refused without a trap`() throws {
    for shape in [(Int.max, 1, 1), (1 << 30, 1 << 30, 1 << 30), (1, 1 << 31, 1)] {
      let one = GemmCase(shape.0, shape.1, shape.2)
      let machine = try one.machine("edge")
      #expect(throws: NPUError.self) { try one.run(on: machine) }
    }
  }

  /// The bound is the larger of roofline and matrix occupancy.
  @Test(arguments: ["edge", "ascend-910b-like"])
  func `a large gemm and a large gevm reach nine tenths of what is attainable`(name: String) throws
  {
    var gevm = GemmCase(1, 4096, 4096)
    gevm.kernel = "gevm"
    for one in [GemmCase(1024, 1024, 1024), gevm] {
      var request = RunRequest(kernel: one.kernel, machine: try one.machine(name, cores: 1))
      request.arguments = one.arguments
      request.plan = .timing
      let report = try Runner.run(request).report
      #expect(report.isClean)
      let timing = try #require(report.timing)
      let bounds = try #require(timing.bounds)
      #expect(
        Double(bounds.attainable) >= 0.9 * Double(timing.cycles),
        "\(one) on \(name): \(timing.cycles) cycles, attainable \(bounds.attainable)")
      #expect(Double(bounds.roofline) >= 0.88 * Double(timing.cycles))
    }
  }
}
