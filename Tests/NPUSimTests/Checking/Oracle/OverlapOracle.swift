import NPUSim

/// Which operands of the micro-ops of a program share bytes as they must not, by lists of bytes; it
/// shares no code with the checker.
struct OverlapOracle {
  /// A result and another operand of a micro-op, or itself, by their places.
  struct Offence: Hashable {
    var site: Finding.Site
    var result: Int
    var other: Int
  }

  /// Sources that are read element by element, written down by hand from the formulas of the ISA.
  static let elementwise: [String: Set<String>] = {
    var table: [String: Set<String>] = [:]
    for name in ["add", "sub", "mul", "div", "max"] {
      table["vector.\(name)"] = ["a", "b"]
      table["vector.\(name)_column"] = ["a"]
      table["vector.\(name)_scalar"] = ["a"]
    }
    for name in [
      "exp", "exp2", "reciprocal", "rsqrt", "sin", "cos", "sigmoid", "silu", "log", "abs", "cast",
      "copy", "mul_block", "div_block", "exp2_fused", "mask",
    ] {
      table["vector.\(name)"] = ["a"]
    }
    table["vector.rescale_add"] = ["a", "b"]
    table["vector.select"] = ["condition", "a", "b"]
    table["vector.select_scalar"] = ["condition", "a"]
    table["vector.select_finite"] = ["a", "b"]
    return table
  }()

  let program: Program

  /// All offences, in order of the micro-ops.
  func offences() -> [Offence] {
    var result: [Offence] = []
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() where record.kind == .data {
        let site = Finding.Site(core: core, op: op)
        for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
          for j in 0..<Int(record.operandCount) where !record.access(j).isEmpty {
            if record.access(j).contains(.write) && j < k { continue }
            if isOffence(record, k, j) {
              result.append(Offence(site: site, result: k, other: j))
            }
          }
        }
      }
    }
    return result
  }

  private func isOffence(_ record: OpRecord, _ k: Int, _ j: Int) -> Bool {
    let written = elements(record, k)
    if j == k { return Set(written.joined()).count < written.joined().count }
    let other = elements(record, j)
    if Set(written.joined()).isDisjoint(with: other.joined()) { return false }
    let entry = program.catalogue[record.opcode]
    let mayBeSame =
      entry.mnemonic == "op"
      ? !record.access(j).contains(.write)
      : Self.elementwise[entry.mnemonic]?.contains(entry.operands[j].name) == true
    let isSame =
      written == other
      && Set(written.joined()).count == written.joined().count
      && program.tiles[Int(record.words[k])].format == program.tiles[Int(record.words[j])].format
    return !(mayBeSame && isSame)
  }

  /// The bytes of each element of an operand, in order of rows and columns; then those of its
  /// scales, and the rest of its last blocks where it fills them up.
  private func elements(_ record: OpRecord, _ k: Int) -> [[Int]] {
    let tile = program.tiles[Int(record.words[k])]
    let buffer = program.buffers[Int(tile.buffer)]
    let isMX = tile.format == .mxint8
    let across = tile.axis == .alongColumns
    let fills = isMX && record.access(k).contains(.zeroFill)
    let (rows, columns) = (Int(tile.rows), Int(tile.columns))
    let plane = tile.space.index * 2
    func row(_ i: Int) -> Int {
      tile.indexList == 0
        ? Int(tile.row) + i : Int(program.indexLists[Int(tile.indexList) - 1][Int(tile.row) + i])
    }
    var values: [[Int]] = []
    var scales: [[Int]] = []
    var padding: [[Int]] = []
    for i in 0..<(fills && !across ? (rows + 31) / 32 * 32 : rows) {
      let isPadded = i >= rows
      let line =
        buffer.base + Int(tile.slot) * buffer.slotStride
        + (isPadded ? Int(tile.row) + i : row(i)) * buffer.pitch
      for j in 0..<(fills && across ? (columns + 31) / 32 * 32 : columns) {
        let start = line + (Int(tile.column) + j) * tile.format.bytes
        let bytes = (0..<tile.format.bytes).map { plane << 40 | (start + $0) }
        if isPadded || j >= columns {
          padding.append(bytes)
          continue
        }
        values.append(bytes)
        guard isMX, across ? j % 32 == 0 : i % 32 == 0 else { continue }
        let scale =
          buffer.scaleBase + Int(tile.slot) * buffer.scaleSlotStride
          + (across ? row(i) : (Int(tile.row) + i) / 32) * buffer.scalePitch
          + (across ? (Int(tile.column) + j) / 32 : Int(tile.column) + j)
        scales.append([(plane + (tile.space.hasScaleSideArray ? 1 : 0)) << 40 | scale])
      }
    }
    return values + scales + padding
  }
}
