import NPUSim
import Testing

/// Shares of the HBM bandwidth, and what a launch costs.
@Suite struct HBMEfficiencyTests {
  /// Transfers of 1,000 bytes at 10 bytes a cycle and more than that on the ports, `true` for writes:
  /// the cycles from the first start until each is through. Reads start one after another, and so do
  /// writes; the first of both start at the beginning, the read before the write.
  private func ends(_ read: Rate, _ mixed: Rate, _ order: [Bool]) throws -> [Int64] {
    var machine = TestMachine.small(depth: nil)
    for path in machine.paths.indices {
      machine.paths[path] = .init(rate: .unlimited, latency: 0)
    }
    machine.hbm = .init(
      rate: try #require(Rate(10)), burst: 8, readEfficiency: read, mixedEfficiency: mixed)
    var p = ProgramBuilder(machine: machine, catalogue: .standard, isExplicit: true)
    let x = try p.tensor("x", .f32, rows: 1, columns: 250, role: .input)
    let y = try p.tensor("y", .f32, rows: 1, columns: 250, role: .output)
    let ub = try p.buffer("t", in: UB.self, .f32, rows: 1, columns: 250)
    for writes in order {
      if writes {
        p.emit(StoreHBM(y.tile(), from: ub.tile()))
      } else {
        p.emit(LoadUB(ub.tile(), from: x.tile()))
      }
    }
    let result = try TimingEngine.run(p.build(), TimingOptions(timeline: true))
    let times = try #require(result.timeline)[0]
    return times.map { $0.free - times[0].start }
  }

  private func share(_ top: Int64, _ bottom: Int64) throws -> Rate {
    try #require(Rate(top, over: bottom))
  }

  @Test func `a transfer that goes the other way has its own share, exactly`() throws {
    // 100 cycles at the whole rate, 125 at 4/5, 200 at 1/2.
    let (whole, most, half) = (try share(1, 1), try share(4, 5), try share(1, 2))
    #expect(try ends(whole, whole, [false, false, true]) == [100, 300, 200])
    #expect(try ends(most, most, [false, false, true]) == [125, 375, 250])
    #expect(try ends(most, half, [false, false, false]) == [125, 250, 375])
    #expect(try ends(most, half, [true, true, true]) == [125, 250, 375])
    #expect(try ends(most, half, [false, true, false, true]) == [125, 325, 525, 725])
    // 1,000 / (10 · 7/9) is 128 4/7, and 1,000 / (10 · 2/3) is 150: the parts of a cycle add up, and a
    // server that is idle begins with what comes.
    #expect(try ends(share(7, 9), share(2, 3), [false, true]) == [129, 279])
    #expect(try ends(share(7, 9), share(2, 3), [false, true, false]) == [129, 279, 429])
    #expect(try ends(share(7, 9), share(2, 3), [false, false]) == [129, 258])
  }

  @Test func `shares bound the roofline, and cycles lie between their bounds`() throws {
    for seed in 0..<UInt64(200) {
      var source = RandomTimedPrograms(seed: seed &+ 4_000_000)
      let machine = source.machine()
      let program = try source.program(machine)
      guard let result = try? TimingEngine.run(program) else { continue }
      var whole = program
      whole.machine.hbm.readEfficiency = .whole
      whole.machine.hbm.mixedEfficiency = .whole
      let (bounds, better) = (try Bounds.of(program), try Bounds.of(whole))
      #expect(better.roofline <= bounds.roofline, "seed \(seed)")
      #expect(
        max(bounds.roofline, bounds.criticalPath) <= result.cycles
          && result.cycles <= bounds.serialSum, "seed \(seed)")
    }
  }

  @Test(arguments: [
    ("hbm.read_efficiency=0", "it must be a number above 0 and at most 1"),
    ("hbm.read_efficiency=1.01", "it must be a number above 0 and at most 1"),
    ("hbm.read_efficiency=\"11/10\"", "it must be a number above 0 and at most 1"),
    ("hbm.mixed_efficiency=-0.5", "it must be a number above 0 and at most 1"),
    ("hbm.read_efficiency=0.5", "hbm.read_efficiency is 0.5, less than hbm.mixed_efficiency, 1"),
    ("hbm.mixed_efficiency=\"2147483629/2147483647\"", "not a fraction of bytes per cycle"),
    ("launch.cycles=-1", "launch.cycles"),
  ])
  func `a share that cannot be is refused`(setting: String, reason: String) throws {
    let edge = try Presets.named("edge").configuration
    let error = #expect(throws: NPUError.self) { try edge.applying(set: setting) }
    #expect(error?.category == .configuration)
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
  }

  @Test func `of two shares that do not go together the one that was set is named, at its place`()
    throws
  {
    func problem(_ text: String) -> NPUError? {
      MachineDescription.problems(
        json: Array("{\"base\": \"edge\", \"hbm\": {\(text)}}".utf8), file: "m.json"
      ).first
    }
    let low = problem("\"read_efficiency\": 0.5")
    #expect(low?.message == "hbm.read_efficiency is 0.5, less than hbm.mixed_efficiency, 1")
    #expect(low?.hint?.hasSuffix("give hbm.mixed_efficiency at most 0.5") == true)
    #expect(low?.location?.column == 45)
    let both = problem("\"read_efficiency\": 0.5, \"mixed_efficiency\": 0.75")
    #expect(
      both?.message == "hbm.mixed_efficiency is 0.75, more than hbm.read_efficiency, 0.5")
    #expect(both?.location?.column == 70)
  }

  @Test func `shares are kept as they are written, and the files of 0.1.0 have all of HBM`() throws
  {
    let edge = try Presets.named("edge").configuration
    #expect(edge.hbm.readRate == edge.hbm.rate && edge.hbm.mixedRate == edge.hbm.rate)
    let changed = try edge.applying(sets: [
      "hbm.read_efficiency=0.92", "hbm.mixed_efficiency=\"7/9\"",
    ])
    #expect(changed.json["hbm"]?["read_efficiency"]?.text(.compact) == "0.92")
    #expect(changed.json["hbm"]?["mixed_efficiency"] == "7/9")
    #expect(changed.hbm.readRate == Rate(5_888, over: 125))
  }
}
