import NPUSim
import Testing

@Suite struct ExplicitOrderTests {
  static func order(_ steps: [(Int, OrderStep.Kind)]) -> [OrderStep] {
    steps.map { OrderStep(core: 0, op: $0.0, kind: $0.1) }
  }

  /// Two fills and a store, without any event.
  static func race() throws -> (Program, UInt32) {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard, isExplicit: true)
    let y = try p.tensor("y", .f32, rows: 1, columns: 4, role: .output)
    let a = try p.buffer("a", in: UB.self, .f32, rows: 1, columns: 4)
    p.emit(Fill(a.tile(), 1))
    p.emit(Fill(a.tile(), 2))
    p.emit(StoreHBM(y.tile(), from: a.tile()))
    return (p.build(), y.id)
  }

  @Test func `results are read as of the read step`() throws {
    let (program, y) = try Self.race()
    for (expected, steps) in [
      (Float(1), [(0, .read), (0, .write), (1, .read), (2, .read), (1, .write), (2, .write)]),
      (2, [(0, .read), (0, .write), (1, .read), (1, .write), (2, .read), (2, .write)]),
      (1, [(0, .read), (1, .read), (1, .write), (0, .write), (2, .read), (2, .write)]),
    ] as [(Float, [(Int, OrderStep.Kind)])] {
      let state = MachineState(program)
      _ = try FunctionalEngine.run(program, state: state, order: Self.order(steps))
      #expect(state.floats(y) == Array(repeating: expected, count: 4))
    }
  }

  @Test(arguments: [
    ([(0, OrderStep.Kind.read), (0, .write)], "is not both read and written"),
    ([(0, .write)], "is written before it is read"),
    ([(0, .read), (0, .read)], "is read twice"),
    ([(0, .read), (0, .write), (0, .write)], "is written twice"),
    ([(9, .read)], "which the program does not have"),
  ])
  func `an order that is not one is refused`(steps: [(Int, OrderStep.Kind)], message: String)
    throws
  {
    let (program, _) = try Self.race()
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(
        program, state: MachineState(program), order: Self.order(steps))
    }
    #expect(error?.message.contains(message) == true)
  }

  @Test(arguments: [AccumulatorMode.bf16, .fp32])
  func `a matmul that continues a chain sees the result that is still on its way`(
    mode: AccumulatorMode
  ) throws {
    var p = ProgramBuilder(
      machine: TestMachine.small(accumulator: mode), catalogue: .standard)
    let format: ElementFormat = mode == .bf16 ? .bf16 : .f32
    let x = try p.tensor("x", .mxint8, rows: 2, columns: 96, role: .input)
    let w = try p.tensor("w", .mxint8, rows: 96, columns: 3, axis: .alongRows, role: .input)
    let y = try p.tensor("y", .f32, rows: 2, columns: 3, role: .output)
    let a = try p.buffer("a", in: L1.self, .mxint8, rows: 2, columns: 96)
    let b = try p.buffer("b", in: L1.self, .mxint8, rows: 96, columns: 3, axis: .alongRows)
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: 2, columns: 96)
    let right = try p.buffer(
      "right", in: Right.self, .mxint8, rows: 96, columns: 3, axis: .alongRows)
    let acc = try p.buffer("acc", in: Acc.self, format, rows: 2, columns: 3)
    p.emit(LoadL1(a.tile(), from: x.tile()))
    p.emit(LoadL1(b.tile(), from: w.tile()))
    p.emit(CoreBarrier())
    p.emit(FeedLeft(left.tile(), from: a.tile()))
    p.emit(FeedRight(right.tile(), from: b.tile()))
    p.emit(CoreBarrier())
    for k in 0..<3 {
      p.emit(
        Matmul(
          acc.tile(), left: left.tile(column: 32 * k, columns: 32),
          right: right.tile(row: 32 * k, rows: 32), accumulate: k > 0))
    }
    p.emit(CoreBarrier())
    p.emit(DrainHBM(y.tile(), from: acc.tile()))
    let program = p.build()
    #expect(program.defects.isEmpty)

    var random = SeededGenerator(seed: 5)
    let payload = (0..<192).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let weights = (0..<288).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    func run(_ order: [OrderStep]?) throws -> [Float] {
      let state = MachineState(program)
      try state.fill(x.id, bytes: payload, scales: Array(repeating: 120, count: 6))
      try state.fill(w.id, bytes: weights, scales: Array(repeating: 125, count: 9))
      if let order {
        _ = try FunctionalEngine.run(program, state: state, order: order)
      } else {
        _ = try FunctionalEngine.run(program, state: state)
      }
      return state.floats(y.id)
    }
    let plain = try run(nil)
    let late = try run(
      Self.order(
        [0, 1, 3, 4].flatMap { [($0, .read), ($0, .write)] }
          + [(6, .read), (7, .read), (8, .read), (6, .write), (7, .write), (8, .write)]
          + [(10, .read), (10, .write)]))
    #expect(plain == late)
    // The chain's end may be visible first: what it forwarded does not come back.
    let turned = try run(
      Self.order(
        [0, 1, 3, 4].flatMap { [($0, .read), ($0, .write)] }
          + [(6, .read), (7, .read), (8, .read), (8, .write), (6, .write), (7, .write)]
          + [(10, .read), (10, .write)]))
    #expect(plain == turned)
    #expect(plain.contains { $0 != 0 })
  }
}
