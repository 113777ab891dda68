/// Puts what was found into words: both sites, the missing edge, the smallest fix; like ones folded.
struct FindingWriter {
  let program: Program
  let layout: TileLayout
  /// The lines of the micro-ops that findings name, as far as the program was written as text.
  var lines: [Finding.Site: SourceLine] = [:]
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
    let queue = record.end == .sequencer ? "" : "queue "
    return "\(program.mnemonic(record)) #\(site.op) (\(core)\(scope)\(queue)\(record.end.name))"
  }

  /// `vector.exp #57`, with its core where there are several; of a text, `vector.exp of line 12`.
  func name(_ site: Finding.Site) -> String {
    let mnemonic = program.mnemonic(record(site))
    if let line = lines[site] { return "\(mnemonic) of line \(line)" }
    return "\(mnemonic) #\(site.op)" + (hasManyCores ? " of core \(site.core)" : "")
  }

  /// `#57`; of a text, `line 12`.
  func place(_ site: Finding.Site) -> String {
    lines[site].map { "line \($0)" } ?? "#\(site.op)"
  }

  /// The statement that a micro-op was made by.
  func statement(_ site: Finding.Site) -> Statement {
    if let line = lines[site] { return .line(line) }
    let record = record(site)
    return .operation(opcode: record.opcode, scope: labels(record.scope))
  }

  /// `load->vector:0`.
  func describe(_ event: Event) -> String {
    "\(event.source.name)->\(event.target.name):\(event.id)"
  }

  /// The event of a set or wait; of one between cores, with the core that sets.
  func describeEvent(of site: Finding.Site) -> String {
    let record = record(site)
    guard record.kind.isBetweenCores else { return describe(record.event) }
    let event = record.coreEvent(on: site.core)
    return "\(describe(event.event)) of core \(event.setter)"
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
      defect.code, defect.message + place, sites: sites, buffer: defect.tile?.buffer ?? buffer,
      fix: defect.fix, folded: defect.folded)
  }

  /// The scope without iteration numbers.
  func labels(_ scope: UInt32) -> String { program.labels(of: scope) }

  // MARK: Uninitialised reads

  func uninitialised(_ reads: [UninitialisedRead]) -> [Finding] {
    struct Key: Hashable {
      var opcode: UInt8
      var buffer: UInt32
      var core: Int
      var statement: Statement
    }
    var result: [Finding] = []
    var firsts: [UninitialisedRead] = []
    var known: [Key: Int] = [:]
    for read in reads {
      let site = Finding.Site(core: read.core, op: read.op)
      let tile = program.tiles[Int(read.tile)]
      let key = Key(
        opcode: record(site).opcode, buffer: tile.buffer, core: read.core,
        statement: statement(site))
      if let index = known[key] {
        result[index].folded += 1
        continue
      }
      known[key] = result.count
      firsts.append(read)
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
    name(&result, firsts)
    return result
  }

  /// Names the bytes that nobody wrote, and who should have, as far as that is looked up.
  private func name(_ findings: inout [Finding], _ reads: [UninitialisedRead]) {
    let reads = reads.prefix(UnwrittenBytes.most)
    let bytes = UnwrittenBytes(program, layout: layout, self, reads: reads)
    for (index, read) in reads.enumerated() {
      guard let known = bytes.account(of: read) else { continue }
      let tile = program.tiles[Int(read.tile)]
      findings[index].message =
        "\(describe(findings[index].sites[0])) reads \(program.describe(tile)), but \(known.message)"
      findings[index].region = known.region
      if let writer = known.writer { findings[index].sites.append(writer) }
      findings[index].fix =
        tile.space == .hbm
        ? "give the tensor the role of an input, or write \(known.part) first"
        : "write \(known.part) first, or read only what is written"
    }
  }
}
