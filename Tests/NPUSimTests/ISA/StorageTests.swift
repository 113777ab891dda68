import NPUSim
import Testing

/// What a micro-op and its tables take, as programs of millions of micro-ops must fit.
@Suite struct StorageTests {
  @Test func `records and table entries are plain and small`() {
    #expect(MemoryLayout<OpRecord>.stride <= 40)
    #expect(MemoryLayout<TileRef>.stride <= 32)
    #expect(MemoryLayout<Work>.stride <= 32)
    #expect(MemoryLayout<Scope>.stride <= 12)
    #expect(MemoryLayout<OpInstants>.stride <= 32)
  }

  @Test func `equal tiles and equal works are stored once`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 1, columns: 8, role: .input)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 1, columns: 8)
    for turn in 0..<1_000 {
      p.pushScope("turn", iteration: turn % 2)
      p.emit(LoadUB(a.tile(), from: x.tile()))
      p.popScope()
    }
    let program = p.build()
    #expect(program.tiles.count == 2)
    // The first is that of synchronisation.
    #expect(program.works.count == 2)
    #expect(program.scopeLabels == ["", "turn"])
    #expect(program.storageBytes >= program.opCount * MemoryLayout<OpRecord>.stride)
  }
}
