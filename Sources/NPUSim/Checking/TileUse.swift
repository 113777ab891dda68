/// How the micro-ops of a program use its tiles, found in one pass over the records.
struct TileUse {
  /// Bits of ``flags``.
  static let read: UInt8 = 1
  static let written: UInt8 = 2
  /// Written with the last 32-block filled up.
  static let filled: UInt8 = 4

  /// One byte for each tile of the program.
  private(set) var flags: [UInt8]
  /// What cannot be judged, with the reason: one finding for each tile, at its first use.
  private(set) var unsound: [Finding] = []
  /// Whether a record names a tile that the program does not have: nothing can be judged then.
  private(set) var isMalformed = false

  /// Highest event ID and 1, for each ordered pair of queues of each core.
  private(set) var eventIDs: [[Int]]

  init(_ program: Program, layout: TileLayout) {
    flags = Array(repeating: 0, count: program.tiles.count)
    eventIDs = Array(
      repeating: Array(repeating: 0, count: Queue.count * Queue.count), count: program.cores.count)
    var isSound = [Bool](repeating: true, count: program.tiles.count)
    for (index, tile) in program.tiles.enumerated() { isSound[index] = layout.contains(tile) }
    var reported: [Int: Int] = [:]
    func report(_ finding: Finding, _ key: Int) {
      if let known = reported[key] {
        unsound[known].folded += 1
      } else {
        reported[key] = unsound.count
        unsound.append(finding)
      }
    }
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() {
        if record.kind == .set || record.kind == .wait {
          let event = record.event
          eventIDs[core][event.pair] = max(eventIDs[core][event.pair], Int(event.id) + 1)
        }
        guard record.accessBits != 0 else { continue }
        for k in 0..<min(Int(record.operandCount), OpRecord.maximumOperands) {
          let access = record.access(k)
          guard !access.isEmpty else { continue }
          let tile = Int(record.words[k])
          guard tile < flags.count, isSound[tile] else {
            isMalformed = isMalformed || tile >= flags.count
            report(Self.outOfBounds(program, record, tile, core: core, op: op), tile)
            continue
          }
          let owner = program.buffers[Int(program.tiles[tile].buffer)].core
          if owner >= 0 && Int(owner) != core {
            report(Self.foreign(program, record, tile, Int(owner), core: core, op: op), ~tile)
            continue
          }
          if access.contains(.read) { flags[tile] |= Self.read }
          if access.contains(.write) {
            flags[tile] |= access.contains(.zeroFill) ? Self.filled : Self.written
          }
        }
      }
    }
  }

  private static func outOfBounds(
    _ program: Program, _ record: OpRecord, _ tile: Int, core: Int, op: Int
  ) -> Finding {
    let name = tile < program.tiles.count ? program.describe(program.tiles[tile]) : "no tile"
    let isTensor = tile < program.tiles.count && program.tiles[tile].space == .hbm
    return Finding(
      isTensor ? .M005 : .M001,
      "\(program.mnemonic(record)) names \(name), which does not lie in its buffer",
      sites: [.init(core: core, op: op)],
      fix: "keep the tile inside its buffer, or enlarge the buffer")
  }

  private static func foreign(
    _ program: Program, _ record: OpRecord, _ tile: Int, _ owner: Int, core: Int, op: Int
  ) -> Finding {
    Finding(
      .M005,
      "\(program.mnemonic(record)) on core \(core) names \(program.describe(program.tiles[tile])), "
        + "which lies in a memory of core \(owner)",
      sites: [.init(core: core, op: op)], buffer: program.tiles[tile].buffer,
      fix: "declare a buffer of the same core")
  }
}
