import Foundation
import NPUSim
import Testing

/// Reads of HBM bytes that a core wrote, in ordered programs on overlapping tiles.
@Suite struct FenceOracleTests {
  /// 3,000 programs when `NPUSIM_FULL` is set, a tenth of them otherwise.
  static let seeds =
    0..<UInt64(ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1" ? 3_000 : 300)

  @Test func `exactly the reads that no barrier on all queues separates from a write are named`()
    throws
  {
    var judged = 0
    var named = 0
    for seed in Self.seeds {
      var source = OverlappingPrograms(seed: seed)
      var program = try source.program(isOrdered: true)
      program.machine.hbm.readAfterWrite = .event
      guard Checker.check(program).isClean else { continue }
      let brute = BruteChecker(program)
      for rule in [MachineConfiguration.HBMSpec.ReadAfterWrite.event, .fence] {
        program.machine.hbm.readAfterWrite = rule
        for pieceLimit in [0, .max] {
          let result = Checker.check(
            program, CheckOptions(lints: true, pieceLimit: pieceLimit))
          let code: FindingCode = rule == .fence ? .H001 : .P009
          #expect(
            CheckerOracleTests.fenced(result, code) == brute.unfenced,
            "seed \(seed), \(rule), pieces to \(pieceLimit)")
          #expect(result.isClean == (rule == .event || brute.unfenced.isEmpty))
        }
      }
      judged += 1
      named += brute.unfenced.count
      // What the findings would put there is enough.
      let edits = Checker.check(program).findings.flatMap(\.edits)
      #expect(Checker.check(program.applying(edits)).isClean, "mended, seed \(seed)")
    }
    #expect(judged > Self.seeds.count / 20, "\(judged) judged")
    #expect(named > Self.seeds.count / 20, "\(named) named")
  }
}
