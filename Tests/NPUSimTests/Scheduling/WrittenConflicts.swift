import NPUSim

/// Which micro-ops of a program have to keep their order, found by comparing every two byte by byte.
struct WrittenConflicts {
  /// One core in written order: micro-ops, and the barriers that were written between them.
  struct Core {
    var records: [OpRecord]
    /// By record: all earlier ones that it may not pass.
    var before: [[Int]]
  }

  var cores: [Core] = []

  init(_ sequence: SequentialProgram) {
    let program = sequence.lowered()
    for core in 0..<sequence.coreCount {
      let records = sequence.records(ofCore: core)
      // Lowering adds no micro-op on data, and changes no order.
      let written = records.indices.filter { records[$0].kind == .data }
      let lowered = program.cores[core].indices.filter { program.cores[core][$0].kind == .data }
      let places = Dictionary(uniqueKeysWithValues: zip(lowered, written))
      var taps: [Int: [TileRef]] = [:]
      for tap in program.taps where tap.core == core {
        if let place = places[tap.op] { taps[place, default: []].append(tap.tile) }
      }
      cores.append(Self.core(program, records, taps))
    }
  }

  private static func core(
    _ program: Program, _ records: [OpRecord], _ taps: [Int: [TileRef]]
  ) -> Core {
    var reads: [Set<Int>] = []
    var writes: [Set<Int>] = []
    for (op, record) in records.enumerated() {
      var (read, written): (Set<Int>, Set<Int>) = ([], [])
      for k in 0..<Int(record.operandCount) where record.kind == .data && !record.access(k).isEmpty
      {
        let tile = program.tiles[Int(record.words[k])]
        let access = record.access(k)
        let bytes = bytes(program, tile, padded: access.contains(.zeroFill))
        if access.contains(.read) { read.formUnion(bytes) }
        if access.contains(.write) { written.formUnion(bytes) }
      }
      for tile in taps[op] ?? [] { read.formUnion(bytes(program, tile, padded: false)) }
      reads.append(read)
      writes.append(written)
    }
    let before = records.indices.map { later in
      (0..<later).filter { earlier in
        records[earlier].kind != .data || records[later].kind != .data
          || !writes[earlier].isDisjoint(with: reads[later])
          || !writes[earlier].isDisjoint(with: writes[later])
          || !reads[earlier].isDisjoint(with: writes[later])
      }
    }
    return Core(records: records, before: before)
  }

  static func bytes(_ program: Program, _ tile: TileRef, padded: Bool) -> Set<Int> {
    guard tile.indexList > 0 else { return ByteSets.bytes(program, tile, padded: padded) }
    let list = program.indexLists[Int(tile.indexList) - 1]
    var result: Set<Int> = []
    for place in Int(tile.row)..<Int(tile.row) + Int(tile.rows) {
      var row = tile
      row.indexList = 0
      row.row = list[place]
      row.rows = 1
      result.formUnion(ByteSets.bytes(program, row, padded: padded))
    }
    return result
  }
}
