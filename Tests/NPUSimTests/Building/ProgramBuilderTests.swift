import NPUSim
import Testing

@Suite struct ProgramBuilderTests {
  private func program(of count: Int, limit: Int) throws -> Program {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard, limit: limit)
    let y = try p.tensor("y", .bf16, rows: 1, columns: 64, role: .output)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 1, columns: 64)
    let tap = try p.tapTensor("t", .bf16, rows: 1, columns: 64)
    for index in 0..<count {
      p.pushScope("turn", iteration: index)
      if index % 2 == 0 {
        p.emit(Special<ExpRule>(a.tile(), a.tile()))
      } else {
        p.emit(StoreHBM(y.tile(), from: a.tile()))
      }
      p.tap(a.tile(), tensor: tap)
      p.popScope()
    }
    return p.build()
  }

  @Test func `as many micro-ops as the limit are kept, and one more leaves none and says so`()
    throws
  {
    let whole = try program(of: 6, limit: 6)
    #expect(whole.exceededLimit == nil && whole.taps.count == 6)
    #expect(whole.cores[0].count { $0.kind == .data } == 6)
    try whole.requireWhole()

    let cut = try program(of: 7, limit: 6)
    #expect(cut.exceededLimit == 6 && cut.opCount == 0 && cut.taps.isEmpty)
    let error = #expect(throws: NPUError.self) { try cut.requireWhole() }
    #expect(error?.category == .limit && error?.hint != nil)
    #expect(error?.message.contains("more than 6 micro-ops") == true)
  }

  @Test func `nothing fits a limit of none`() throws {
    #expect(try program(of: 3, limit: 0).exceededLimit == 0)
    #expect(try program(of: 0, limit: 0).exceededLimit == nil)
  }

  @Test func `the slots of a ring come in turn, and each turn has its slot`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    for slots in 1...4 {
      var ring = try p.ring("r\(slots)", in: UB.self, .bf16, slots: slots, rows: 2, columns: 8)
      for turn in 0..<10 {
        #expect(ring[turn].index == turn % slots)
        let slot = ring.next()
        #expect(slot.index == turn % slots)
        #expect(slot.tile(row: 1) == ring.buffer.tile(slot: turn % slots, row: 1))
      }
    }
  }

  @Test func `a tap is of the micro-op before it on its core, and of none before the first`() throws
  {
    var p = ProgramBuilder(machine: TestMachine.small(cores: 2), catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 1, columns: 64)
    let t = try p.tapTensor("t", .bf16, rows: 1, columns: 64)
    p.tap(a.tile(), tensor: t)
    p.emit(Fill(a.tile(), 1))
    p.emit(Special<ExpRule>(a.tile(), a.tile()))
    p.begin(core: 1)
    p.tap(a.tile(), tensor: t)
    p.begin(core: 0)
    p.tap(a.tile(), tensor: t)
    let program = p.build()
    #expect(program.taps.map(\.core) == [0])
    #expect(program.taps.map { program.mnemonic(program.cores[0][$0.op]) } == ["vector.exp"])
  }
}
