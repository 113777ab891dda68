/// Puts what was found into words: both sites, the missing edge, the smallest fix; like ones folded.
struct FindingWriter {
  let program: Program
  let layout: TileLayout
  private let hasManyCores: Bool

  init(_ program: Program, layout: TileLayout) {
    self.program = program
    self.layout = layout
    hasManyCores = program.cores.count > 1
  }

  // MARK: Sites

  func record(_ site: Finding.Site) -> OpRecord { program.cores[site.core][site.op] }

  /// `vector.exp #57 (tile[3], queue vector)`.
  func describe(_ site: Finding.Site) -> String {
    let record = record(site)
    let path = program.scopePath(record.scope)
    let scope = path.isEmpty ? "" : "\(path), "
    let core = hasManyCores ? "core \(site.core), " : ""
    return "\(program.mnemonic(record)) #\(site.op) (\(core)\(scope)queue \(record.queue.name))"
  }

  /// `vector.exp #57`, with its core where there are several.
  func name(_ site: Finding.Site) -> String {
    "\(program.mnemonic(record(site))) #\(site.op)"
      + (hasManyCores ? " of core \(site.core)" : "")
  }

  /// `load->vector:0`.
  func describe(_ event: Event) -> String {
    "\(event.source.name)->\(event.target.name):\(event.id)"
  }

  // MARK: Defects

  func defect(_ defect: ProgramDefect) -> Finding {
    var sites: [Finding.Site] = []
    var place = ""
    if let op = defect.op, defect.core < program.cores.count,
      op < program.cores[defect.core].count
    {
      sites = [.init(core: defect.core, op: op)]
      place = ", at " + describe(sites[0])
    }
    let buffer = defect.buffer.flatMap { name in
      program.buffers.firstIndex { $0.name == name }.map(UInt32.init)
    }
    return Finding(
      defect.code, defect.message + place, sites: sites, buffer: buffer, fix: defect.fix)
  }

  // MARK: Races

  /// What races of one finding have in common.
  private struct RaceKey: Hashable {
    var code: FindingCode
    var opcodes: [UInt8]
    var queues: [Queue]
    var cores: [Int]
    var scopes: [String]
    var buffer: UInt32?
  }

  /// One finding for the races of the same micro-ops, queues, scopes and buffer; `total` counts those
  /// that are not listed too.
  func races(_ races: [Race], total: Int) -> [Finding] {
    var result: [Finding] = []
    var known: [RaceKey: Int] = [:]
    for race in races {
      let conflict = conflict(race)
      let first = record(race.first)
      let second = record(race.second)
      let key = RaceKey(
        code: race.code, opcodes: [first.opcode, second.opcode],
        queues: [first.queue, second.queue], cores: [race.first.core, race.second.core],
        scopes: [labels(first.scope), labels(second.scope)],
        buffer: conflict.map { program.tiles[Int($0.first)].buffer })
      if let index = known[key] {
        result[index].folded += 1
        result[index].edits += edits(race)
      } else {
        known[key] = result.count
        result.append(finding(race, conflict))
      }
    }
    if total > races.count, !result.isEmpty {
      result[result.count - 1].folded += total - races.count
    }
    return result
  }

  /// The scope without iteration numbers.
  func labels(_ scope: UInt32) -> String {
    var path = ""
    var current = Int(scope)
    while current > 0 && current < program.scopes.count {
      path += program.scopeLabels[Int(program.scopes[current].label)] + "/"
      current = Int(program.scopes[current].parent)
    }
    return path
  }

  private struct Conflict {
    var first: UInt32
    var second: UInt32
    var region: Region
  }

  /// The operands of a race that share a byte.
  private func conflict(_ race: Race) -> Conflict? {
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

  /// The missing edge of a race; between cores a barrier has to be placed by hand.
  private func edits(_ race: Race) -> [ProgramEdit] {
    guard race.first.core == race.second.core else { return [] }
    let core = race.first.core
    return [
      record(race.first).queue == record(race.second).queue
        ? .barrier(core: core, from: race.first.op, to: race.second.op)
        : .event(core: core, from: race.first.op, to: race.second.op)
    ]
  }

  private func finding(_ race: Race, _ conflict: Conflict?) -> Finding {
    let first = record(race.first)
    let second = record(race.second)
    var needed: String
    var fix: String
    let a = "#\(race.first.op)"
    let b = "#\(race.second.op)"
    if race.first.core != race.second.core {
      needed = "a barrier over the cores between them"
      fix =
        "put sync.barrier_cores after \(a) on core \(race.first.core) and before \(b) on core "
        + "\(race.second.core), and as often on every other core"
    } else if first.queue == second.queue {
      needed = "a barrier on \(first.queue.name) between \(a) and \(b)"
      fix = "put sync.barrier \(first.queue.name) before \(b): the queue does not interlock"
    } else {
      let pair = "\(first.queue.name)->\(second.queue.name)"
      needed = "an event \(pair) between \(a) and \(b)"
      fix =
        "set an event \(pair) after \(a) and wait for it before \(b); in Swift, name the token of "
        + "\(a) in after: of \(b)"
    }
    return Finding(
      race.code, statement(race, conflict), sites: [race.first, race.second],
      buffer: conflict.map { program.tiles[Int($0.first)].buffer }, region: conflict?.region,
      missing: needed, fix: fix, edits: edits(race))
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

  // MARK: Uninitialised reads

  func uninitialised(_ reads: [UninitialisedRead]) -> [Finding] {
    struct Key: Hashable {
      var opcode: UInt8
      var buffer: UInt32
      var core: Int
      var scope: String
    }
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    for read in reads {
      let site = Finding.Site(core: read.core, op: read.op)
      let tile = program.tiles[Int(read.tile)]
      let key = Key(
        opcode: record(site).opcode, buffer: tile.buffer, core: read.core,
        scope: labels(record(site).scope))
      if let index = known[key] {
        result[index].folded += 1
        continue
      }
      known[key] = result.count
      result.append(
        Finding(
          .I001,
          "\(describe(site)) reads \(program.describe(tile)), of which no write that is ordered "
            + "before it initialises every byte",
          sites: [site], buffer: tile.buffer, region: layout.regions(tile).first,
          fix: tile.space == .hbm
            ? "give the tensor the role of an input, or write it first"
            : "write the tile before it is read, and order the write before the read"))
    }
    return result
  }
}
