import NPUSim
import Testing

@Suite struct ConflictGraphTests {
  /// By node: all nodes that it is behind, over any number of edges.
  private static func closure(_ count: Int, _ predecessors: (Int) -> [Int]) -> [Set<Int>] {
    var result = [Set<Int>](repeating: [], count: count)
    for node in 0..<count {
      for earlier in predecessors(node) { result[node].formUnion(result[earlier].union([earlier])) }
    }
    return result
  }

  @Test func `what the graph implies is what a comparison of every two micro-ops implies`() throws {
    for seed in 0..<UInt64(seededCount(2000)) {
      let made = try SequentialPrograms.make(seed: seed, steps: 10 + Int(seed % 50))
      let written = WrittenConflicts(made.sequence)
      for (core, list) in written.cores.enumerated() {
        let count = list.records.count
        let graph = ConflictGraph(made.sequence, core: core)
        #expect(graph.opCount == count)
        // Barriers are not in the graph: what it says is of what lies between two of all queues.
        var stretch = 0
        let stretches = list.records.map { record in
          if record.kind.joinsQueues { stretch += 1 }
          return stretch
        }
        let expected = Self.closure(count) { node in
          list.before[node].filter {
            stretches[$0] == stretches[node] && list.records[$0].kind == .data
              && list.records[node].kind == .data
          }
        }
        let found = Self.closure(count) { graph.predecessors(of: $0) }
        #expect(found == expected, "seed \(seed), core \(core)")
      }
    }
  }

  /// A program of `count` rounds in which `readers` micro-ops read a whole tile and one writes a row.
  private static func crowd(_ count: Int, readers: Int) throws -> SequentialProgram {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .f32, rows: 8, columns: 8)
    let b = try p.buffer("b", in: UB.self, .f32, slots: 2, rows: 8, columns: 8)
    p.emit(Fill(a.tile(), 0))
    for round in 0..<count {
      for reader in 0..<readers {
        p.emit(WithScalar<AddRule>(b.tile(slot: reader % 2), a.tile(), 1))
      }
      for row in 0..<4 { p.emit(Fill(a.tile(row: (round + row) % 8, rows: 1), 1)) }
    }
    return p.sequential()
  }

  @Test func `its size is linear in the micro-ops, however many read before many write`() throws {
    for readers in [1, 20, 200] {
      let program = try Self.crowd(2000 / readers, readers: readers)
      let graph = ConflictGraph(program, core: 0)
      #expect(graph.edgeCount < 10 * graph.opCount, "\(readers) readers: \(graph.edgeCount) edges")
    }
  }

  @Test func `nor does it grow with how often bytes on chip are given back and taken again`() throws
  {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    for kernel in 0..<40 {
      let mark = p.mark()
      // Of another size each time, so that no tile is another one's.
      let a = try p.buffer(
        "a\(kernel)", in: UB.self, .f32, slots: 6, rows: 5 + kernel % 3, columns: 8)
      for round in 0..<30 {
        let tile = a.tile(slot: round % 6)
        p.emit(Fill(tile, 1))
        p.emit(WithScalar<AddRule>(tile, tile, 1))
      }
      try p.release(to: mark)
    }
    let graph = ConflictGraph(p.sequential(), core: 0)
    #expect(graph.edgeCount < 4 * graph.opCount, "\(graph.edgeCount) edges")
  }
}
