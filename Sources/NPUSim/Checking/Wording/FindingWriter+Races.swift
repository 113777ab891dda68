extension FindingWriter {
  /// One finding for each missing edge, with every pair of statements that it would order; `total`
  /// counts races that are not listed too.
  func races(_ races: [Race], total: Int) -> [Finding] {
    var result = RaceCauses(races, self).causes.map { finding($0) }
    if total > races.count, !result.isEmpty {
      result[result.count - 1].folded += total - races.count
    }
    return result
  }

  private func finding(_ cause: RaceCauses.Cause) -> Finding {
    let race = cause.races[0]
    let conflict = conflict(race)
    let edge = words(cause, race)
    var finding = Finding(
      race.code, edge.lead + statement(race, conflict), sites: [race.first, race.second],
      buffer: conflict.map { program.tiles[Int($0.first)].buffer }, region: conflict?.region,
      missing: edge.missing, fix: edge.fix, folded: cause.races.count - 1,
      edits: detour(cause) == nil ? cause.cuts.map { edit($0) } : [])
    finding.pairs = pairs(cause.races)
    finding.cores = Set(cause.races.map(\.first.core)).count
    return finding
  }

  // MARK: Pairs

  /// The races by their two statements and the buffer, in the order of their first ones.
  private func pairs(_ races: [Race]) -> [Finding.Pair] {
    struct Key: Hashable {
      var first: Statement
      var second: Statement
      var buffer: UInt32?
    }
    var result: [Finding.Pair] = []
    var known: [Key: Int] = [:]
    for race in races {
      let buffer = conflict(race).map { program.tiles[Int($0.first)].buffer }
      let key = Key(
        first: statement(race.first), second: statement(race.second),
        // Buffers of several cores have numbers of their own.
        buffer: race.first.core == 0 ? buffer : nil)
      if let index = known[key] {
        result[index].races.append(race)
      } else {
        known[key] = result.count
        result.append(Finding.Pair(races: [race], buffer: buffer))
      }
    }
    return result
  }

  // MARK: Edges

  private func edit(_ cut: RaceCauses.Cut) -> ProgramEdit {
    record(.init(core: cut.core, op: cut.from)).queue
      == record(.init(core: cut.core, op: cut.to)).queue
      ? .barrier(core: cut.core, from: cut.from, to: cut.to)
      : .event(core: cut.core, from: cut.from, to: cut.to)
  }

  /// What leads from the one queue to the other, where the machine has no events between them.
  private func detour(_ cause: RaceCauses.Cause) -> EventDetour? {
    guard case .event(_, let source, _, let target) = cause.edge,
      !program.machine.allEventPairs.contains(.queue(source), .queue(target))
    else { return nil }
    return EventDetour(program.machine, from: .queue(source), to: .queue(target))
  }

  /// What the statement of a race begins with, what is missing, and how to add it.
  private func words(
    _ cause: RaceCauses.Cause, _ race: Race
  ) -> (lead: String, missing: String, fix: String) {
    let cut = cause.cuts.first
    let core = cut?.core ?? 0
    let a = cut.map { Finding.Site(core: core, op: $0.from) } ?? race.first
    let b = cut.map { Finding.Site(core: core, op: $0.to) } ?? race.second
    switch cause.edge {
    case .cores:
      return (
        "", "a barrier over the cores between them",
        "put sync.barrier_cores after \(place(a)) on core \(a.core) and before \(place(b)) on core "
          + "\(b.core), and as often on every other core"
      )
    case .barriers(let queue):
      let places = places(cause.cuts)
      return (
        "the \(queue.name) queue does not interlock: ",
        places.count == 1
          ? "a barrier on \(queue.name) between \(place(a)) and \(place(b))"
          : "a barrier on \(queue.name) before \(list(places))",
        "put \(lines[b] == nil ? "sync.barrier" : "barrier") \(queue.name) before "
          + (places.count == 1
            ? place(b) : "each of them" + (lines[b] == nil ? "" : ""))
          + ": the queue does not interlock"
      )
    case .event(_, let source, _, let target):
      let pair = "\(source.name)->\(target.name)"
      if let detour = detour(cause) {
        let order = "\(target.name) at \(place(b)) ordered after \(source.name) at \(place(a))"
        return ("", "\(order): \(detour.message)", detour.fix)
      }
      return (
        "", "an event \(pair) between \(place(a)) and \(place(b))",
        "set an event \(pair) after \(place(a)) and wait for it before \(place(b))"
      )
    }
  }

  /// The first micro-op of each statement before which a cut stands, by line or in program order.
  private func places(_ cuts: [RaceCauses.Cut]) -> [Finding.Site] {
    var known: Set<Statement> = []
    let sites = cuts.map { Finding.Site(core: $0.core, op: $0.to) }
      .filter { known.insert(statement($0)).inserted }
    return sites.sorted {
      (lines[$0]?.number ?? 0, $0.core, $0.op) < (lines[$1]?.number ?? 0, $1.core, $1.op)
    }
  }

  /// `lines 30, 31 and 32`, or `#3 and #8`.
  private func list(_ sites: [Finding.Site]) -> String {
    let most = 40
    var words = sites.prefix(most).map { lines[$0].map { "\($0)" } ?? "#\($0.op)" }
    if sites.count > most { words.append("\(sites.count - most) more") }
    let isText = sites.contains { lines[$0] != nil }
    let last = words.removeLast()
    let all = words.isEmpty ? last : words.joined(separator: ", ") + " and \(last)"
    return isText ? "line\(words.isEmpty ? "" : "s") \(all)" : all
  }

  // MARK: Conflicts

  struct Conflict {
    var first: UInt32
    var second: UInt32
    var region: Region
  }

  /// The operands of a race that share a byte.
  func conflict(_ race: Race) -> Conflict? {
    let firstAccess: Access = race.code == .H002 ? .read : .write
    let secondAccess: Access = race.code == .H001 ? .read : .write
    for (a, aRegions) in footprints(record(race.first), firstAccess) {
      for (b, bRegions) in footprints(record(race.second), secondAccess) {
        for region in aRegions {
          for other in bRegions where region.overlaps(other) {
            return Conflict(
              first: a, second: b,
              region: region.byteCount <= other.byteCount ? region : other)
          }
        }
      }
    }
    return nil
  }

  private func footprints(_ record: OpRecord, _ access: Access) -> [(UInt32, [Region])] {
    (0..<Int(record.operandCount)).compactMap { k in
      guard record.access(k).contains(access) else { return nil }
      let tile = program.tiles[Int(record.words[k])]
      guard layout.contains(tile) else { return nil }
      let isFilled = access == .write && record.access(k).contains(.zeroFill)
      return (record.words[k], layout.regions(tile, padded: isFilled))
    }
  }

  /// A race in one line.
  private func statement(_ race: Race, _ conflict: Conflict?) -> String {
    let tile = conflict.map { program.describe(program.tiles[Int($0.second)]) } ?? "a tile"
    let first = name(race.first)
    let second = name(race.second)
    return switch race.code {
    case .H001: "\(second) may read \(tile) before \(first) has written it"
    case .H002: "\(second) may write \(tile) before \(first) has read it"
    default: "\(second) and \(first) may write \(tile) in either order"
    }
  }
}
