import NPUSim
import Testing

/// What a kernel gets for a tensor of its own: the words of the view that it is bound to.
@Suite struct BoundViewTests {
  /// Copies a tensor to another one tile by tile through `ub`, both as slots, rows and columns, in a
  /// scope of their own.
  static func copy(
    _ p: inout ProgramBuilder, as name: String?, _ bindings: TensorBindings,
    _ format: ElementFormat,
    slots: Int, rows: Int, columns: Int, tileRows: Int
  ) throws(NPUError) {
    try p.scoped(name, bindings: bindings) { p throws(NPUError) in
      let x = try p.tensor(
        "x", format, slots: slots, rows: rows, columns: columns, role: .input)
      let out = try p.tensor(
        "out", format, slots: slots, rows: rows, columns: columns, role: .output)
      var ring = try p.ring("tile", in: UB.self, format, slots: 2, rows: tileRows, columns: columns)
      for slot in 0..<slots {
        for row in stride(from: 0, to: rows, by: tileRows) {
          let count = min(tileRows, rows - row)
          let tile = ring.next().tile(rows: count)
          p.emit(LoadUB(tile, from: x.tile(slot: slot, row: row, rows: count)))
          p.emit(StoreHBM(out.tile(slot: slot, row: row, rows: count), from: tile))
        }
      }
    }
  }

  /// Runs a program on a memory's tensors of the names of its own.
  static func execute(_ program: Program, on memory: TensorMemory) throws {
    let check = Checker.check(program)
    #expect(check.isClean, "\(check.findings.map(\.message))")
    var storages: [String: TensorStorage] = [:]
    for name in memory.names { storages[name] = try memory.storage(of: name) }
    _ = try FunctionalEngine.run(program, state: MachineState(program, storages: storages))
  }

  @Test func `a copy through views moves the elements that they name, and no other byte`() throws {
    let machine = TestMachine.small()
    var run = 0
    for seed in 0..<UInt64(TextFixture.isFull ? 3000 : 300) {
      var random = RandomViews(seed: seed)
      let format: ElementFormat = random.below(2) == 0 ? .bf16 : .f32
      let form = try random.form(format)
      let source = try random.view(of: form)
      let shape = source.view.shape
      guard shape[shape.count - 1] == 1 || source.view.dimensions.last?.step == 1 else { continue }
      // The target has more around it, and its leading dimensions the other way about.
      let turn = Array((0..<shape.count - 1).reversed()) + [shape.count - 1]
      let outer = turn.map { shape[$0] + 1 }
      let target = try TensorForm(format, outer)
      var view = target.whole
      for (place, dimension) in turn.enumerated() {
        view = try view.window(place, 0..<shape[dimension])
      }
      view = try view.permuted(turn)
      let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
      let slots = source.view.elements / (rows * columns)
      var p = ProgramBuilder(machine: machine, catalogue: .standard)
      let bindings = ["x": TensorBinding("a", source.view), "out": TensorBinding("b", view)]
      do throws(NPUError) {
        try Self.copy(
          &p, as: "copy", bindings, format, slots: slots, rows: rows, columns: columns,
          tileRows: 1 + random.below(rows))
      } catch {
        #expect(error.category == .tensor, "seed \(seed): \(error)")
        continue
      }
      let program = p.build()
      // Rows that lie apart are a defect, and never a wrong rectangle.
      if program.defects.contains(where: { $0.message.contains("one pitch apart") }) { continue }
      let memory = TensorMemory()
      try memory.declare("a", form)
      try memory.declare("b", target)
      let words = random.words(form)
      let before = random.words(target)
      try memory.write(words, to: memory.whole("a"))
      try memory.write(before, to: memory.whole("b"))
      try Self.execute(program, on: memory)
      #expect(try memory.read(memory.whole("a")) == words)
      var expected = before.payload
      let size = format.bytes
      let places = RandomViews.places(shape)
      for (place, element) in zip(places, source.elements) {
        let number = zip(turn.map { place[$0] }, outer).reduce(0) { $0 * $1.1 + $1.0 }
        expected.replaceSubrange(
          number * size..<(number + 1) * size,
          with: words.payload[element * size..<(element + 1) * size])
      }
      #expect(try memory.read(memory.whole("b")).payload == expected, "seed \(seed): \(source.log)")
      run += 1
    }
    #expect(run > 60)
  }

  @Test func `heads of tokens are slots: a column window of every row`() throws {
    let form = try TensorForm(.bf16, [5, 6])
    let heads = try form.whole.split(1, into: [3, 2]).permuted([1, 0, 2])
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let out = try TensorForm(.bf16, [3, 5, 2])
    try Self.copy(
      &p, as: nil, ["x": TensorBinding("q", heads), "out": TensorBinding("out", out.whole)], .bf16,
      slots: 3, rows: 5, columns: 2, tileRows: 4)
    let program = p.build()
    // A program has no views: tiles are rectangles of the tensor, so that every text can state them.
    var options = ProgramText.Options()
    options.rollsLoops = false
    let text = String(decoding: try ProgramText.print(program, options), as: UTF8.self)
    #expect(program.buffers.map(\.name) == ["q", "out", "tile"])
    #expect(text.contains(".input q bf16 [5, 6]") && text.contains("<- q[4 +: 1, 2 +: 2]"))
    #expect(try TextFixture.program(text).difference(from: program) == nil)
  }

  @Test func `heads that lie side by side in a row can be taken as one slot`() throws {
    let form = try TensorForm(.bf16, [5, 12])
    let byHead = try form.whole.split(1, into: [6, 2]).permuted([1, 0, 2])
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let out = try TensorForm(.bf16, [2, 5, 6])
    try p.scoped(
      nil, bindings: ["x": TensorBinding("q", byHead), "out": TensorBinding("out", out.whole)]
    ) { p throws(NPUError) in
      let x = try p.tensor("x", .bf16, slots: 6, rows: 5, columns: 2, role: .input)
      // Four do not divide six, and one is a slot as it is.
      let (four, one) = (try p.sideBySide(x, slots: 4), try p.sideBySide(x, slots: 1))
      #expect(four == nil && one == nil)
      let out = try p.tensor("out", .bf16, slots: 2, rows: 5, columns: 6, role: .output)
      let apart = try p.sideBySide(out, slots: 2)
      #expect(apart == nil)
      guard let wide = try p.sideBySide(x, slots: 3) else {
        Issue.record("three heads lie side by side")
        return
      }
      #expect((wide.slots, wide.rows, wide.columns) == (2, 5, 6))
      let tile = try p.buffer("tile", in: UB.self, .bf16, slots: 2, rows: 4, columns: 6)
      for slot in 0..<2 {
        for rows in [0..<4, 4..<5] {
          let part = tile.tile(slot: slot, rows: rows.count)
          p.emit(LoadUB(part, from: wide.tile(slot: slot, row: rows.lowerBound, rows: rows.count)))
          p.emit(
            StoreHBM(out.tile(slot: slot, row: rows.lowerBound, rows: rows.count), from: part))
        }
      }
    }
    let program = p.build()
    #expect(Checker.check(program).isClean)
    var options = ProgramText.Options()
    options.rollsLoops = false
    let text = String(decoding: try ProgramText.print(program, options), as: UTF8.self)
    #expect(text.contains("<- q[4 +: 1, 6 +: 6]"), "\(text)")
  }

  @Test func `a kernel with all of its tensors bound as they are is itself, byte for byte`() throws
  {
    var own = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    try Self.copy(&own, as: nil, [:], .f32, slots: 2, rows: 5, columns: 4, tileRows: 2)
    var bound = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let whole = try TensorForm(.f32, [2, 5, 4]).whole
    try Self.copy(
      &bound, as: nil, ["x": TensorBinding("x", whole), "out": TensorBinding("out", whole)], .f32,
      slots: 2, rows: 5, columns: 4, tileRows: 2)
    #expect(own.build().difference(from: bound.build()) == nil)
  }

  @Test func `two kernels of one builder have names of their own`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let form = try TensorForm(.f32, [4, 4])
    try Self.copy(
      &p, as: "first", ["out": TensorBinding("between", form.whole)], .f32, slots: 1, rows: 4,
      columns: 4, tileRows: 2)
    try Self.copy(
      &p, as: "second", ["x": TensorBinding("between", form.whole)], .f32, slots: 1, rows: 4,
      columns: 4, tileRows: 2)
    let twice = #expect(throws: NPUError.self) {
      try p.scoped("first") { _ throws(NPUError) in }
    }
    #expect(twice?.message == "two parts of the program are named 'first'")
    let program = p.build()
    #expect(
      program.buffers.map(\.name)
        == ["first.x", "between", "first.tile", "second.out", "second.tile"])
    #expect(program.scopePath(program.cores[0][0].scope) == "first")
    #expect(Checker.check(program).isClean)
  }

  @Test func `a binding that does not fit says what was found and what was needed`() throws {
    func message(_ form: TensorForm, _ name: String = "x", rows: Int = 4) -> String {
      var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
      do throws(NPUError) {
        try Self.copy(
          &p, as: "copy", [name: TensorBinding("t", form.whole)], .f32, slots: 1, rows: rows,
          columns: 4, tileRows: 2)
        return ""
      } catch { return error.message }
    }
    #expect(
      try message(TensorForm(.bf16, [4, 4]))
        == "copy.x: found 't', which is bf16 [4, 4], needed f32")
    #expect(
      try message(TensorForm(.f32, [4, 5]))
        == "copy.x: found a view of shape [4, 5] of f32 [4, 5], needed 1 × 4 × 4 elements: its "
        + "dimensions [4, 5] do not divide into them")
    #expect(
      try message(TensorForm(.f32, [4, 4]), "y")
        == "a tensor 'y' is bound in 'copy', and none of that name is declared there")
  }

  @Test func `tiles are judged by the view, not by the tensor around it`() throws {
    let form = try TensorForm(.f32, [8, 8])
    let view = try form.whole.window(0, 2..<6).window(1, 4..<8)
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    try p.scoped("k", bindings: ["x": TensorBinding("t", view)]) { p throws(NPUError) in
      let x = try p.tensor("x", .f32, rows: 4, columns: 4, role: .input)
      let a = try p.buffer("a", in: UB.self, .f32, rows: 4, columns: 4)
      p.emit(LoadUB(a.tile(), from: x.tile(row: 1, rows: 4)))
      p.emit(LoadUB(a.tile(), from: x.tile()))
    }
    let program = p.build()
    #expect(program.defects.map(\.code) == [.M005])
    #expect(
      program.defects.first?.message
        == "load.ub names k.x[1 +: 4, 0 +: 4]: rows 1 to 4 of 4 of k.x, counted from 0")
    // Rows of two slots of the tensor are no rectangle.
    let apart = try TensorForm(.f32, [2, 3, 4]).whole.window(1, 0..<2)
    var q = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    try q.scoped("k", bindings: ["x": TensorBinding("t", apart)]) { p throws(NPUError) in
      let x = try p.tensor("x", .f32, rows: 4, columns: 4, role: .input)
      let a = try p.buffer("a", in: UB.self, .f32, rows: 4, columns: 4)
      p.emit(LoadUB(a.tile(rows: 2), from: x.tile(row: 2, rows: 2)))
      p.emit(LoadUB(a.tile(), from: x.tile()))
    }
    let defect = q.build().defects
    #expect(defect.map(\.code) == [.M005] && defect[0].message.contains("one pitch apart"))
  }

  @Test func `rows of a list are rows of the view`() throws {
    let form = try TensorForm(.f32, [8, 4])
    let view = try form.whole.window(0, 3..<7)
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let out = try TensorForm(.f32, [3, 4])
    try p.scoped(
      nil, bindings: ["x": TensorBinding("t", view), "out": TensorBinding("out", out.whole)]
    ) { p throws(NPUError) in
      let x = try p.tensor("x", .f32, rows: 4, columns: 4, role: .input)
      let out = try p.tensor("out", .f32, rows: 3, columns: 4, role: .output)
      let a = try p.buffer("a", in: UB.self, .f32, rows: 3, columns: 4)
      let list = p.indexList([2, 0, 3], named: "rows")
      p.emit(GatherUB(a.tile(), from: x.gathered(list, rows: 3)))
      p.emit(StoreHBM(out.tile(), from: a.tile()))
    }
    let memory = TensorMemory()
    try memory.declare("t", form)
    try memory.declare("out", out)
    var random = RandomViews(seed: 1)
    let words = random.words(form)
    try memory.write(words, to: memory.whole("t"))
    try Self.execute(p.build(), on: memory)
    let rows = [5, 3, 6].flatMap { words.payload[$0 * 16..<$0 * 16 + 16] }
    #expect(try memory.read(memory.whole("out")).payload == rows)
  }

  @Test
  func
    `what no program wrote stays poison in the memory, and what one wrote is there for the next`()
    throws
  {
    let form = try TensorForm(.f32, [4, 4])
    func half(_ rows: Range<Int>) throws -> TensorView { try form.whole.window(0, rows) }
    func program(_ source: (String, Range<Int>), _ target: (String, Range<Int>)) throws -> Program {
      var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
      try Self.copy(
        &p, as: nil,
        [
          "x": TensorBinding(source.0, half(source.1)),
          "out": TensorBinding(target.0, half(target.1)),
        ], .f32, slots: 1, rows: 2, columns: 4, tileRows: 1)
      return p.build()
    }
    let memory = TensorMemory()
    for name in ["a", "b", "c"] { try memory.declare(name, form) }
    var random = RandomViews(seed: 2)
    let words = random.words(form)
    try memory.write(words, to: memory.whole("a"))
    try Self.execute(program(("a", 0..<2), ("b", 2..<4)), on: memory)
    try Self.execute(program(("b", 2..<4), ("c", 0..<2)), on: memory)
    let found = try memory.read(memory.whole("c"))
    #expect(Array(found.payload[0..<32]) == Array(words.payload[0..<32]))
    #expect(found.payload[32...].allSatisfy { $0 == 0 } && !found.isComplete)
    let unwritten = #expect(throws: NPUError.self) {
      try Self.execute(program(("b", 1..<3), ("c", 2..<4)), on: memory)
    }
    #expect(
      unwritten?.message.contains("of b[1 +: 1, 0 +: 4], buffer b") == true,
      "\(unwritten?.message ?? "")")
  }
}
