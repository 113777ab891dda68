/// Folds findings that differ only in the core: a schedule that is split over cores has each of its
/// defects on every one of them.
public enum CoreFolding {
  /// A micro-op without its core and its place in the core's list.
  private struct Kind: Hashable {
    var opcode: UInt8
    var queue: Queue
    /// The event of a set or a wait.
    var event: UInt32?
    /// The line, or the scope without iteration numbers.
    var statement: Statement
    /// Whether it is on the core of the finding's first site.
    var isOnFirstCore: Bool
  }

  /// What findings that fold have in common.
  private struct Key: Hashable {
    var code: FindingCode
    var severity: FindingKind.Severity
    var buffer: String?
    var sites: [Kind]
    /// Which of the findings of this kind it is on its core.
    var ordinal: Int
  }

  /// The findings in their order, those of further cores folded into the first of their kind. Findings
  /// without sites stay as they are, and so do races, which are gathered over all cores already.
  public static func fold(
    _ findings: [Finding], in program: Program, lines: [Finding.Site: SourceLine] = [:]
  ) -> [Finding] {
    guard program.cores.count > 1 else { return findings }
    var writer = FindingWriter(program, layout: TileLayout(program))
    writer.lines = lines
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    var ordinals: [Key: [Int: Int]] = [:]
    for finding in findings {
      guard let first = finding.sites.first, finding.pairs.isEmpty,
        finding.sites.allSatisfy({
          program.cores.indices.contains($0.core) && program.cores[$0.core].indices.contains($0.op)
            // An event between cores is one event.
            && !program.cores[$0.core][$0.op].kind.isBetweenCores
        })
      else {
        result.append(finding)
        continue
      }
      var key = Key(
        code: finding.code, severity: finding.severity, buffer: nil,
        sites: finding.sites.map { kind($0, first: first, writer) }, ordinal: 0)
      if let buffer = finding.buffer, program.buffers.indices.contains(Int(buffer)) {
        key.buffer = program.buffers[Int(buffer)].name
      }
      let ordinal = ordinals[key, default: [:]][first.core, default: 0]
      ordinals[key, default: [:]][first.core] = ordinal + 1
      key.ordinal = ordinal
      if let index = known[key] {
        result[index].folded += 1 + finding.folded
        result[index].edits += finding.edits
        result[index].reuses += finding.reuses
        result[index].cores += 1
      } else {
        known[key] = result.count
        result.append(finding)
      }
    }
    return result
  }

  private static func kind(
    _ site: Finding.Site, first: Finding.Site, _ writer: FindingWriter
  ) -> Kind {
    let record = writer.record(site)
    let isSync = record.kind.isOfEvent
    return Kind(
      opcode: record.opcode, queue: record.queue, event: isSync ? record.event.packed : nil,
      statement: writer.statement(site), isOnFirstCore: site.core == first.core)
  }
}
