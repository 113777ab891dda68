import NPUSim
import Testing

/// What a vector micro-op costs where formats and units count.
@Suite struct VectorPriceTests {
  /// Cycles of a conversion of a tile from a format to another.
  private func cycles(
    _ machine: MachineConfiguration, _ rows: Int, _ columns: Int, _ a: ElementFormat,
    _ result: ElementFormat
  ) throws -> Int64 {
    var p = ProgramBuilder(machine: machine, catalogue: .standard, isExplicit: true)
    let x = try p.buffer("x", in: UB.self, a, rows: rows, columns: columns)
    let y = try p.buffer("y", in: UB.self, result, rows: rows, columns: columns)
    p.emit(Cast(y.tile(), x.tile()))
    return try TimingEngine.run(p.build()).cores[0].queues[Queue.vector.index].busy
  }

  private func machine(
    width: Int?, native: FormatSet = .all, units: Int = 1
  ) -> MachineConfiguration {
    var machine = TestMachine.small(memory: 1 << 20)
    machine.vector.minimumOccupancy = 2
    machine.vector.slopes[VectorClass.cast.index] = 3
    machine.vector.widthBytes = width
    machine.vector.nativeFormats = native
    machine.vector.units = units
    return machine
  }

  @Test func `without a width lanes price, whatever the format`() throws {
    // 4 lanes, 3 cycles a repeat.
    #expect(try cycles(machine(width: nil), 1, 16, .bf16, .f32) == 12)
    #expect(try cycles(machine(width: nil), 1, 17, .bf16, .f16) == 15)
  }

  @Test func `a repeat takes so many elements as the operand that is read lets it`() throws {
    let wide = machine(width: 32)
    #expect(try cycles(wide, 1, 16, .bf16, .f16) == 3)
    #expect(try cycles(wide, 1, 17, .bf16, .f16) == 6)
    #expect(try cycles(wide, 1, 16, .f32, .f16) == 6)
    #expect(try cycles(wide, 1, 16, .bf16, .f32) == 3)
    #expect(try cycles(machine(width: 33), 1, 16, .bf16, .f16) == 3)
    #expect(try cycles(machine(width: 31), 1, 16, .bf16, .f16) == 6)
    // One element of FP32 a repeat at least.
    #expect(try cycles(machine(width: 4), 1, 5, .f32, .bf16) == 15)
    #expect(try cycles(machine(width: 4), 1, 6, .bf16, .f32) == 9)
  }

  @Test func `a format that is not native counts as FP32`() throws {
    #expect(try cycles(machine(width: 32, native: [.f16, .f32]), 1, 16, .f16, .f16) == 3)
    #expect(try cycles(machine(width: 32, native: [.f16, .f32]), 1, 16, .bf16, .f16) == 6)
    #expect(try cycles(machine(width: nil, native: []), 1, 16, .bf16, .f16) == 12)
  }

  @Test func `rows are shared out over the units, and the smallest occupancy stays`() throws {
    // 6 rows of 8 on two units: 24 elements of 4 a repeat; 7 rows: 32.
    #expect(try cycles(machine(width: nil, units: 2), 6, 8, .bf16, .f32) == 18)
    #expect(try cycles(machine(width: nil, units: 2), 7, 8, .bf16, .f32) == 24)
    #expect(try cycles(machine(width: nil, units: 2), 1, 8, .bf16, .f32) == 6)
    #expect(try cycles(machine(width: 32, units: 3), 6, 8, .bf16, .f16) == 3)
    var short = machine(width: nil, units: 8)
    short.vector.minimumOccupancy = 5
    #expect(try cycles(short, 8, 4, .bf16, .f32) == 5)
  }

  @Test(arguments: [
    ("vector.width_bytes=3", "an integer from 4 to 1048576, or null"),
    ("vector.native_formats=[\"f61\"]", "an element of vector.native_formats"),
    ("vector.native_formats=f16", "\"all\" or an array of formats"),
    ("vector.units=0", "vector.units"),
  ])
  func `what cannot be is refused`(setting: String, reason: String) throws {
    let edge = try Presets.named("edge").configuration
    let error = #expect(throws: NPUError.self) { try edge.applying(set: setting) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
  }

  @Test func `formats are kept by name`() throws {
    let edge = try Presets.named("edge").configuration
    let changed = try edge.applying(sets: [
      "vector.native_formats=[\"f32\", \"f16\"]", "vector.width_bytes=256",
    ])
    #expect(
      changed.json["vector"]?["native_formats"]?.text(.compact) == #"["f16","f32"]"#)
    #expect(changed.vector.wordElements == 64 && changed.vector.mostElements == 128)
    #expect(edge.json["vector"]?["native_formats"] == "all")
    #expect(edge.vector.wordElements == 32 && edge.vector.mostElements == 32)
  }
}
