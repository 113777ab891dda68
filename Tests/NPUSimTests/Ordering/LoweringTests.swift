import NPUSim
import Testing

@Suite struct LoweringTests {
  /// hbm → ub, vector, ub → hbm for `count` tiles through rings of `slots` slots.
  static func pipeline(count: Int, slots: Int, machine: MachineConfiguration) throws -> Program {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: count, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, rows: count, columns: 64, role: .output)
    var input = try p.ring("in", in: UB.self, .bf16, slots: slots, rows: 1, columns: 64)
    var output = try p.ring("out", in: UB.self, .bf16, slots: slots, rows: 1, columns: 64)
    for i in 0..<count {
      p.pushScope("tile", iteration: i)
      let a = input.acquire()
      let b = output.acquire()
      let loaded = p.emit(LoadUB(a.tile(), from: x.tile(row: i, rows: 1)), after: a.free)
      let done = p.emit(Special<ExpRule>(b.tile(), a.tile()), after: [loaded] + b.free)
      input.release(a, after: done)
      let stored = p.emit(StoreHBM(y.tile(row: i, rows: 1), from: b.tile()), after: done)
      output.release(b, after: stored)
      p.popScope()
    }
    return p.build()
  }

  @Test func `a token becomes one set after its producer and one wait before its consumer`()
    throws
  {
    let program = try Self.pipeline(count: 1, slots: 1, machine: TestMachine.small())
    #expect(
      program.cores[0].map { program.mnemonic($0) } == [
        "load.ub", "sync.set", "sync.wait", "vector.exp", "sync.set", "sync.wait", "store.hbm",
      ])
    #expect(program.defects.isEmpty)
  }

  @Test func `a second load into a one-slot ring waits for the first reader`() throws {
    let program = try Self.pipeline(count: 2, slots: 1, machine: TestMachine.small())
    let text = program.cores[0].map {
      "\(program.mnemonic($0)) \(program.catalogue[$0.opcode].describe($0, program).joined())"
    }
    #expect(text.contains("sync.wait vector->load:0"))
  }

  @Test func `a steady pipeline reuses event IDs`() throws {
    let program = try Self.pipeline(count: 40, slots: 2, machine: TestMachine.small())
    let ids = Set(program.cores[0].filter { $0.kind == .set }.map(\.event))
    #expect(ids.count <= 8)
    #expect(program.defects.isEmpty)
  }
}
