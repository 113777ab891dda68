import NPUSim
import Testing

@Suite struct BindingPathTests {
  @Test func `the chain of every random program is as long as its cycles`() throws {
    var chains = 0
    for seed in 0..<UInt64(TimingOracleTests.count) {
      var source = RandomTimedPrograms(seed: seed &+ 5_000_000)
      let program = try source.program(source.machine())
      for uncontended in [false, true] {
        let options = TimingOptions(uncontended: uncontended, timeline: true)
        guard let result = try? TimingEngine.run(program, options), result.cycles > 0 else {
          continue
        }
        let path = try #require(
          try BindingPath.of(program, result, options), "seed \(seed)")
        #expect(
          path.shares.reduce(0) { $0 + $1.cycles } == result.cycles,
          "seed \(seed), uncontended \(uncontended): \(path.shares)")
        #expect(path.shares.count <= BindingPath.limit)
        chains += 1
      }
    }
    #expect(chains > TimingOracleTests.count)
  }

  @Test func `a chain names what it waits for, the largest share first`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 1, columns: 128, role: .input)
    let ub = try p.buffer("ub", in: UB.self, .bf16, rows: 2, columns: 128)
    p.emit(LoadUB(ub.tile(row: 0, rows: 1), from: x.tile()))
    p.emit(
      Special<ExpRule>(ub.tile(row: 1, rows: 1, columns: 40), ub.tile(row: 0, rows: 1, columns: 40))
    )
    let program = p.build()
    let options = TimingOptions(timeline: true)
    let result = try TimingEngine.run(program, options)
    let path = try #require(try BindingPath.of(program, result, options))
    // 32 cycles of the load's port, 10 of its latency, 2 of propagation, the wait's own cycle,
    // 10 of exp and 4 of its latency.
    #expect(
      path.shares.map {
        "\($0.queue?.name ?? "") \($0.work) \($0.cause?.rawValue ?? "") \($0.cycles)"
      }
        == [
          "load hbm_to_ub occupancy 32", "load hbm_to_ub latency 10", "vector exp occupancy 10",
          "vector exp latency 4", "vector wait propagation 2", "vector wait occupancy 1",
        ])
  }

  @Test func `a chain needs a timeline and plain durations`() throws {
    // The first program that ends: some deadlock.
    let ended = try (1..<20).compactMap { seed -> (Program, TimingResult)? in
      var source = RandomTimedPrograms(seed: UInt64(seed))
      let program = try source.program(source.machine())
      return (try? TimingEngine.run(program)).map { (program, $0) }
    }
    let (program, plain) = try #require(ended.first)
    #expect(try BindingPath.of(program, plain, TimingOptions()) == nil)
    let options = TimingOptions(jitter: .init(seed: 1, percent: 10), timeline: true)
    let random = try TimingEngine.run(program, options)
    #expect(try BindingPath.of(program, random, options) == nil)
  }
}
