/// Folds what is wrong with the events of one line: a loop, or a list beside a micro-op, may have one for
/// each of thousands of IDs.
enum EventFolding {
  /// The codes that are found ID by ID.
  private static let codes: Set<FindingCode> = [.S001, .S002, .S003, .S005]

  /// What findings that fold have in common.
  private struct Key: Hashable {
    var code: FindingCode
    var core: Int
    var line: SourceLine
    /// The queues of the event.
    var pair: Int
  }

  /// The micro-ops whose lines decide what folds; none where there is nothing to fold.
  static func sites(_ findings: [Finding]) -> [Finding.Site] {
    let sites = findings.compactMap { codes.contains($0.code) ? $0.sites.first : nil }
    return sites.count > 1 ? sites : []
  }

  /// The findings in their order, those of further IDs folded into the first of their line.
  static func fold(
    _ findings: [Finding], in program: Program, lines: [Finding.Site: SourceLine]
  ) -> [Finding] {
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    var removed: [Int: [Int]] = [:]
    for finding in findings {
      guard codes.contains(finding.code), let site = finding.sites.first, let line = lines[site],
        !program.cores[site.core][site.op].kind.isBetweenCores
      else {
        result.append(finding)
        continue
      }
      let key = Key(
        code: finding.code, core: site.core, line: line,
        pair: program.cores[site.core][site.op].event.pair)
      let place = known[key] ?? result.count
      for case .remove(_, let ops) in finding.edits { removed[place, default: []] += ops }
      if place < result.count {
        result[place].folded += 1 + finding.folded
      } else {
        known[key] = place
        result.append(finding)
      }
    }
    for (place, ops) in removed {
      result[place].edits = [.remove(core: result[place].sites[0].core, ops: ops.sorted())]
    }
    return result
  }
}
