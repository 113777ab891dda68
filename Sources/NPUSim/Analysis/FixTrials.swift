/// Puts findings into the program's own timing, and tries their fixes: when the micro-ops concerned
/// execute, whether a race shows, whether the fix removes it, and what it costs in cycles.
public enum FixTrials {
  /// Findings whose fix is tried; each costs a check and a timing of the program.
  static let mostTried = 12
  /// Micro-ops of a program above which nothing is tried.
  static let largestProgram = 1 << 20

  /// The findings with ``Finding/times``, ``Finding/manifests`` and ``Finding/trial`` filled in where
  /// they are known.
  public static func annotate(_ findings: [Finding], of program: Program) -> [Finding] {
    guard program.opCount <= largestProgram, findings.contains(where: { !$0.sites.isEmpty }) else {
      return findings
    }
    let own = timing(program, timeline: true)
    let counts = counts(findings)
    let known = Set(findings.filter { $0.severity == .error }.map { kind($0) })
    let firings = own?.timeline.map { FiringTimes(findings, of: program, $0) }
    var tried = 0
    return findings.map { finding in
      var result = finding
      if let timeline = own?.timeline { result.times = times(finding, timeline) }
      if let spare = firings?.spare(of: finding) {
        result.spare = spare
        result.manifests = spare.printed < 0
      }
      guard !finding.edits.isEmpty else { return result }
      if let timeline = own?.timeline, !finding.pairs.isEmpty {
        result.manifests = finding.pairs[0].races.first.map { shows($0, timeline) }
        for index in result.pairs.indices {
          result.pairs[index].showing = result.pairs[index].races.count { shows($0, timeline) }
        }
      }
      if tried < mostTried {
        tried += 1
        result.trial = trial(
          finding, of: program, before: own?.cycles, counts: counts, known: known)
      }
      return result
    }
  }

  /// The code under which findings are counted: all races together, as one edge orders those of
  /// several codes.
  private static func kind(_ finding: Finding) -> FindingCode {
    finding.pairs.isEmpty ? finding.code : .H001
  }

  /// Findings, and those that are folded into them, by their kind.
  private static func counts(_ findings: [Finding]) -> [FindingCode: Int] {
    var counts: [FindingCode: Int] = [:]
    for finding in findings { counts[kind(finding), default: 0] += 1 + finding.folded }
    return counts
  }

  /// When each site executes; empty if one is outside the program.
  private static func times(_ finding: Finding, _ timeline: [[OpInstants]]) -> [Finding.SiteTime] {
    let times = finding.sites.compactMap { site -> Finding.SiteTime? in
      instants(site, timeline).map {
        Finding.SiteTime(start: $0.start, free: $0.free, visible: $0.visible)
      }
    }
    return times.count == finding.sites.count ? times : []
  }

  /// Whether the two micro-ops of a race overlap in a timing.
  private static func shows(_ race: Race, _ timeline: [[OpInstants]]) -> Bool {
    guard let first = instants(race.first, timeline), let second = instants(race.second, timeline)
    else { return false }
    // A write after a read only has to wait until the sources are read.
    return (race.code == .H002 ? first.free : first.visible) > second.start
  }

  private static func instants(
    _ site: Finding.Site, _ timeline: [[OpInstants]]
  ) -> OpInstants? {
    guard timeline.indices.contains(site.core), timeline[site.core].indices.contains(site.op)
    else { return nil }
    return timeline[site.core][site.op]
  }

  private static func timing(_ program: Program, timeline: Bool) -> TimingResult? {
    do throws(NPUError) {
      return try TimingEngine.run(program, TimingOptions(timeline: timeline))
    } catch {
      return nil
    }
  }

  private static func trial(
    _ finding: Finding, of program: Program, before: Int64?, counts: [FindingCode: Int],
    known: Set<FindingCode>
  ) -> FixTrial {
    let limit = program.machine.eventsPerPair ?? Int(UInt16.max)
    var last = FixTrial(cyclesBefore: before, cyclesAfter: nil, removesFinding: false)
    for identifiers in choices(finding, program, limit: limit) {
      var candidate = program.applying(finding.edits, identifiers: identifiers.count)
      if candidate.machine.eventsPerPair != nil {
        candidate.machine.eventsPerPair = limit + identifiers.missing
      }
      let check = Checker.check(
        candidate, CheckOptions(lints: finding.severity == .lint))
      let left = Self.counts(check.findings)
      // An event with too few IDs brings sets that may come before their waits.
      let isNew =
        check.findings.contains { $0.severity == .error && !known.contains(kind($0)) }
        || left[.S008, default: 0] > counts[.S008, default: 0]
      last = FixTrial(
        cyclesBefore: before, cyclesAfter: timing(candidate, timeline: false)?.cycles,
        removesFinding: !isNew
          && left[kind(finding), default: 0] + 1 + finding.folded
            <= counts[kind(finding), default: 0],
        missingIdentifiers: identifiers.missing)
      if !isNew { break }
    }
    return last
  }

  /// How many event IDs to use, the fewest first: those that are free, then more than there are.
  private static func choices(_ finding: Finding, _ program: Program, limit: Int) -> [(
    count: Int, missing: Int
  )] {
    // The edges of a finding join the same queues, perhaps on many cores.
    var ends: [Int: (from: Queue, to: Queue)] = [:]
    for edit in finding.edits {
      guard case .event(let core, let from, let to) = edit, ends[core] == nil,
        program.cores.indices.contains(core), program.cores[core].indices.contains(from),
        program.cores[core].indices.contains(to)
      else { continue }
      ends[core] = (program.cores[core][from].queue, program.cores[core][to].queue)
    }
    let used =
      ends.map { program.firstFreeEvent(from: .queue($1.from), to: .queue($1.to), core: $0) }
      .max() ?? 0
    guard !ends.isEmpty else { return [(1, max(0, rotated(finding, program) - limit))] }
    var result: [(count: Int, missing: Int)] = []
    var count = 1
    while count <= ProgramEdit.mostIdentifiers {
      result.append((count, max(0, used + count - limit)))
      count *= 2
    }
    return result
  }

  /// IDs that some pair of queues has in use once the events of a finding rotate.
  private static func rotated(_ finding: Finding, _ program: Program) -> Int {
    struct Pair: Hashable {
      var core: Int
      var pair: Int
    }
    var used: [Pair: Int] = [:]
    for edit in finding.edits {
      guard case .rotate(let core, let event, let identifiers) = edit else { continue }
      let free = program.firstFreeEvent(from: event.source, to: event.target, core: core)
      used[Pair(core: core, pair: event.pair), default: free] += identifiers - 1
    }
    return used.values.max() ?? 0
  }
}
