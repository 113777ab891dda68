import NPUSim
import Testing

/// Memory on chip that is given back and taken again.
@Suite struct OnChipMarkTests {
  private static func form() throws(NPUError) -> TensorForm { try TensorForm(.f32, [24, 8]) }

  /// Two copies, one behind the other: a to b, b to c; the second one takes the bytes of the first on chip,
  /// or other ones.
  private static func copies(
    _ machine: MachineConfiguration, reuses: Bool
  ) throws(NPUError) -> SequentialProgram {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let whole = try form().whole
    let mark = p.mark()
    for (name, source, target) in [("first", "a", "b"), ("second", "b", "c")] {
      try BoundViewTests.copy(
        &p, as: name,
        ["x": TensorBinding(source, whole), "out": TensorBinding(target, whole)], .f32, slots: 1,
        rows: 24, columns: 8, tileRows: 4)
      if reuses { try p.release(to: mark) }
    }
    return p.sequential()
  }

  @Test(arguments: [QueueOrder.written, .found])
  func `bytes that were given back are taken again, behind all who use them`(order: QueueOrder)
    throws
  {
    let machine = TestMachine.small()
    let program = FoundOrder(try Self.copies(machine, reuses: true), order: order).program
    let rings = program.buffers.filter { $0.space == .ub }
    #expect(rings.map(\.base) == [0, 0] && rings.map(\.name) == ["first.tile", "second.tile"])
    let memory = TensorMemory()
    for name in ["a", "b", "c"] { try memory.declare(name, Self.form()) }
    var random = RandomViews(seed: 5)
    let words = random.words(try Self.form())
    try memory.write(words, to: memory.whole("a"))
    try BoundViewTests.execute(program, on: memory)
    #expect(try memory.read(memory.whole("c")).payload == words.payload)
    #expect(program.taps.isEmpty)
    // The text states where the second one lies.
    let text = String(decoding: try ProgramText.print(program), as: UTF8.self)
    #expect(try TextFixture.program(text).difference(from: program) == nil)
  }

  @Test(arguments: [QueueOrder.written, .found])
  func `events for buffers that lie apart do not do for those that share bytes`(order: QueueOrder)
    throws
  {
    let machine = TestMachine.small()
    var program = FoundOrder(try Self.copies(machine, reuses: false), order: order).program
    #expect(Checker.check(program).isClean)
    let rings = program.buffers.indices.filter { program.buffers[$0].space == .ub }
    #expect(program.buffers[rings[1]].base > program.buffers[rings[0]].base)
    program.buffers[rings[1]].base = program.buffers[rings[0]].base
    let check = Checker.check(program)
    #expect(check.raceCount > 0, "a slot that is taken again is overwritten before it is read")
  }

  @Test func `what does not fit together fits one after another`() throws {
    let machine = TestMachine.small(memory: 2 * 4 * 8 * 4)
    let together = try Self.copies(machine, reuses: false).lowered()
    #expect(together.defects.map(\.code) == [.M003])
    #expect(together.defects.first?.message.contains("first.tile 256, second.tile 256") == true)
    #expect(try Self.copies(machine, reuses: true).lowered().defects.isEmpty)
  }

  @Test func `marks are released in reverse order, each once or again`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(cores: 2), catalogue: .standard)
    func base(_ name: String) throws(NPUError) -> UInt32 {
      try p.buffer(name, in: L1.self, .mxint8, rows: 2, columns: 64).id
    }
    let outer = p.mark()
    p.begin(core: 1)
    let first = try base("a")
    let inner = p.mark()
    let second = try base("b")
    try p.release(to: inner)
    let third = try base("c")
    try p.release(to: inner)
    try p.release(to: outer)
    let fourth = try base("d")
    let early = p.mark()
    try p.release(to: outer)
    #expect(throws: NPUError.self) { try p.release(to: early) }
    let buffers = p.build().buffers
    #expect(buffers[Int(third)].base == buffers[Int(second)].base)
    #expect(buffers[Int(fourth)].base == buffers[Int(first)].base)
    #expect(buffers[Int(second)].base > buffers[Int(first)].base)
    // Scales of a side array lie with their payload.
    #expect(buffers[Int(third)].scaleBase == buffers[Int(third)].base / 32)
  }
}
