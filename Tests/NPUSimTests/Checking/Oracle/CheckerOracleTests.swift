import Foundation
import NPUSim
import Testing

@Suite struct CheckerOracleTests {
  /// 10,000 programs when `NPUSIM_FULL` is set, a tenth of them otherwise.
  static let seeds =
    0..<UInt64(
      ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1" ? 10_000 : 1_000)

  /// What does not look for slots that are filled for nothing, as rectangles take no part in that.
  static func withoutCauses(_ result: CheckResult) -> CheckResult {
    var result = result
    result.findings.removeAll { $0.code == .P008 }
    for index in result.findings.indices {
      result.findings[index].likelyCause = nil
      result.findings[index].fix = ""
    }
    return result
  }

  /// The reads before which a finding would have a barrier on all queues.
  static func fenced(_ result: CheckResult, _ code: FindingCode) -> Set<Finding.Site> {
    Set(
      result.findings.filter { $0.code == code }.flatMap(\.edits).compactMap { edit in
        if case .fence(let core, _, let to) = edit { Finding.Site(core: core, op: to) } else { nil }
      })
  }

  @Test func `every verdict agrees with a graph of instants and sets of bytes`() throws {
    var races = 0
    var clean = 0
    var stuck = 0
    var (doubled, overtaking, pairless, blocked) = (0, 0, 0, 0)
    var (flagged, starvedFlags) = (0, 0)
    for seed in Self.seeds {
      var source = RandomPrograms(seed: seed)
      var program = try source.program()
      EventKeys(seed: seed).apply(to: &program.machine)
      let result = Checker.check(program)
      #expect(
        Self.withoutCauses(Checker.check(program, CheckOptions(pieceLimit: 0)))
          == Self.withoutCauses(result),
        "judged by rectangles, seed \(seed)")
      let brute = BruteChecker(program)
      let found = Set(
        result.races.map { BruteChecker.Pair(code: $0.code, first: $0.first, second: $0.second) })
      let codes = Set(result.findings.map(\.code))
      #expect(found == brute.races, "races of seed \(seed)")
      #expect(found.count == result.raceCount, "count of races of seed \(seed)")
      #expect(
        Set(result.uninitialisedReads) == brute.uninitialised, "uninitialised reads of seed \(seed)"
      )
      // Fences are judged where the order is sound.
      if brute.races.isEmpty && brute.unfinished == 0 {
        let demanded = program.machine.hbm.readAfterWrite == .fence
        let unfenced = demanded ? result : Checker.check(program, CheckOptions(lints: true))
        if demanded || unfenced.isClean {
          #expect(
            Self.fenced(unfenced, demanded ? .H001 : .P009) == brute.unfenced,
            "fences of seed \(seed)")
        }
      }
      // A cycle behind what starves may be held with that, and not be named.
      #expect(
        codes.contains(.D001) == brute.hasCycle || brute.hasCycle && brute.hasStarvation,
        "cycle of seed \(seed)")
      #expect(codes.contains(.D002) == brute.hasStarvation, "starvation of seed \(seed)")
      // What never ends has a reason.
      #expect(
        brute.unfinished == 0 || brute.hasCycle || brute.hasStarvation,
        "\(brute.unfinished) micro-ops of seed \(seed) never start, and nothing says why")
      // The oracle judges depth only where the order itself finishes.
      if !brute.hasCycle && !brute.hasStarvation {
        #expect(
          codes.contains(.D003) == brute.hasCapacityStop,
          """
          capacity of seed \(seed), \(brute.unfinished) unfinished: \(result.findings.map(\.message))
          \((try? ProgramText.print(program)).map { String(decoding: $0, as: UTF8.self) } ?? "")
          """)
      }
      func count(_ code: FindingCode) -> Int {
        result.findings.filter { $0.code == code }.reduce(0) { $0 + 1 + $1.folded }
      }
      #expect(count(.S004) == brute.doubled.count, "double sets of seed \(seed)")
      #expect(count(.S007) == brute.pairless, "events without a pair of seed \(seed)")
      let reuses = result.findings.flatMap(\.reuses)
      #expect(reuses.count == count(.S008) && Set(reuses) == brute.overtaking, "seed \(seed)")
      #expect(reuses.isEmpty || !result.proof.isProved, "proof of seed \(seed)")
      doubled += brute.doubled.count
      overtaking += reuses.count
      pairless += brute.pairless
      blocked += brute.blockers.isEmpty ? 0 : 1
      flagged += brute.flagged.count
      starvedFlags += result.findings.count { $0.message.hasPrefix("a unit flag") }
      #expect(
        codes.intersection([.S001, .S002, .S003]) == brute.unmatched,
        "unmatched events of seed \(seed)")
      for race in found {
        #expect(brute.isRealised(race), "\(race) of seed \(seed) shows under no durations")
      }
      for reuse in reuses {
        #expect(brute.isRealised(reuse), "\(reuse) of seed \(seed) shows under no durations")
      }
      races += found.count
      if result.raceCount == 0 { clean += 1 }
      if brute.hasCycle || brute.hasStarvation || brute.hasCapacityStop { stuck += 1 }
    }
    // The programs are worth judging: some race, some do not, some get stuck.
    #expect(races > 1_000)
    #expect(clean > 10)
    #expect(stuck > 20)
    #expect(
      flagged > 300 && starvedFlags > 10, "\(flagged) flags, \(starvedFlags) never answered")
    #expect(
      doubled > 0 && overtaking > 0 && pairless > 50 && blocked > 20,
      "\(doubled) doubled, \(overtaking) overtaking, \(pairless) pairless, \(blocked) blocked")
  }
}
