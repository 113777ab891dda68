import NPUSim

/// Footprints as sets of bytes.
extension BruteChecker {
  struct Use {
    var tile: UInt32
    var access: Access
    var core: Int
    var op: Int
    var operand: Int
  }

  /// Whether a use of what an earlier micro-op of its queue wrote need not wait for it.
  func forwards(_ use: Use, behind write: Use) -> Bool {
    write.op < use.op && write.core == use.core
      && oracle.forwards(
        ops[use.op].record, use.operand, behind: ops[write.op].record, write.operand)
  }

  func accesses(_ op: Int) -> [Use] {
    let record = ops[op].record
    return (0..<Int(record.operandCount)).compactMap { k in
      record.access(k).isEmpty
        ? nil
        : Use(
          tile: record.words[k], access: record.access(k), core: ops[op].site.core, op: op,
          operand: k)
    }
  }

  /// Bytes of every access that was asked for.
  final class ByteCache {
    var bytes: [[UInt64]: Set<Int>] = [:]
  }

  func bytes(_ use: Use, _ access: Access) -> Set<Int> {
    let key = [
      UInt64(use.tile), UInt64(use.access.rawValue), UInt64(access.rawValue), UInt64(use.core),
    ]
    if let known = cache.bytes[key] { return known }
    let result = enumerate(use, access)
    cache.bytes[key] = result
    return result
  }

  /// Bytes as numbers: place of the memory, then address.
  private func enumerate(_ use: Use, _ access: Access) -> Set<Int> {
    let tile = program.tiles[Int(use.tile)]
    let buffer = program.buffers[Int(tile.buffer)]
    let isFilled = access == .write && use.access.contains(.zeroFill) && tile.format == .mxint8
    var rows = Int(tile.rows)
    var columns = Int(tile.columns)
    if isFilled && tile.axis == .alongRows { rows = (rows + 31) / 32 * 32 }
    if isFilled && tile.axis == .alongColumns { columns = (columns + 31) / 32 * 32 }
    let core = tile.space == .hbm ? 0 : use.core + 1
    func place(_ address: Int, side: Bool) -> Int {
      ((core * 16 + tile.space.index) * 2 + (side ? 1 : 0)) << 32 | address
    }
    func row(_ i: Int) -> Int {
      tile.indexList == 0
        ? Int(tile.row) + i
        : Int(program.indexLists[Int(tile.indexList) - 1][Int(tile.row) + i])
    }
    var result: Set<Int> = []
    for i in 0..<rows {
      for j in 0..<columns {
        let address =
          buffer.base + Int(tile.slot) * buffer.slotStride + row(i) * buffer.pitch
          + (Int(tile.column) + j) * tile.format.bytes
        for byte in 0..<tile.format.bytes { result.insert(place(address + byte, side: false)) }
        guard tile.format == .mxint8, i < Int(tile.rows), j < Int(tile.columns) else { continue }
        let scale =
          buffer.scaleBase + Int(tile.slot) * buffer.scaleSlotStride
          + (tile.axis == .alongColumns
            ? row(i) * buffer.scalePitch + (Int(tile.column) + j) / 32
            : (Int(tile.row) + i) / 32 * buffer.scalePitch + Int(tile.column) + j)
        result.insert(place(scale, side: tile.space.hasScaleSideArray))
      }
    }
    return result
  }
}
