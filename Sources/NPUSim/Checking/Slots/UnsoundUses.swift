/// What micro-ops name that cannot be judged, with the reason: one finding for each kind, at its first
/// use, which counts the others. What the builder has said is not said again.
struct UnsoundUses {
  /// Why a tile cannot be judged.
  private enum Fault: Hashable {
    /// The program has no such tile.
    case missing
    /// It does not lie in its buffer as it must.
    case misplaced(TileFault)
    /// It lies in a memory of another core.
    case foreign
  }

  /// What uses that are counted together have in common.
  private struct Kind: Hashable {
    var core: Int
    var opcode: UInt8
    var buffer: UInt32?
    var fault: Fault
    /// The labels of the scope.
    var scope: [UInt32]
  }

  private let program: Program
  private let layout: TileLayout
  private let reported: ReportedDefects
  private(set) var findings: [Finding] = []
  private(set) var isEmpty = true
  /// Whether a record names a tile that the program does not have: nothing can be judged then.
  private(set) var isMalformed = false

  private var known: [Kind: Int] = [:]
  /// The finding of each tile that was noted; made with the first of them.
  private var tellers: [Int32] = []
  /// Of a tile: not noted yet, and said by the builder.
  private static let untold: Int32 = -1
  private static let builder: Int32 = -2

  init(_ program: Program, layout: TileLayout) {
    self.program = program
    self.layout = layout
    reported = ReportedDefects(program.defects)
  }

  /// Notes a tile that cannot be judged where it is used.
  @inline(never)
  mutating func note(_ record: OpRecord, tile: Int, core: Int, op: Int) {
    isEmpty = false
    guard tile < program.tiles.count else {
      isMalformed = true
      return _ = tell(record, nil, .missing, core: core, op: op)
    }
    if tellers.isEmpty { tellers = Array(repeating: Self.untold, count: program.tiles.count) }
    let teller = tellers[tile]
    if teller >= 0 { findings[Int(teller)].folded += 1 }
    guard teller == Self.untold else { return }
    let ref = program.tiles[tile]
    let fault = layout.contains(ref) ? nil : layout.fault(of: ref)
    tellers[tile] = tell(
      record, ref, fault.map { .misplaced($0) } ?? .foreign, core: core, op: op)
  }

  /// Makes a finding of a use, or counts it to the one of its kind, and returns which.
  private mutating func tell(
    _ record: OpRecord, _ tile: TileRef?, _ fault: Fault, core: Int, op: Int
  ) -> Int32 {
    let site = Finding.Site(core: core, op: op)
    let buffer = fault == .misplaced(.buffer) ? nil : tile?.buffer
    if reported.contains(site, buffer) { return Self.builder }
    let kind = Kind(
      core: core, opcode: record.opcode, buffer: tile?.buffer, fault: fault,
      scope: program.labelNumbers(of: record.scope))
    if let index = known[kind] {
      findings[index].folded += 1
      return Int32(truncatingIfNeeded: index)
    }
    known[kind] = findings.count
    findings.append(finding(record, tile, fault, site, buffer))
    return Int32(truncatingIfNeeded: findings.count - 1)
  }

  private func finding(
    _ record: OpRecord, _ tile: TileRef?, _ fault: Fault, _ site: Finding.Site, _ buffer: UInt32?
  ) -> Finding {
    let mnemonic = program.mnemonic(record)
    guard let tile else {
      return Finding(
        .M001, "\(mnemonic) names no tile of the program", sites: [site],
        fix: "name a tile of the program's list")
    }
    let name = program.describe(tile)
    guard case .misplaced(let fault) = fault else {
      let owner = program.buffers[Int(tile.buffer)].core
      return Finding(
        .M005,
        "\(mnemonic) on core \(site.core) names \(name), which lies in a memory of core \(owner)",
        sites: [site], buffer: buffer, fix: "declare a buffer of the same core")
    }
    let defect = layout.defect(fault, of: tile, named: name, mnemonic: mnemonic)
    return Finding(defect.code, defect.message, sites: [site], buffer: buffer, fix: defect.fix)
  }
}
