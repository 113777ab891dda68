/// How the micro-ops of a program use its tiles, found in one pass over the records.
struct TileUse {
  /// Bits of ``flags``.
  static let read: UInt8 = 1
  static let written: UInt8 = 2
  /// Written with the last 32-block filled up.
  static let filled: UInt8 = 4

  /// One byte for each tile of the program.
  private(set) var flags: [UInt8]
  /// How often each tile is accessed.
  private(set) var counts: [UInt32] = []
  /// What cannot be judged, with the reason.
  private(set) var unsound: UnsoundUses

  /// Highest event ID and 1, for each ordered pair of queues of each core.
  private(set) var eventIDs: [[Int]]

  /// Whether some micro-op of a core carries a unit flag.
  private(set) var hasUnitFlags: [Bool] = []

  /// Whether the program has events between cores.
  private(set) var hasCoreEvents = false

  /// Barriers of the program.
  private(set) var barriers = 0

  /// One finding for each kind of micro-op whose operands share bytes as they must not.
  private(set) var overlaps: [Finding] = []

  /// A tile while its uses are counted.
  private struct Entry {
    /// The core whose memory it lies in; −1 where every core may use it.
    var owner: Int32
    /// The marks of ``OperandOverlaps``.
    var marks: UInt32
    var count: UInt32 = 0
    var flags: UInt8 = 0
  }

  /// The owner of a tile that does not lie in its buffer.
  private static let unsoundOwner: Int32 = -2

  init(_ program: Program, layout: TileLayout) {
    flags = []
    unsound = UnsoundUses(program, layout: layout)
    eventIDs = Array(
      repeating: Array(repeating: 0, count: Event.pairs), count: program.cores.count)
    var overlaps = OperandOverlaps(program, layout: layout)
    var entries = program.tiles.map {
      Entry(
        owner: layout.contains($0)
          ? max(-1, program.buffers[Int($0.buffer)].core) : Self.unsoundOwner,
        marks: overlaps.marks(of: $0))
    }
    var unsound = unsound
    entries.withUnsafeMutableBufferPointer { entries in
      for (core, records) in program.cores.enumerated() {
        let own = Int32(truncatingIfNeeded: core)
        var allBits: UInt32 = 0
        records.withUnsafeBufferPointer { records in
          for op in records.indices {
            if records[op].kind != .data { note(records[op], core: core) }
            let bits = records[op].accessBits
            if bits == 0 { continue }
            allBits |= bits
            var marks: UInt32 = 0
            var mayOverlap = false
            var isSound = true
            for k in 0..<min(Int(records[op].operandCount), OpRecord.maximumOperands) {
              let access = bits >> UInt32(truncatingIfNeeded: 4 * k) & 15
              if access == 0 { continue }
              let tile = Int(records[op].words[k])
              guard tile < entries.count, entries[tile].owner == own || entries[tile].owner == -1
              else {
                unsound.note(records[op], tile: tile, core: core, op: op)
                isSound = false
                continue
              }
              entries[tile].flags |= Self.flags(ofAccess: access)
              entries[tile].count &+= 1
              let next = entries[tile].marks
              mayOverlap = mayOverlap || marks & next != 0 || next == .max
              marks |= next
            }
            if mayOverlap && isSound { overlaps.judge(records[op], core: core, op: op) }
          }
        }
        hasUnitFlags.append(allBits >> 31 != 0)
      }
    }
    flags = entries.map(\.flags)
    counts = entries.map(\.count)
    self.unsound = unsound
    self.overlaps = overlaps.findings
  }

  /// The flags of a use, by the bits of its access.
  @inline(__always)
  private static func flags(ofAccess bits: UInt32) -> UInt8 {
    let access = Access(rawValue: UInt8(truncatingIfNeeded: bits))
    let read = access.contains(.read) ? Self.read : 0
    guard access.contains(.write) else { return read }
    return read | (access.contains(.zeroFill) ? Self.filled : Self.written)
  }

  /// Counts a micro-op that synchronises.
  @inline(__always)
  private mutating func note(_ record: OpRecord, core: Int) {
    switch record.kind {
    case .set, .wait, .sequencerSet, .sequencerWait:
      let event = record.event
      if Int(event.id) >= eventIDs[core][event.pair] {
        eventIDs[core][event.pair] = Int(event.id) + 1
      }
    case .coreSet, .coreWait: hasCoreEvents = true
    case .barrierQueue, .barrierAll, .barrierCores: barriers += 1
    case .data: break
    }
  }
}
