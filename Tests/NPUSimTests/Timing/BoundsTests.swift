import NPUSim
import Testing

@Suite struct BoundsTests {
  @Test func `cycles of random programs lie between their bounds, and bytes and MACs are kept`()
    throws
  {
    for seed in 0..<UInt64(TimingOracleTests.count) {
      var source = RandomTimedPrograms(seed: seed &+ 1_000_000)
      let program = try source.program(source.machine())
      let result: TimingResult
      do {
        result = try TimingEngine.run(program)
      } catch {
        continue
      }
      let bounds = try Bounds.of(program)
      #expect(bounds.usesProgramWork)
      #expect(
        max(bounds.roofline, bounds.criticalPath) <= result.cycles,
        "seed \(seed): \(bounds), cycles \(result.cycles)")
      #expect(
        bounds.roofline <= bounds.attainable && bounds.attainable <= result.cycles,
        "seed \(seed): \(bounds)")
      #expect(result.cycles <= bounds.serialSum, "seed \(seed): \(bounds)")
      let traffic = TrafficSummary(program)
      let works = program.cores.joined().map { program.works[Int($0.work)] }
      #expect(traffic.macs == works.reduce(0) { $0 + $1.macs })
      #expect(
        traffic.hbmRead + traffic.hbmWritten
          == works.reduce(0) { $0 + ($1.hbmBytes > 0 ? $1.usefulBytes : 0) })
      #expect(
        traffic.hbmReadBursts + traffic.hbmWrittenBursts
          == works.reduce(0) { $0 + $1.hbmBytes })
      #expect(traffic.vectorElements == works.reduce(0) { $0 + $1.elements })
    }
  }

  @Test func `a machine without limits takes exactly the critical path`() throws {
    for seed in 0..<UInt64(200) {
      var source = RandomTimedPrograms(seed: seed &+ 2_000_000)
      var machine = source.machine()
      machine.queueDepth = nil
      machine.hbm.rate = .unlimited
      let program = try source.program(machine)
      guard let result = try? TimingEngine.run(program) else { continue }
      let bounds = try Bounds.of(program)
      #expect(result.cycles == bounds.criticalPath, "seed \(seed)")
    }
  }

  @Test func `a longer propagation never shortens the critical path`() throws {
    for seed in 0..<UInt64(200) {
      var source = RandomTimedPrograms(seed: seed &+ 3_000_000)
      var program = try source.program(source.machine())
      guard let before = try? TimingEngine.run(program, .init(uncontended: true)) else { continue }
      program.machine.eventPropagation += 7
      let after = try TimingEngine.run(program, .init(uncontended: true))
      #expect(before.cycles <= after.cycles, "seed \(seed)")
    }
  }

  @Test func `randomised timings keep every cycle accounted for and are the same for a seed`()
    throws
  {
    var differing = 0
    for seed in 0..<UInt64(200) {
      var source = RandomTimedPrograms(seed: seed &+ 4_000_000)
      let program = try source.program(source.machine())
      guard let plain = try? TimingEngine.run(program) else { continue }
      let options = TimingOptions(jitter: .init(seed: seed, percent: 50))
      // A run checks that busy and stalls add up by itself.
      let first = try TimingEngine.run(program, options)
      let second = try TimingEngine.run(program, options)
      #expect(first.cores == second.cores)
      if first.cycles != plain.cycles { differing += 1 }
      let none = try TimingEngine.run(
        program, TimingOptions(jitter: .init(seed: seed, percent: 0)))
      #expect(none.cores == plain.cores, "seed \(seed)")
    }
    #expect(differing > 100)
  }

  @Test func `the roofline names the scarcest resource of the stated work`() throws {
    // 8 B a cycle on HBM paths, 64/5 B a cycle on the chip, 512 MACs a cycle.
    let program = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard).build()
    var work = CompulsoryWork()
    work.move(1000, .hbmToL1)
    var bounds = try Bounds.of(program, compulsory: work)
    #expect(bounds.roofline == 125)
    #expect(bounds.rooflineResource == .queue(.load))
    #expect(!bounds.usesProgramWork)
    work.move(1000, .ubToHBM)
    bounds = try Bounds.of(program, compulsory: work)
    // 2000 / 12.8 = 156.25 cycles of the chip's HBM.
    #expect(bounds.roofline == 157)
    #expect(bounds.rooflineResource == .hbm)
    work.macs = 512 * 157 + 1
    bounds = try Bounds.of(program, compulsory: work)
    #expect(bounds.roofline == 158)
    #expect(bounds.rooflineResource == .queue(.matrix))
    work.pass(4 * 159, .add)
    bounds = try Bounds.of(program, compulsory: work)
    #expect(bounds.roofline == 159)
    #expect(bounds.rooflineResource == .queue(.vector))
  }
}
