import NPUSim

/// Who waits for whom by unit flags, from the page of the machine alone: flags are read by the names of
/// their operands, and tiles are compared as the rectangles that they are.
struct UnitFlagOracle {
  /// What a micro-op waits for by its flag.
  enum Need: Equatable {
    case nothing
    /// Everything of this one's queue up to itself is visible.
    case op(Int)
    /// It never comes.
    case never
  }

  private(set) var needs: [Need]

  init(_ program: Program, _ list: [OpRecord]) {
    needs = list.map { _ in .nothing }
    var tiles: [TileRef] = []
    for op in list.indices {
      if let tile = Self.flag(program, list[op])?.tile, !tiles.contains(tile) { tiles.append(tile) }
    }
    for tile in tiles {
      let own = list.indices.filter { Self.flag(program, list[$0])?.tile == tile }
      let drains = own.filter { list[$0].queue == .drain }
      // A chain is a run of flagged matmuls that ends with the first release.
      var chains: [[Int]] = [[]]
      for op in own where list[op].queue == .matrix {
        chains[chains.count - 1].append(op)
        if Self.flag(program, list[op])?.word == "release" { chains.append([]) }
      }
      let ended = chains.dropLast()
      for (k, drain) in drains.enumerated() {
        needs[drain] = k < ended.count ? .op(ended[k].last ?? -1) : .never
      }
      for (k, chain) in chains.enumerated() where k > 0 {
        guard let first = chain.first else { continue }
        needs[first] = k - 1 < drains.count ? .op(drains[k - 1]) : .never
      }
    }
  }

  /// The word of a micro-op's flag and its accumulator tile; `nil` where it has none.
  static func flag(_ program: Program, _ record: OpRecord) -> (word: String, tile: TileRef)? {
    let operands = program.operands(of: record)
    guard record.kind == .data,
      let k = operands.firstIndex(where: { $0.name == "unit" }),
      case .choice(let words) = operands[k].kind, record.words[k] != 0
    else { return nil }
    for (place, operand) in operands.enumerated() {
      if case .tile(.acc, _) = operand.kind {
        return (words[Int(record.words[k])], program.tiles[Int(record.words[place])])
      }
    }
    return nil
  }

  /// The program without one flag, the micro-op itself left as it is.
  static func removing(_ op: Int, core: Int, from program: Program) -> Program {
    var result = program
    let operands = program.operands(of: program.cores[core][op])
    guard let k = operands.firstIndex(where: { $0.name == "unit" }) else { return result }
    result.cores[core][op].words[k] = 0
    result.cores[core][op].accessBits &= ~(1 << 31)
    return result
  }
}
