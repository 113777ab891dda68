import NPUSim

/// The bytes that each micro-op of a list reads and writes, one by one: what interlocks are judged
/// by in the cycle-stepped engine.
struct ByteSets {
  private let oracle: ForwardingOracle
  private var list: [OpRecord]
  private var reads: [Set<Int>]
  private var writes: [Set<Int>]

  init(_ program: Program, _ list: [OpRecord]) {
    oracle = ForwardingOracle(program: program)
    self.list = list
    reads = list.map { _ in [] }
    writes = list.map { _ in [] }
    for (index, record) in list.enumerated() where record.kind == .data {
      for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
        let access = record.access(k)
        let tile = program.tiles[Int(record.words[k])]
        let bytes = Self.bytes(program, tile, padded: access.contains(.zeroFill))
        if access.contains(.read) { reads[index].formUnion(bytes) }
        if access.contains(.write) { writes[index].formUnion(bytes) }
      }
    }
  }

  /// Whether an interlocking queue holds `later` until `earlier` is visible.
  func mustSee(_ later: Int, _ earlier: Int) -> Bool {
    let a = list[earlier]
    let b = list[later]
    guard a.kind == .data, b.kind == .data, a.queue == b.queue else { return false }
    for i in 0..<Int(a.operandCount) where a.access(i).contains(.write) {
      for j in 0..<Int(b.operandCount) where oracle.forwards(b, j, behind: a, i) { return false }
    }
    return !writes[earlier].isDisjoint(with: reads[later])
      || !writes[earlier].isDisjoint(with: writes[later])
  }

  /// Every byte of a tile, as plane · 2^32 + address.
  static func bytes(_ program: Program, _ tile: TileRef, padded: Bool) -> Set<Int> {
    let buffer = program.buffers[Int(tile.buffer)]
    var result: Set<Int> = []
    let slot = Int(tile.slot)
    var rows = Int(tile.rows)
    var columns = Int(tile.columns)
    if tile.format == .mxint8 {
      let scales = Plane(scalesOf: tile.space).index << 32
      for row in 0..<rows {
        for column in 0..<columns {
          let r = Int(tile.row) + row
          let c = Int(tile.column) + column
          let (down, across) = tile.axis == .alongColumns ? (r, c / 32) : (r / 32, c)
          result.insert(
            scales + buffer.scaleBase + slot * buffer.scaleSlotStride + down * buffer.scalePitch
              + across)
        }
      }
      if padded && tile.axis == .alongColumns { while columns % 32 != 0 { columns += 1 } }
      if padded && tile.axis == .alongRows { while rows % 32 != 0 { rows += 1 } }
    }
    let payload = Plane(payloadOf: tile.space).index << 32
    for row in 0..<rows {
      let line =
        payload + buffer.base + slot * buffer.slotStride + (Int(tile.row) + row) * buffer.pitch
      let first = line + Int(tile.column) * tile.format.bytes
      for byte in 0..<columns * tile.format.bytes { result.insert(first + byte) }
    }
    return result
  }
}
