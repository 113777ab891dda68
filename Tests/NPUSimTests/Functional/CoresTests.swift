import NPUSim
import Testing

@Suite struct CoresTests {
  /// Each core doubles its rows; after the barrier each adds the row of its neighbour.
  static func exchange(cores: Int, barriers: [Int]) throws -> (
    Program, x: BufferHandle<HBM>, y: BufferHandle<HBM>, z: BufferHandle<HBM>
  ) {
    var p = ProgramBuilder(machine: TestMachine.small(cores: cores), catalogue: .standard)
    // Rows of 12 bytes: neighbours share the words that mark written bytes.
    let x = try p.tensor("x", .f32, rows: cores * 8, columns: 3, role: .input)
    let y = try p.tensor("y", .f32, rows: cores * 8, columns: 3, role: .output)
    let z = try p.tensor("z", .f32, rows: cores * 8, columns: 3, role: .output)
    for core in 0..<cores {
      p.begin(core: core)
      let a = try p.buffer("a\(core)", in: UB.self, .f32, slots: 8, rows: 1, columns: 3)
      for row in 0..<8 {
        p.emit(LoadUB(a.tile(slot: row), from: x.tile(row: 8 * core + row, rows: 1)))
        p.emit(WithScalar<MulRule>(a.tile(slot: row), a.tile(slot: row), 2))
        p.emit(StoreHBM(y.tile(row: 8 * core + row, rows: 1), from: a.tile(slot: row)))
      }
      for _ in 0..<barriers[core] { p.emit(ChipBarrier()) }
      let other = (core + 1) % cores
      for row in 0..<8 {
        p.emit(LoadUB(a.tile(slot: row), from: y.tile(row: 8 * other + row, rows: 1)))
        p.emit(StoreHBM(z.tile(row: 8 * core + row, rows: 1), from: a.tile(slot: row)))
      }
    }
    return (p.build(), x, y, z)
  }

  @Test(arguments: [false, true])
  func `cores join at their barriers, on one thread and on several`(isConcurrent: Bool) throws {
    for cores in [1, 2, 5] {
      let (program, x, y, z) = try Self.exchange(
        cores: cores, barriers: Array(repeating: 1, count: cores))
      #expect(program.defects.isEmpty)
      for _ in 0..<20 {
        let state = MachineState(program)
        let values = (0..<cores * 24).map { Float($0) }
        try state.fill(x.id, floats: values)
        _ = try FunctionalEngine.run(
          program, state: state, options: .init(runsCoresConcurrently: isConcurrent))
        let doubled = values.map { $0 * 2 }
        #expect(state.floats(y.id) == doubled)
        let turned = (0..<cores * 24).map { doubled[($0 + 24) % (cores * 24)] }
        #expect(state.floats(z.id) == turned)
        #expect(state.isWritten(y.id))
        #expect(state.isWritten(z.id))
      }
    }
  }

  @Test func `a core that never joins is a deadlock that names it`() throws {
    let (program, x, _, _) = try Self.exchange(cores: 3, barriers: [1, 1, 0])
    let state = MachineState(program)
    try state.fill(x.id, floats: Array(repeating: 1, count: 72))
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(
        program, state: state, options: .init(runsCoresConcurrently: false))
    }
    // Core 2 reads a row that core 0 has written: only the join is wrong.
    #expect(
      error?.message
        == "deadlock: barrier 1 over the cores is reached by cores 0, 1, but core 2 ended before it"
    )
  }
}
