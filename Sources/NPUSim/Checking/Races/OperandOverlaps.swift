/// M007: a result that shares bytes with another operand of its own micro-op, or with itself: rows
/// that a list names twice, payload over scales.
///
/// A micro-op reads and writes in an order of its own, which differs between processors, so that
/// such a result depends on more than the program. A source that is read element by element may be
/// the very tile of the result where the micro-op says so (``Access/inPlace``).
struct OperandOverlaps {
  /// What two operands of one micro-op have in common.
  private enum Relation {
    case apart, sameTile, shared
  }

  /// Two tiles as a micro-op uses them.
  private struct Pair: Hashable {
    var result: UInt32
    var other: UInt32
    var resultIsFilled: Bool
  }

  /// What overlaps of one finding have in common.
  private struct Kind: Hashable {
    var opcode: UInt8
    var result: Int
    var other: Int
    var resultBuffer: UInt32
    var otherBuffer: UInt32
  }

  private let program: Program
  private let layout: TileLayout
  private let overlaps: TileOverlap
  private var relations: [Pair: Relation] = [:]
  /// Tiles that are written, and whether that writes a byte twice.
  private var writesTwice: [UInt32: Bool] = [:]
  private var known: [Kind: Int] = [:]
  /// One finding for the overlaps of the same operands and buffers, at the first micro-op.
  private(set) var findings: [Finding] = []
  /// Micro-ops that the builder found something wrong with: their tiles are to change anyway.
  private let defective: Set<Finding.Site>

  init(_ program: Program, layout: TileLayout) {
    self.program = program
    self.layout = layout
    overlaps = TileOverlap(program.buffers)
    defective = Set(
      program.defects.compactMap { defect in
        defect.op.map { Finding.Site(core: defect.core, op: $0) }
      })
  }

  /// Bits of a tile: operands of a micro-op that have none in common share no byte, and one that has
  /// a single bit names no byte twice.
  func marks(of tile: TileRef) -> UInt32 {
    isSimple(tile) ? 1 << UInt32(overlaps.group(of: tile.buffer) & 31) : .max
  }

  /// Whether rows and columns alone say that each element has bytes of its own.
  private func isSimple(_ tile: TileRef) -> Bool {
    guard tile.indexList == 0 else { return false }
    guard tile.format == .mxint8, !tile.space.hasScaleSideArray,
      Int(tile.buffer) < program.buffers.count
    else { return true }
    let buffer = program.buffers[Int(tile.buffer)]
    return buffer.base + buffer.payloadExtent <= buffer.scaleBase
      || buffer.scaleBase + buffer.scaleExtent <= buffer.base
  }

  /// Judges a micro-op of which two operands have a mark in common; its tiles lie in buffers of its
  /// core.
  mutating func judge(_ record: OpRecord, core: Int, op: Int) {
    let count = min(Int(record.operandCount), OpRecord.maximumOperands)
    for k in 0..<count where record.access(k).contains(.write) {
      if namesByteTwice(record.words[k]) { report(record, k, k, core: core, op: op) }
      for j in 0..<count where j != k && !record.access(j).isEmpty {
        // Of two results the first one names the pair.
        if record.access(j).contains(.write) && j < k { continue }
        switch relation(record, k, j) {
        case .apart: continue
        case .sameTile where record.isInPlace(j): continue
        case .sameTile, .shared: report(record, k, j, core: core, op: op)
        }
      }
    }
  }

  private mutating func relation(_ record: OpRecord, _ k: Int, _ j: Int) -> Relation {
    let x = program.tiles[Int(record.words[k])]
    let y = program.tiles[Int(record.words[j])]
    if x == y && x.indexList == 0 { return x.elements == 0 ? .apart : .sameTile }
    switch overlaps.judge(x, y) {
    case .apart: return .apart
    case .shared: return .shared
    case .unknown: break
    }
    let pair = Pair(
      result: record.words[k], other: record.words[j],
      resultIsFilled: record.access(k).contains(.zeroFill))
    if let known = relations[pair] { return known }
    let relation = compare(x, y, pair)
    relations[pair] = relation
    return relation
  }

  private mutating func namesByteTwice(_ tile: UInt32) -> Bool {
    let ref = program.tiles[Int(tile)]
    if isSimple(ref) { return false }
    // Without a list the payload of its buffer lies over scales, of this tile or of another slot.
    if ref.indexList == 0 { return true }
    if let known = writesTwice[tile] { return known }
    let found = layout.namesByteTwice(ref)
    writesTwice[tile] = found
    return found
  }

  private func compare(_ x: TileRef, _ y: TileRef, _ pair: Pair) -> Relation {
    // Of several results none fills up a block.
    guard layout.overlap(x, padded: pair.resultIsFilled, y) else {
      return .apart
    }
    return layout.coincide(x, y) ? .sameTile : .shared
  }

  // MARK: Findings

  private mutating func report(_ record: OpRecord, _ k: Int, _ j: Int, core: Int, op: Int) {
    let site = Finding.Site(core: core, op: op)
    if defective.contains(site) { return }
    let x = program.tiles[Int(record.words[k])]
    let y = program.tiles[Int(record.words[j])]
    let kind = Kind(
      opcode: record.opcode, result: k, other: j, resultBuffer: x.buffer, otherBuffer: y.buffer)
    if let index = known[kind] {
      findings[index].folded += 1
      return
    }
    known[kind] = findings.count
    let shared =
      k == j
      ? nil
      : layout.sharedBytes(
        x, padded: record.access(k).contains(.zeroFill), y)
    findings.append(
      Finding(
        .M007, statement(record, k, j, shared), sites: [site],
        buffer: x.buffer, region: shared?.region, fix: fix(record, k, j)))
  }

  /// `a[4 +: 8, 0 +: 16] as result`.
  private func operand(_ record: OpRecord, _ k: Int) -> String {
    "\(program.describe(program.tiles[Int(record.words[k])])) as \(name(record, k))"
  }

  private func name(_ record: OpRecord, _ k: Int) -> String {
    let operands = program.operands(of: record)
    return operands.indices.contains(k) ? operands[k].name : "operand \(k)"
  }

  private func statement(
    _ record: OpRecord, _ k: Int, _ j: Int, _ shared: SharedBytes?
  ) -> String {
    let mnemonic = program.mnemonic(record)
    if k == j {
      return "\(mnemonic) has \(operand(record, k)), which names bytes twice: "
        + "what is written last is not defined"
    }
    let both = "\(operand(record, k)) and \(operand(record, j))"
    let bytes = shared.map {
      "\($0.count) \(isScale($0.plane) ? "scale bytes" : "bytes") of \($0.plane.space.name), "
        + "between \($0.first) and \($0.last)"
    }
    let why =
      record.access(j).contains(.write)
      ? "which of them is written last is not defined"
      : "one is written while the other is still read"
    return "\(mnemonic) has \(both), which share \(bytes ?? "bytes"): \(why)"
  }

  private func isScale(_ plane: Plane) -> Bool { plane != Plane(payloadOf: plane.space) }

  private func fix(_ record: OpRecord, _ k: Int, _ j: Int) -> String {
    let (result, other) = (name(record, k), name(record, j))
    let x = program.tiles[Int(record.words[k])]
    let y = program.tiles[Int(record.words[j])]
    if k == j {
      return x.indexList == 0
        ? "lay the scales of \(place(x.buffer)) out behind its payload"
        : "give \(result) a list that names no row twice"
    }
    let apart =
      x.buffer == y.buffer
      ? "give \(result) a tile that shares no byte with \(other)"
      : "place \(place(x.buffer)) and \(place(y.buffer)) apart"
    guard record.isInPlace(j) else { return apart }
    return apart + ", or let \(result) be the very tile of \(other): same bytes, format and extent"
  }

  /// `x (bytes 0 to 3647)`.
  private func place(_ index: UInt32) -> String {
    let buffer = program.buffers[Int(index)]
    return "\(buffer.name) (bytes \(buffer.base) to \(buffer.base + buffer.payloadExtent - 1))"
  }
}
