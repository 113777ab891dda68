import Foundation
import NPUSim
import Testing

@Suite struct TimingOracleTests {
  /// Ten thousand programs in full, a tenth by default.
  static let count = ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1" ? 10_000 : 1_000

  /// What the two engines disagree on, if anything.
  static func disagreement(_ program: Program, uncontended: Bool) throws -> (
    text: String?, deadlocks: Bool
  ) {
    var oracle = CycleSteppedEngine(program, uncontended: uncontended)
    let expected = oracle.run()
    let result: TimingResult
    do {
      result = try TimingEngine.run(
        program, TimingOptions(uncontended: uncontended, timeline: true))
    } catch {
      if expected == nil && error.category == .program { return (nil, true) }
      return ("the engine threw \(error.message)", false)
    }
    guard let expected else { return ("the oracle sees a deadlock", true) }
    if Int(result.cycles) != expected.cycles {
      return ("cycles \(result.cycles), expected \(expected.cycles)", false)
    }
    let timeline = result.timeline ?? []
    for core in program.cores.indices {
      for op in program.cores[core].indices
      where timeline[core][op] != expected.instants[core][op] {
        return (
          "core \(core) #\(op): \(timeline[core][op]), expected \(expected.instants[core][op])",
          false
        )
      }
      for q in 0..<Queue.count {
        let queue = result.cores[core].queues[q]
        if Int(queue.busy) != expected.busy[core][q] {
          return ("core \(core) queue \(q) busy \(queue.busy)", false)
        }
        for reason in StallReason.allCases {
          let cycles = expected.stalls[core][q][reason] ?? 0
          if Int(queue[reason]) != cycles {
            return (
              "core \(core) queue \(q) \(reason) \(queue[reason]), expected \(cycles)", false
            )
          }
        }
      }
    }
    return (nil, false)
  }

  @Test func `every instant and every reason of random programs equals the cycle-stepped oracle`()
    throws
  {
    var deadlocks = 0
    for seed in 0..<UInt64(Self.count) {
      var source = RandomTimedPrograms(seed: seed)
      let machine = source.machine()
      let program = try source.program(machine)
      try #require(program.defects.isEmpty, "seed \(seed): \(program.defects)")
      for uncontended in [false, true] {
        let (text, deadlock) = try Self.disagreement(program, uncontended: uncontended)
        try #require(
          text == nil,
          """
          seed \(seed), uncontended \(uncontended): \(text ?? "")
          \((try? ProgramText.print(program)).map { String(decoding: $0, as: UTF8.self) } ?? "")
          """)
        if deadlock { deadlocks += 1 }
      }
    }
    // The generator must keep making programs that end.
    #expect(deadlocks < Self.count / 2)
  }
}
