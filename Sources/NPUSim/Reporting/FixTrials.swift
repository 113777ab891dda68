/// Puts findings into the program's own timing, and tries their fixes: when the micro-ops concerned
/// execute, whether a race shows, whether the fix removes it, and what it costs in cycles.
public enum FixTrials {
  /// Findings whose fix is tried; each costs a check and a timing of the program.
  static let mostTried = 12
  /// Micro-ops of a program above which nothing is tried.
  static let largestProgram = 1 << 20
  /// Most event IDs of its own that a fix may take.
  static let mostIdentifiers = 64

  /// The findings with ``Finding/times``, ``Finding/manifests`` and ``Finding/trial`` filled in where
  /// they are known.
  public static func annotate(_ findings: [Finding], of program: Program) -> [Finding] {
    guard program.opCount <= largestProgram, findings.contains(where: { !$0.sites.isEmpty }) else {
      return findings
    }
    let own = timing(program, timeline: true)
    var counts: [FindingCode: Int] = [:]
    for finding in findings { counts[finding.code, default: 0] += 1 + finding.folded }
    let known = Set(findings.filter { $0.severity == .error }.map(\.code))
    var tried = 0
    return findings.map { finding in
      var result = finding
      if let timeline = own?.timeline { result.times = times(finding, timeline) }
      guard !finding.edits.isEmpty else { return result }
      if isRace(finding), let timeline = own?.timeline {
        result.manifests = finding.edits.contains { shows($0, finding.code, timeline) }
      }
      if tried < mostTried {
        tried += 1
        result.trial = trial(
          finding, of: program, before: own?.cycles, count: counts[finding.code] ?? 0, known: known)
      }
      return result
    }
  }

  private static func isRace(_ finding: Finding) -> Bool {
    switch finding.code {
    case .H001, .H002, .H003: true
    default: false
    }
  }

  /// When each site executes; empty if one is outside the program.
  private static func times(_ finding: Finding, _ timeline: [[OpInstants]]) -> [Finding.SiteTime] {
    let times = finding.sites.compactMap { site -> Finding.SiteTime? in
      guard timeline.indices.contains(site.core), timeline[site.core].indices.contains(site.op)
      else { return nil }
      let instants = timeline[site.core][site.op]
      return Finding.SiteTime(
        start: instants.start, free: instants.free, visible: instants.visible)
    }
    return times.count == finding.sites.count ? times : []
  }

  /// Whether the two ends of a missing edge overlap in a timing.
  private static func shows(
    _ edit: ProgramEdit, _ code: FindingCode, _ timeline: [[OpInstants]]
  ) -> Bool {
    switch edit {
    case .event(let core, let from, let to), .barrier(let core, let from, let to):
      guard timeline.indices.contains(core), timeline[core].indices.contains(from),
        timeline[core].indices.contains(to)
      else { return false }
      let first = timeline[core][from]
      // A write after a read only has to wait until the sources are read.
      return (code == .H002 ? first.free : first.visible) > timeline[core][to].start
    case .remove: return false
    }
  }

  private static func timing(_ program: Program, timeline: Bool) -> TimingResult? {
    do throws(NPUError) {
      return try TimingEngine.run(program, TimingOptions(timeline: timeline))
    } catch {
      return nil
    }
  }

  private static func trial(
    _ finding: Finding, of program: Program, before: Int64?, count: Int, known: Set<FindingCode>
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
      var left = 0
      for other in check.findings where other.code == finding.code { left += 1 + other.folded }
      let isNew = check.findings.contains { $0.severity == .error && !known.contains($0.code) }
      last = FixTrial(
        cyclesBefore: before, cyclesAfter: timing(candidate, timeline: false)?.cycles,
        removesFinding: !isNew && left + 1 + finding.folded <= count,
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
    let used = ends.map { program.firstFreeEvent(from: $1.from, to: $1.to, core: $0) }.max() ?? 0
    guard !ends.isEmpty else { return [(1, 0)] }
    var result: [(count: Int, missing: Int)] = []
    var count = 1
    while count <= mostIdentifiers {
      result.append((count, max(0, used + count - limit)))
      count *= 2
    }
    return result
  }
}
