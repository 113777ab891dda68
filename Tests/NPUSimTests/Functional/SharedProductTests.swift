import NPUSim
import Testing

/// Large products that a second thread adds while the core goes on: everything is as on one thread.
@Suite struct SharedProductTests {
  /// Matmuls of 64 × 128 × 64, drains and feeds in a random order, without a single event: values are
  /// those of the list's order, whoever adds a product. Accumulator tiles overlap, operands are
  /// overwritten while products that read them are open, chains start anew and go on, and some
  /// products are too small to be shared.
  private struct Case {
    static let rows = 64
    static let columns = 128
    static let depth = 64

    let program: Program
    let x: BufferHandle<HBM>
    let w: BufferHandle<HBM>
    let y: BufferHandle<HBM>
    var random: SeededGenerator

    init(seed: UInt64, accumulator: AccumulatorMode, taps: Bool) throws {
      var random = SeededGenerator(seed: seed)
      var p = ProgramBuilder(
        machine: TestMachine.small(accumulator: accumulator, memory: 1 << 18), catalogue: .standard)
      let format: ElementFormat = accumulator == .bf16 ? .bf16 : .f32
      x = try p.tensor("x", .mxint8, rows: 128, columns: 256, role: .input)
      w = try p.tensor("w", .mxint8, rows: 256, columns: 192, axis: .alongRows, role: .input)
      let drains = 40
      y = try p.tensor(
        "y", format, rows: drains * Self.rows, columns: Self.columns, role: .output)
      let t = try p.tapTensor("t", format, slots: 8, rows: Self.rows, columns: Self.columns)
      let l1X = try p.buffer("l1x", in: L1.self, .mxint8, rows: 128, columns: 256)
      let l1W = try p.buffer("l1w", in: L1.self, .mxint8, rows: 256, columns: 192, axis: .alongRows)
      let left = try p.buffer("left", in: Left.self, .mxint8, slots: 2, rows: 96, columns: 64)
      let right = try p.buffer(
        "right", in: Right.self, .mxint8, slots: 2, rows: 64, columns: 192, axis: .alongRows)
      let acc = try p.buffer("acc", in: Acc.self, format, slots: 2, rows: 96, columns: 192)

      p.emit(LoadL1(l1X.tile(), from: x.tile()))
      p.emit(LoadL1(l1W.tile(), from: w.tile()))
      for slot in 0..<2 {
        p.emit(FeedLeft(left.tile(slot: slot), from: l1X.tile(rows: 96, columns: 64)))
        p.emit(FeedRight(right.tile(slot: slot), from: l1W.tile(rows: 64)))
        p.emit(
          Matmul(
            acc.tile(slot: slot), left: left.tile(slot: slot), right: right.tile(slot: slot),
            accumulate: false))
      }
      var drained = 0
      var tapped = 0
      while drained < drains {
        let slot = random.below(2)
        let row = 32 * random.below(2)
        let column = 64 * random.below(2)
        let tile = acc.tile(
          slot: slot, row: row, column: column, rows: Self.rows, columns: Self.columns)
        switch random.below(12) {
        case 0, 1:
          let from = l1X.tile(
            row: 32 * random.below(2), column: 32 * random.below(7), rows: Self.rows, columns: 64)
          p.emit(FeedLeft(left.tile(slot: slot, row: row, rows: Self.rows), from: from))
        case 2, 3:
          let from = l1W.tile(
            row: 32 * random.below(7), column: 64 * random.below(2), rows: 64,
            columns: Self.columns)
          p.emit(
            FeedRight(right.tile(slot: slot, column: column, columns: Self.columns), from: from))
        case 4:
          p.emit(
            DrainHBM(y.tile(row: drained * Self.rows, rows: Self.rows), from: tile))
          drained += 1
        case 5:
          let depth = 32
          p.emit(
            Matmul(
              tile, left: left.tile(slot: slot, rows: Self.rows, columns: depth),
              right: right.tile(slot: slot, rows: depth, columns: Self.columns),
              accumulate: true))
        default:
          let other = random.below(2)
          p.emit(
            Matmul(
              tile, left: left.tile(slot: other, row: row, rows: Self.rows),
              right: right.tile(slot: slot, column: column, columns: Self.columns),
              accumulate: random.below(5) > 0))
          if taps && tapped < 8 && random.below(6) == 0 {
            p.tap(tile, tensor: t, slot: tapped)
            tapped += 1
          }
        }
      }
      program = p.build()
      self.random = random
    }

    /// What executing gives, with inputs of any bits.
    ///
    /// - Parameter scales: the scale bytes of the inputs.
    mutating func inputs(scales: ClosedRange<UInt8>, nans: Bool) -> [MXBytes] {
      [x, w].map { tensor in
        let buffer = program.buffers[Int(tensor.id)]
        let payload = (0..<buffer.payloadExtent).map { _ in UInt8(truncatingIfNeeded: random.next())
        }
        let bytes = (0..<buffer.scaleExtent).map { _ in
          nans && random.below(500) == 0 ? 0xFF : UInt8.random(in: scales, using: &random)
        }
        return MXBytes(payload: payload, scales: bytes)
      }
    }

    func run(_ inputs: [MXBytes], isShared: Bool) throws -> Outcome {
      let state = MachineState(program)
      for (tensor, bytes) in zip([x, w], inputs) {
        try state.fill(tensor.id, bytes: bytes.payload, scales: bytes.scales)
      }
      let result = try FunctionalEngine.run(
        program, state: state, options: .init(runsCoresConcurrently: isShared))
      return Outcome(
        words: state.readTensor(y.id).payload, taps: result.taps.map(\.payload),
        numerics: result.numerics)
    }
  }

  private struct MXBytes {
    let payload: [UInt8]
    let scales: [UInt8]
  }

  private struct Outcome: Equatable {
    let words: [UInt8]
    let taps: [[UInt8]]
    let numerics: NumericReport
  }

  @Test(arguments: [AccumulatorMode.bf16, .fp32])
  func `two threads give the words, taps and counts of one, for any order of micro-ops`(
    accumulator: AccumulatorMode
  ) throws {
    try Fuzzing.run("shared products", full: 120) { seed, _ in
      var random = try Case(seed: seed, accumulator: accumulator, taps: seed % 2 == 0)
      #expect(random.program.defects.isEmpty, "seed \(seed)")
      let inputs = random.inputs(scales: 120...130, nans: seed % 3 == 0)
      let expected = try random.run(inputs, isShared: false)
      if seed % 3 == 0 { #expect(expected.numerics.firstNonFinite != nil, "seed \(seed)") }
      for _ in 0..<3 {
        let found = try random.run(inputs, isShared: true)
        #expect(found == expected, "seed \(seed)")
      }
    }
  }

  @Test func `a read of a byte that was never written is found while products are open`() throws {
    var p = ProgramBuilder(
      machine: TestMachine.small(memory: 1 << 18), catalogue: .standard, isExplicit: true)
    let x = try p.tensor("x", .mxint8, rows: 64, columns: 64, role: .input)
    let w = try p.tensor("w", .mxint8, rows: 64, columns: 128, axis: .alongRows, role: .input)
    let y = try p.tensor("y", .bf16, rows: 64, columns: 128, role: .output)
    let l1X = try p.buffer("l1x", in: L1.self, .mxint8, rows: 64, columns: 64)
    let l1W = try p.buffer("l1w", in: L1.self, .mxint8, rows: 64, columns: 128, axis: .alongRows)
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: 64, columns: 64)
    let right = try p.buffer(
      "right", in: Right.self, .mxint8, rows: 64, columns: 128, axis: .alongRows)
    let acc = try p.buffer("acc", in: Acc.self, .bf16, slots: 2, rows: 64, columns: 128)
    p.emit(LoadL1(l1X.tile(), from: x.tile()))
    p.emit(LoadL1(l1W.tile(), from: w.tile()))
    p.emit(FeedLeft(left.tile(), from: l1X.tile()))
    p.emit(FeedRight(right.tile(), from: l1W.tile()))
    for step in 0..<40 {
      p.emit(
        Matmul(acc.tile(), left: left.tile(), right: right.tile(), accumulate: step > 0))
    }
    p.emit(
      Matmul(acc.tile(slot: 1), left: left.tile(), right: right.tile(), accumulate: true))
    p.emit(DrainHBM(y.tile(), from: acc.tile()))
    let program = p.build()
    let state = MachineState(program)
    try state.fill(
      x.id, bytes: Array(repeating: 1, count: 64 * 64), scales: Array(repeating: 127, count: 128))
    try state.fill(
      w.id, bytes: Array(repeating: 1, count: 64 * 128), scales: Array(repeating: 127, count: 256))
    let error = #expect(throws: NPUError.self) {
      try FunctionalEngine.run(program, state: state)
    }
    #expect(
      error?.message.hasPrefix("I001 uninitialised read: core 0 micro-op 44 (matrix.matmul)")
        == true)
  }
}
