/// What the conflict graphs of all cores of a program are found with.
struct ConflictTables {
  let layout: TileLayout
  let overlaps: TileOverlap
  /// The tiles of the program, and behind them those that only taps have.
  private(set) var tiles: [TileRef]
  /// Whether the machine needs a barrier before HBM bytes that were written are read.
  let marksReads: Bool
  /// By core: micro-ops and the tiles that taps copy behind them, in order.
  private var taps: [[TappedTile]]

  init(_ program: SequentialProgram, withTaps: Bool) {
    marksReads = program.tables.machine.hbm.readAfterWrite == .fence
    layout = TileLayout(program.tables)
    overlaps = TileOverlap(program.tables.buffers)
    tiles = program.tables.tiles
    taps = [[TappedTile]](repeating: [], count: program.coreCount)
    guard withTaps else { return }
    var known: [TileRef: UInt32] = [:]
    for tap in program.tables.taps where taps.indices.contains(tap.core) {
      let records = program.records(ofCore: tap.core)
      guard records.indices.contains(tap.op) else { continue }
      let record = records[tap.op]
      // Most taps copy what their micro-op wrote.
      let isWritten = (0..<Int(record.operandCount)).contains {
        record.access($0).contains(.write) && tiles[Int(record.words[$0])] == tap.tile
      }
      if isWritten { continue }
      let tile = known[tap.tile] ?? UInt32(tiles.count)
      if tile == tiles.count {
        known[tap.tile] = tile
        tiles.append(tap.tile)
      }
      taps[tap.core].append(TappedTile(op: tap.op, tile: tile))
    }
    for core in taps.indices { taps[core].sort { $0.op < $1.op } }
  }

  /// Whether any tap reads what its micro-op did not write.
  var hasTaps: Bool { taps.contains { !$0.isEmpty } }

  /// What taps read on a core.
  func taps(ofCore core: Int) -> [TappedTile] { taps[core] }
}

/// A tile that a tap copies behind a micro-op.
struct TappedTile {
  var op: Int
  var tile: UInt32
}
