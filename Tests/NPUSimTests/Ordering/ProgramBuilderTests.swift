import NPUSim
import Testing

@Suite struct ProgramBuilderTests {
  private func program(of count: Int, limit: Int) throws -> Program {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard, limit: limit)
    let y = try p.tensor("y", .bf16, rows: 1, columns: 64, role: .output)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 1, columns: 64)
    let tap = try p.tapTensor("t", .bf16, rows: 1, columns: 64)
    var last: Token?
    for index in 0..<count {
      p.pushScope("turn", iteration: index)
      let after = last.map { [$0] } ?? []
      last =
        index % 2 == 0
        ? p.emit(Special<ExpRule>(a.tile(), a.tile()), after: after)
        : p.emit(StoreHBM(y.tile(), from: a.tile()), after: after)
      if let last { p.tap(a.tile(), after: last, tensor: tap) }
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
}
