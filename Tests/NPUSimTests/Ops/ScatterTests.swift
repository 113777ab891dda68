import NPUSim
import Testing

@Suite struct ScatterTests {
  @Test func `gathered rows come in list order, scattered rows go to their slots`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .f32, rows: 8, columns: 3, role: .input)
    let y = try p.tensor("y", .f32, rows: 8, columns: 3, role: .inputOutput)
    let a = try p.buffer("a", in: UB.self, .f32, rows: 4, columns: 3)
    let from = p.indexList([9, 7, 0, 0, 5])
    let to = p.indexList([6, 1, 0, 3])
    p.emit(GatherUB(a.tile(), from: x.gathered(from, first: 1, rows: 4)))
    p.emit(StoreScatter(y.gathered(to, rows: 4), from: a.tile()))
    let program = p.build()
    #expect(program.defects.isEmpty)
    let state = MachineState(program)
    let values = (0..<24).map { Float($0) }
    try state.fill(x.id, floats: values)
    try state.fill(y.id, floats: Array(repeating: -1, count: 24))
    _ = try FunctionalEngine.run(program, state: state)
    var expected = [Float](repeating: -1, count: 24)
    for (slot, row) in [(6, 7), (1, 0), (0, 0), (3, 5)] {
      for column in 0..<3 { expected[3 * slot + column] = values[3 * row + column] }
    }
    #expect(state.floats(y.id) == expected)
  }

  @Test func `an MXINT8 cache is gathered into l1 with its scales`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .mxint8, rows: 6, columns: 40, role: .input)
    let a = try p.buffer("a", in: L1.self, .mxint8, rows: 3, columns: 40)
    let t = try p.tapTensor("t", .mxint8, rows: 3, columns: 40)
    let list = p.indexList([4, 1, 5])
    p.emit(GatherL1(a.tile(), from: x.gathered(list, rows: 3)))
    p.tap(a.tile(), tensor: t)
    let program = p.build()
    #expect(program.defects.isEmpty)
    let state = MachineState(program)
    let payload = (0..<240).map { UInt8($0) }
    let scales = (0..<12).map { UInt8(100 + $0) }
    try state.fill(x.id, bytes: payload, scales: scales)
    let tap = try #require(try FunctionalEngine.run(program, state: state).taps.first)
    var rows: [UInt8] = []
    var rowScales: [UInt8] = []
    for row in [4, 1, 5] {
      rows += payload[40 * row..<40 * row + 40]
      rowScales += scales[2 * row..<2 * row + 2]
    }
    #expect(tap.payload == rows)
    #expect(tap.scales == rowScales)
  }

  @Test func `each row of a scatter is rounded out to bursts, rows that touch together`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let y = try p.tensor("y", .f32, rows: 64, columns: 10, role: .output)
    let a = try p.buffer("a", in: UB.self, .f32, rows: 4, columns: 10)
    // Rows of 40 bytes in bursts of 32: [10, 11] is bytes 400 ..< 480, 30 is 1200 ..< 1240, and 4
    // is 160 ..< 200.
    let list = p.indexList([10, 11, 30, 4])
    p.emit(StoreScatter(y.gathered(list, rows: 4), from: a.tile()))
    let program = p.build()
    let work = program.works[Int(program.cores[0][0].work)]
    #expect(work.path == .ubToHBM)
    #expect(work.usefulBytes == 160)
    #expect(work.hbmBytes == 96 + 64 + 64)
  }

  @Test func `lists are refused where they do not belong`() throws {
    func defect(_ body: (inout ProgramBuilder) throws -> Void) throws -> String? {
      var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
      try body(&p)
      return p.build().defects.first?.message
    }
    let twice = try defect { p in
      let y = try p.tensor("y", .f32, rows: 8, columns: 3, role: .output)
      let a = try p.buffer("a", in: UB.self, .f32, rows: 3, columns: 3)
      p.emit(StoreScatter(y.gathered(p.indexList([1, 2, 1]), rows: 3), from: a.tile()))
    }
    #expect(
      twice == "store.scatter: found row 1 twice in the list, at list0[0] and list0[2], needed "
        + "distinct rows: drop all but the last")
    let outside = try defect { p in
      let y = try p.tensor("y", .f32, rows: 8, columns: 3, role: .output)
      let a = try p.buffer("a", in: UB.self, .f32, rows: 2, columns: 3)
      p.emit(StoreScatter(y.gathered(p.indexList([1, 8]), rows: 2), from: a.tile()))
    }
    #expect(outside?.contains("list0[1] is 8, but y has rows 0 to 7") == true)
    let short = try defect { p in
      let y = try p.tensor("y", .f32, rows: 8, columns: 3, role: .output)
      let a = try p.buffer("a", in: UB.self, .f32, rows: 3, columns: 3)
      p.emit(
        StoreScatter(
          y.gathered(p.indexList([1, 7], named: "slots"), rows: 3), from: a.tile()))
    }
    #expect(short?.contains("places 0 to 2 of slots, which has 2 values") == true)
    let plain = try defect { p in
      let x = try p.tensor("x", .f32, rows: 8, columns: 3, role: .input)
      let a = try p.buffer("a", in: UB.self, .f32, rows: 2, columns: 3)
      p.emit(LoadUB(a.tile(), from: x.gathered(p.indexList([1, 2]), rows: 2)))
    }
    #expect(plain?.contains("use a gather or a scatter") == true)
  }
}
