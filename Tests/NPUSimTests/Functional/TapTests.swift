import NPUSim
import Testing

@Suite struct TapTests {
  @Test func `a tap copies a tile as it is after its micro-op`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .f32, rows: 2, columns: 4)
    let t = try p.tapTensor("t", .f32, slots: 2, rows: 2, columns: 8)
    p.emit(Fill(a.tile(), 1))
    p.tap(a.tile(), tensor: t, slot: 0, row: 0, column: 4)
    p.emit(Fill(a.tile(), 2))
    p.tap(a.tile(rows: 1, columns: 2), tensor: t, slot: 1, row: 1, column: 0)
    let program = p.build()
    let taps = try FunctionalEngine.run(program, state: MachineState(program)).taps
    #expect(taps.count == 1)
    #expect(taps[0].buffer.name == "t")
    #expect(!taps[0].isComplete)
    let rows: [[Float]] = [
      [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1],
      [0, 0, 0, 0, 0, 0, 0, 0], [2, 2, 0, 0, 0, 0, 0, 0],
    ]
    #expect(taps[0].payload.floats == rows.flatMap { $0 })
  }

  @Test(arguments: [BlockAxis.alongColumns, .alongRows])
  func `an MXINT8 tap takes payload and scales, and knows when it is complete`(axis: BlockAxis)
    throws
  {
    let (rows, columns) = axis == .alongColumns ? (3, 40) : (40, 3)
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .f32, rows: rows, columns: columns, role: .input)
    let a = try p.buffer("a", in: UB.self, .f32, rows: rows, columns: columns)
    let m = try p.buffer("m", in: UB.self, .mxint8, rows: rows, columns: columns, axis: axis)
    let t = try p.tapTensor("t", .mxint8, rows: rows, columns: columns, axis: axis)
    p.emit(LoadUB(a.tile(), from: x.tile()))
    p.emit(EncodeMX(m.tile(), a.tile()))
    p.tap(m.tile(), tensor: t)
    let program = p.build()
    let state = MachineState(program)
    let values = (0..<rows * columns).map { Float($0 % 7) - 3 + Float($0) / 64 }
    try state.fill(x.id, floats: values)
    let tap = try #require(try FunctionalEngine.run(program, state: state).taps.first)
    #expect(tap.isComplete)
    for line in 0..<3 {
      for block in 0..<2 {
        let places = (block * 32..<min(40, block * 32 + 32)).map {
          axis == .alongColumns ? line * columns + $0 : $0 * columns + line
        }
        let (scale, payload) = MXINT8.encodeBlock(places.map { values[$0] })
        let index = axis == .alongColumns ? line * 2 + block : block * columns + line
        #expect(tap.scales[index] == scale.bits)
        for (k, place) in places.enumerated() {
          #expect(Int8(bitPattern: tap.payload[place]) == payload[k])
        }
      }
    }
  }

  @Test func `a tap outside its tensor is refused`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .f32, rows: 2, columns: 4)
    let t = try p.tapTensor("t", .f32, rows: 2, columns: 4)
    p.emit(Fill(a.tile(), 1))
    p.tap(a.tile(), tensor: t, row: 1)
    let program = p.build()
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(program, state: MachineState(program))
    }
    #expect(error?.category == .program)
  }
}
