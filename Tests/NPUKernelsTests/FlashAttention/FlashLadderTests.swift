import NPUKernels
import NPUSim
import Testing

/// The prefill rungs of flash_attention over shapes × machines × schedules.
@Suite struct FlashLadderTests {
  static let hands = 8
  static let seed: UInt64 = 20_260_218

  @Test(arguments: FlashLadderSetups.rungs, 0..<hands)
  func `every schedule on every machine is clean, exact and inside its bounds`(
    rung: String, hand: Int
  ) throws {
    let machines = try FlashLadderSetups.machines()
    var random = SeededGenerator(seed: Self.seed)
    var runs = 0
    for index in FlashLadderSetups.shapes.indices {
      let one = FlashLadderSetups.one(index, rung)
      for var machine in machines {
        for schedule in FlashLadderSetups.schedules(rung) {
          let isChosen = random.below(20) < (TestScale.isFull ? 8 : 1)
          guard isChosen, index % Self.hands == hand else { continue }
          machine.matrix.accumulator = one.accumulator
          let place =
            "\(one) on \(machine.name), \(schedule ?? "own schedule"), seed \(Self.seed)"
          guard let faults = try Self.faults(one, machine, schedule) else { continue }
          runs += 1
          #expect(faults.isEmpty, "\(place): \(faults.prefix(3))")
        }
      }
    }
    #expect(runs > 0)
  }

  /// What is wrong with a run, or `nil` where the shape or the schedule does not fit the machine. The
  /// machines with real memories take every shape under the schedule that is chosen by itself.
  private static func faults(
    _ one: FlashCase, _ machine: MachineConfiguration, _ schedule: String?
  ) throws(NPUError) -> [String]? {
    do throws(NPUError) {
      let run = try one.run(on: machine, schedule: schedule)
      let report = run.report
      var faults = FlashCase.faults(report)
      let redundant = Checker.redundantEvents(run.program)
      if !redundant.isEmpty { faults.append("\(redundant.count) redundant events") }
      if let timing = report.timing, let bounds = timing.bounds, machine.name == "ideal",
        timing.cycles != bounds.criticalPath
      {
        faults.append("\(timing.cycles) cycles, and the critical path is \(bounds.criticalPath)")
      }
      return faults
    } catch {
      if machine.name == "tiny" || schedule != nil, error.category == .program { return nil }
      throw error
    }
  }

  /// kvTile is the definition; everything else of a schedule is not.
  @Test(arguments: [32, 96, 128, 512])
  func `online and pipelined make the same words for a kv tile, however they are scheduled`(
    tile: Int
  ) throws {
    var one = FlashCase(77, 300, heads: 4, kvHeads: 2, d: 40)
    for isCausal in [false, true] {
      one.isCausal = isCausal
      one.window = isCausal && tile == 96 ? 50 : nil
      var needed: Tensor?
      let width = min(tile, 320)
      for (rung, schedule, cores) in [
        ("online", "tile.q=16,tile.kv=\(width)", 1), ("online", "tile.q=5,tile.kv=\(width)", 2),
        ("pipelined", "tile.kv=\(width)", 1), ("pipelined", "tile.kv=\(width),stages=1", 3),
        ("pipelined", "tile.q=9,tile.kv=\(width),stages.kv=1", 1),
        ("pipelined", "tile.q=32,tile.kv=\(width),stages.kv=2", 5),
      ] {
        one.rung = rung
        // Words that are equal to verified ones are verified.
        let verification = needed == nil || TestScale.isFull ? .full : RunRequest.Verification.none
        let run = try one.run(
          on: one.machine("edge", cores: cores), schedule: schedule, verification: verification)
        let faults = FlashCase.faults(run.report, verification)
        #expect(faults.isEmpty, "\(one), \(schedule): \(faults.prefix(3))")
        let made = try run.dump()["out"]
        if needed == nil { needed = made }
        #expect(made == needed, "\(one), \(schedule), \(cores) cores makes other words")
      }
    }
  }

  /// Codes of FP8 are encoded on their way to `l1`, as they are where one query reads them.
  @Test(arguments: ["e4m3fn", "e5m2"])
  func `prefill over an FP8 cache makes the words of decoding, and is faster`(format: String) throws
  {
    var one = FlashCase(90, 300, heads: 4, kvHeads: 2, d: 144)
    one.format = format
    one.isCausal = true
    var needed: Tensor?
    var cycles: [Int64] = []
    for rung in ["decode", "pipelined", "online", "unfused"] {
      one.rung = rung
      let run = try one.run(on: one.machine("edge"), schedule: "tile.q=16,tile.kv=96")
      let faults = FlashCase.faults(run.report)
      #expect(faults.isEmpty, "\(one): \(faults.prefix(3))")
      cycles.append(try #require(run.report.timing).cycles)
      let made = try run.dump()["out"]
      if needed == nil { needed = made }
      // The unfused rung rounds elsewhere.
      #expect((made == needed) == (rung != "unfused"), "\(rung)")
    }
    #expect(3 * cycles[1] < 2 * cycles[0], "\(cycles)")
    one.rung = nil
    #expect(try one.kernel(on: one.machine("edge")).shape.last?.value == "pipelined")
  }

  @Test func `rungs that share kv tiles differ from the unfused one, which rounds elsewhere`()
    throws
  {
    var one = FlashCase(64, 256, d: 64)
    one.rung = "pipelined"
    let online = try one.run(on: one.machine("edge")).dump()["out"]
    one.rung = "unfused"
    #expect(try one.run(on: one.machine("edge")).dump()["out"] != online)
  }

  /// The measures that the kernel is built for, on the default machine.
  @Test(arguments: ["bf16", "mxint8"])
  func `prefill keeps the vector unit busy and its scores on the chip`(format: String) throws {
    var one = FlashCase(2048, 2048)
    one.isCausal = true
    one.format = format
    func report(_ rung: String) throws(NPUError) -> RunReport {
      one.rung = rung
      var request = RunRequest(kernel: FlashAttention.name, machine: try one.machine("edge"))
      request.arguments = one.arguments
      request.plan = .timing
      return try Runner.run(request).report
    }
    let reports = try ["pipelined", "unfused", "online"].map { try report($0) }
    for report in reports { #expect(report.isClean) }
    let timings = reports.compactMap(\.timing)
    let bytes = reports.compactMap(\.traffic).map { $0.hbmRead + $0.hbmWritten }
    try #require(timings.count == 3 && bytes.count == 3)
    let vector = timings[0].queues[Queue.vector.index]
    #expect(10 * vector.busy >= 9 * timings[0].cycles, "\(vector.busy) of \(timings[0].cycles)")
    #expect(3 * bytes[0] <= bytes[1], "\(bytes) bytes")
    #expect(bytes[2] < bytes[1])
    #expect(timings[0].cycles < timings[2].cycles && timings[2].cycles < timings[1].cycles)
  }

  @Test(arguments: [
    ("pipelined", "tile.kv=48", "multiple of 32"), ("pipelined", "tile.m=4", "no field"),
    ("online", "tile.q=48,tile.kv=192", "ub holds"),
  ])
  func `a schedule that cannot be is refused with what is needed`(
    rung: String, text: String, reason: String
  ) throws {
    var one = FlashCase(2048, 2048)
    one.rung = rung
    do {
      _ = try one.run(on: one.machine("edge"), schedule: text)
      Issue.record("\(text) was accepted")
    } catch {
      #expect("\(error)".contains(reason), "\(text): \(error)")
    }
  }

  @Test func `the scalar rung says that it takes numbers`() throws {
    var one = FlashCase(8, 8, d: 2)
    one.rung = "scalar"
    do {
      _ = try one.kernel(on: one.machine("edge"))
      Issue.record("rows of two were accepted")
    } catch {
      #expect("\(error)".contains("--head-dim 1"), "\(error)")
    }
  }

  @Test func `unfused scores beyond the machine are refused without a trap`() throws {
    var one = FlashCase(1 << 24, 1 << 24, d: 1)
    one.rung = "unfused"
    let machine = try one.machine("edge")
    #expect(throws: NPUError.self) { try one.kernel(on: machine) }
  }
}
