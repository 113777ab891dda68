/// When sets fire in a program's own timing: at the latest of their own end and the results of every
/// earlier micro-op of their queue.
struct FiringTimes {
  private let timeline: [[OpInstants]]
  /// Of the sets that findings say may come too early.
  private var fires: [Finding.Site: Int64] = [:]

  init(_ findings: [Finding], of program: Program, _ timeline: [[OpInstants]]) {
    self.timeline = timeline
    let sets = Set(findings.flatMap(\.reuses).map(\.set))
    for core in Set(sets.map(\.core)) where timeline.indices.contains(core) {
      var latest = [Int64](repeating: 0, count: Queue.count)
      for (op, record) in program.cores[core].enumerated()
      where timeline[core].indices.contains(op) {
        let site = Finding.Site(core: core, op: op)
        if record.kind.isInSequencer {
          if sets.contains(site) { fires[site] = timeline[core][op].free }
          continue
        }
        let own = record.queue.index
        for queue in record.kind.joinsQueues ? 0..<Queue.count : own..<own + 1 {
          latest[queue] = max(latest[queue], timeline[core][op].visible)
        }
        if sets.contains(site) { fires[site] = latest[own] }
      }
    }
  }

  /// How near the sets of a finding come to their waits; `nil` for one that has none, or where one of
  /// them never executes.
  func spare(of finding: Finding) -> Finding.Spare? {
    let spares = finding.reuses.compactMap { reuse -> Int64? in
      guard let fire = fires[reuse.set], timeline.indices.contains(reuse.wait.core),
        timeline[reuse.wait.core].indices.contains(reuse.wait.op)
      else { return nil }
      return fire - timeline[reuse.wait.core][reuse.wait.op].free
    }
    guard let printed = spares.first, spares.count == finding.reuses.count else { return nil }
    return Finding.Spare(
      printed: printed, least: spares.min() ?? printed, showing: spares.count { $0 < 0 })
  }
}
