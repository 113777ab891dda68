import NPUSim

/// What a vector micro-op costs, from the page of the machine alone.
enum VectorOracle {
  /// The cycles that a vector micro-op occupies its units: each takes its rows, a repeat at a time.
  static func cycles(_ program: Program, _ record: OpRecord) -> Int {
    let unit = program.machine.vector
    let work = program.works[Int(record.work)]
    guard let kind = work.vectorClass else { return 1 }
    let operands = (0..<Int(record.operandCount)).filter { !record.access($0).isEmpty }
    let tiles = operands.map { program.tiles[Int(record.words[$0])] }
    let read = zip(operands, tiles).filter { record.access($0.0).contains(.read) }.map(\.1)
    let sizes = (read.isEmpty ? tiles : read).map { tile in
      unit.nativeFormats.contains(tile.format) ? tile.format.bytes : 4
    }
    let most = tiles.map(\.elements).max() ?? 0
    let rows = tiles.first { $0.elements == most }.map { Int($0.rows) } ?? 0
    // Rows dealt out one by one; what an element is repeated for is the same in each.
    var dealt = Array(repeating: 0, count: unit.units)
    for row in 0..<rows { dealt[row % unit.units] += 1 }
    let share = Double(work.elements) * Double(dealt[0]) / Double(max(1, rows))
    let width = unit.widthBytes.map { $0 / (sizes.max() ?? 4) } ?? unit.lanes
    var turns = 0
    while Double(turns * width) < share { turns += 1 }
    return max(Int(unit.minimumOccupancy), turns * Int(unit.slopes[kind.index]))
  }
}
