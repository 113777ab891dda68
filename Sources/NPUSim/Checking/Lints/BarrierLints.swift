/// P002: barriers that order nothing, and barriers over all queues of which few need joining.
struct BarrierLints {
  /// Groups of barriers on all queues that are tried; each costs a check of the whole program.
  static let mostGroups = 8
  /// Ordered pairs of queues up to which events are better than a barrier.
  static let fewPairs = 3

  private let program: Program
  private let writer: FindingWriter

  init(_ program: Program, _ writer: FindingWriter) {
    self.program = program
    self.writer = writer
  }

  /// Barriers on one queue that can go alone, folded by queue and scope.
  func redundant(_ barriers: [Finding.Site]) -> [Finding] {
    struct Key: Hashable {
      var core: Int
      var queue: Queue
      var scope: String
    }
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    for site in barriers {
      let record = writer.record(site)
      let key = Key(core: site.core, queue: record.queue, scope: writer.labels(record.scope))
      let edit = ProgramEdit.remove(core: site.core, ops: [site.op])
      if let index = known[key] {
        result[index].folded += 1
        result[index].edits.append(edit)
        continue
      }
      known[key] = result.count
      result.append(
        Finding(
          .P002, "\(writer.describe(site)) orders nothing that is not ordered without it",
          sites: [site], fix: "remove it", edits: [edit]))
    }
    return result
  }

  /// Barriers on all queues of a core in the place of which a few events would do.
  func overWide() -> [Finding] {
    var groups: [(core: Int, scope: String, ops: [Int])] = []
    for (core, records) in program.cores.enumerated() {
      var known: [String: Int] = [:]
      for (op, record) in records.enumerated() where record.kind == .barrierAll {
        let scope = writer.labels(record.scope)
        if let index = known[scope] {
          groups[index].ops.append(op)
        } else {
          known[scope] = groups.count
          groups.append((core, scope, [op]))
        }
      }
    }
    return groups.prefix(Self.mostGroups).compactMap { overWide(core: $0.core, $0.ops) }
  }

  /// Whether a barrier whose absence leaves these races is what makes HBM bytes readable.
  private func isFence(_ races: [Race], in without: Program) -> Bool {
    guard program.machine.hbm.readAfterWrite == .fence else { return false }
    let writer = FindingWriter(without, layout: TileLayout(without))
    return races.contains { race in
      race.code == .H001 && writer.conflict(race)?.region.plane == .hbm
    }
  }

  private func overWide(core: Int, _ ops: [Int]) -> Finding? {
    let without = program.applying([.remove(core: core, ops: ops)])
    let check = Checker.check(without)
    guard check.raceCount == check.races.count, !isFence(check.races, in: without),
      check.races.allSatisfy({ $0.first.core == core && $0.second.core == core })
    else { return nil }
    // Places in the program as it is: every removed micro-op shifts what follows it.
    var isKept = [Bool](repeating: true, count: program.cores[core].count)
    for op in ops { isKept[op] = false }
    let kept = isKept.indices.filter { isKept[$0] }
    var edits: [ProgramEdit] = [.remove(core: core, ops: ops)]
    var pairs: Set<String> = []
    for race in check.races {
      let from = kept[race.first.op]
      let to = kept[race.second.op]
      let source = program.cores[core][from].queue
      let target = program.cores[core][to].queue
      pairs.insert(source == target ? source.name : "\(source.name)->\(target.name)")
      edits.append(
        source == target
          ? .barrier(core: core, from: from, to: to) : .event(core: core, from: from, to: to))
    }
    guard pairs.count <= Self.fewPairs, let first = ops.first else { return nil }
    let site = Finding.Site(core: core, op: first)
    let needed = pairs.sorted().joined(separator: ", ")
    return Finding(
      .P002,
      "\(writer.describe(site)) joins every queue, but "
        + (pairs.isEmpty ? "nothing needs it" : "only \(needed) has to wait"),
      sites: [site],
      fix: pairs.isEmpty ? "remove it" : "put an event in its place: \(needed)",
      folded: ops.count - 1, edits: edits)
  }
}
