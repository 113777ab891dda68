import NPUSim
import Testing

/// Printing and assembling undo each other.
@Suite struct TextRoundTripTests {
  /// Prints, assembles, prints; both ways of printing.
  static func check(_ program: Program, _ context: String) throws {
    for rolls in [true, false] {
      var options = ProgramText.Options()
      options.rollsLoops = rolls
      let text = try ProgramText.print(program, options)
      let source = TextSource(file: "t.npu", bytes: text)
      let parsed = try TextProgram.parse(source).get()
      let again = try parsed.assemble(machine: program.machine, catalogue: program.catalogue).get()
      let difference = again.program.difference(from: program)
      #expect(difference == nil, "\(context): \(difference ?? "")")
      let bytes = try ProgramText.print(again.program, options)
      #expect(bytes == text, "\(context): the text changes")
      #expect(parsed.formatted() == text, "\(context): the formatter changes the text")
    }
  }

  @Test func `random programs come back from their text`() throws {
    let count = TextFixture.isFull ? 5000 : 500
    for seed in 0..<UInt64(count) {
      var random = RandomPrograms(seed: seed)
      try Self.check(try random.program(), "seed \(seed)")
    }
  }

  @Test func `random timed and clean programs come back from their text`() throws {
    let count = TextFixture.isFull ? 2500 : 250
    for seed in 0..<UInt64(count) {
      var timed = RandomTimedPrograms(seed: seed)
      try Self.check(try timed.program(timed.machine()), "timed, seed \(seed)")
      var clean = RandomPrograms(seed: seed)
      try Self.check(try clean.cleanProgram(), "clean, seed \(seed)")
    }
  }

  @Test func `numbers, names and labels come back exactly`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let a = try p.buffer("a \"b\" \\ ü-1.", in: UB.self, .bf16, slots: 3, rows: 4, columns: 64)
    for bits: UInt32 in [
      0, 0x8000_0000, 1, 0x8000_0001, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC0_0000,
      0x7F80_0001, 0x3DCC_CCCD, 0x7F7F_FFFF, 0x0080_0000, 0x3FB8_AA3B, 0xC016_0419,
    ] {
      p.pushScope("x/y[1]", iteration: 7)
      p.emit(Fill(a.tile(slot: 2, row: 1, rows: 0), Float(bitPattern: bits)))
      p.popScope()
    }
    p.emit(Mask(a.tile(), a.tile(), lowest: .min, highest: .max, rowsPerPosition: 1))
    try Self.check(p.build(), "exact")
  }

  @Test func `repetition becomes loops, with offsets, turns and ragged ends`() throws {
    let text = """
      .input x bf16 [100, 64]

      .buf a ub bf16 [8, 64] {slots=3}

      .loop i 0..<13
        .scope tile[i]
          load.ub a[i % 3][0 +: min(8, 100 - i * 8), :] <- x[i * 8 +: min(8, 100 - i * 8), :] set vector:i % 2
          .loop j 0..<4: vector.row_max a[i % 3][0 +: min(8, 100 - i * 8), 16 * j +: 1] <- a[0][0 +: min(8, 100 - i * 8), :] {start=j == 0} wait load:i % 2 if j == 0
        .end
      .end

      """
    let program = try TextFixture.program(text)
    let printed = String(decoding: try ProgramText.print(program), as: UTF8.self)
    let expected = text.replacingOccurrences(of: "16 * j", with: "j * 16")
    #expect(printed == expected)
  }

  @Test func `cores that do the same share a block`() throws {
    let text = """
      .output y bf16 [64, 64]

      .core 0..<4
        .buf a ub bf16 [4, 64]

        vector.fill a {value=1.0}
        .loop i 0..<4: store.hbm y[core * 16 + i * 4 +: 4, :] <- a
      .end

      """
    let program = try TextFixture.program(text, machine: TestMachine.small(cores: 4))
    #expect(String(decoding: try ProgramText.print(program), as: UTF8.self) == text)
  }

  @Test func `what text cannot state is refused`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    _ = try p.buffer("a", in: UB.self, .bf16, rows: 4, columns: 64)
    _ = try p.buffer("a", in: UB.self, .bf16, rows: 4, columns: 64)
    let twice = p.build()
    #expect(throws: NPUError.self) { try ProgramText.print(twice) }
    var odd = twice
    odd.buffers[1].name = "b"
    odd.buffers[1].pitch += 16
    #expect(throws: NPUError.self) { try ProgramText.print(odd) }
  }
}
