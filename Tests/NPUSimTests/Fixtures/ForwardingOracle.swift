import NPUSim

/// Which micro-ops of a queue follow one another without waiting, from the page of the machine alone:
/// nothing of what the builder notes in a record is looked at.
struct ForwardingOracle {
  let program: Program

  /// Vector micro-ops of the random programs that work element by element, the opaque ones by their
  /// name.
  private static let elementwise: Set<String> = ["vector.add", "vector.exp", "vector.Even"]

  /// Whether operand `j` of `later` may be the tile that operand `i` of `earlier`, before it on its
  /// queue, wrote, without that being visible.
  func forwards(_ later: OpRecord, _ j: Int, behind earlier: OpRecord, _ i: Int) -> Bool {
    guard later.kind == .data, earlier.kind == .data, later.queue == earlier.queue,
      later.words[j] == earlier.words[i], !later.access(j).isEmpty,
      earlier.access(i).contains(.write)
    else { return false }
    let machine = program.machine
    let names = [program.mnemonic(later), program.mnemonic(earlier)]
    let sums: Set<String> = ["matrix.matmul", "matrix.Sum"]
    if names.allSatisfy({ sums.contains($0) }) {
      guard let least = machine.matrix.forwardTiles,
        [Access.read, .write].allSatisfy({ access in
          (0..<Int(later.operandCount)).contains {
            later.words[$0] == later.words[j] && later.access($0).contains(access)
          }
        })
      else { return false }
      let tile = program.tiles[Int(later.words[j])]
      let (array, unit) = (machine.matrix.array, machine.matrix)
      let (m, n) = unit.kind == .cube ? (unit.m0, unit.n0) : (array.rows, array.columns)
      var unitTiles = 0
      for row in 0..<Int(tile.rows) where row % m == 0 {
        for column in 0..<Int(tile.columns) where column % n == 0 {
          _ = column
          unitTiles += 1
        }
      }
      return unitTiles >= least
    }
    guard machine.interlocks[later.queue.index] == .stream,
      names.allSatisfy({ Self.elementwise.contains($0) })
    else { return false }
    return [later, earlier].allSatisfy { record in
      let work = program.works[Int(record.work)]
      if program.mnemonic(record) == "vector.Even" {
        return hasOneExtent(record)
          && machine.vector.latencies.contains { $0 >= work.amounts.1 }
          && machine.vector.latencies.allSatisfy { work.amounts.0 >= $0 }
      }
      guard work.kind == .vector else { return false }
      let occupied = VectorOracle.cycles(program, record)
      return machine.vector.latencies.allSatisfy { occupied >= $0 }
    }
  }
}

extension ForwardingOracle {
  /// Whether all tiles of a micro-op are rectangles of the same rows and columns.
  private func hasOneExtent(_ record: OpRecord) -> Bool {
    let tiles = (0..<Int(record.operandCount)).filter { !record.access($0).isEmpty }
      .map { program.tiles[Int(record.words[$0])] }
    return tiles.allSatisfy {
      $0.indexList == 0 && $0.rows == tiles[0].rows && $0.columns == tiles[0].columns
    }
  }
}

extension MachineConfiguration {
  /// Draws a value for each rule that vendors publish.
  mutating func drawRules(_ random: inout SeededGenerator) {
    for queue in Queue.allCases {
      interlocks[queue.index] = [.full, .full, .stream, .none][random.below(4)]
    }
    matrix.forwardTiles = [1, 1, 2, 3, nil][random.below(5)]
    hbm.readAfterWrite = random.below(3) == 0 ? .fence : .event
  }
}
