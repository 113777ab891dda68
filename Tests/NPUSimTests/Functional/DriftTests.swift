import NPUSim
import Testing

/// Equal blocks in a chain: the sum is exact up to 256 of them, where one more is a tie that rounds
/// back. 8 lost blocks of 256 are 1/32, the tolerance; 9 are more.
@Suite struct DriftTests {
  /// The findings of a product of one element over `blocks` blocks with the values ±1, cut into
  /// matmuls of `piece` blocks, which are the last micro-ops of the program.
  private static func findings(
    blocks: Int, piece: Int? = nil, accumulator: AccumulatorMode = .bf16,
    sign: (Int) -> Int8 = { _ in 1 }
  ) throws -> [Finding] {
    let k = 32 * blocks
    var p = ProgramBuilder(
      machine: TestMachine.small(accumulator: accumulator, memory: 1 << 18), catalogue: .standard)
    let x = try p.tensor("x", .mxint8, rows: 1, columns: k, role: .input)
    let w = try p.tensor("w", .mxint8, rows: k, columns: 1, axis: .alongRows, role: .input)
    let l1X = try p.buffer("l1x", in: L1.self, .mxint8, rows: 1, columns: k)
    let l1W = try p.buffer("l1w", in: L1.self, .mxint8, rows: k, columns: 1, axis: .alongRows)
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: 1, columns: k)
    let right = try p.buffer(
      "right", in: Right.self, .mxint8, rows: k, columns: 1, axis: .alongRows)
    let acc = try p.buffer(
      "acc", in: Acc.self, accumulator == .bf16 ? .bf16 : .f32, rows: 1, columns: 1)
    p.emit(LoadL1(l1X.tile(), from: x.tile()))
    p.emit(LoadL1(l1W.tile(), from: w.tile()))
    p.emit(CoreBarrier())
    p.emit(FeedLeft(left.tile(), from: l1X.tile()))
    p.emit(FeedRight(right.tile(), from: l1W.tile()))
    p.emit(CoreBarrier())
    let piece = 32 * (piece ?? blocks)
    var start = 0
    while start < k {
      let count = min(piece, k - start)
      p.emit(
        Matmul(
          acc.tile(), left: left.tile(column: start, columns: count),
          right: right.tile(row: start, rows: count), accumulate: start > 0))
      start += count
    }
    let program = p.build()
    let state = MachineState(program)
    // A payload of 64 at a scale of 2^0 (byte 127) is 1, and a block of such products 32.
    let signs = (0..<k).map { UInt8(bitPattern: sign($0 / 32) * 64) }
    let scales = [UInt8](repeating: 127, count: blocks)
    try state.fill(x.id, bytes: signs, scales: scales)
    try state.fill(w.id, bytes: [UInt8](repeating: 64, count: k), scales: scales)
    let result = try FunctionalEngine.run(program, state: state)
    return result.findings(program)
  }

  @Test func `a chain of equal products drifts from 265 blocks on`() throws {
    #expect(try Self.findings(blocks: 264).isEmpty)
    let found = try Self.findings(blocks: 265)
    #expect(found.map(\.code) == [.N003])
    #expect(found.first?.severity == .warning)
    #expect(found.first?.sites == [.init(core: 0, op: 6)])
    #expect(found.first?.message.contains("3.5 % of the accumulator") == true)
  }

  @Test(arguments: [1, 7, 100, 264])
  func `a chain that goes on in another matmul is one chain`(_ piece: Int) throws {
    #expect(try Self.findings(blocks: 264, piece: piece).isEmpty)
    let found = try Self.findings(blocks: 265, piece: piece)
    #expect(found.map(\.code) == [.N003])
    #expect(found.first?.sites == [.init(core: 0, op: 6 + 264 / piece)])
  }

  @Test func `a chain is reported once`() throws {
    let found = try Self.findings(blocks: 400, piece: 10)
    #expect(found.map(\.code) == [.N003])
    #expect(found.first?.message.hasPrefix("1 of the chains") == true)
  }

  @Test func `an FP32 accumulator does not drift`() throws {
    #expect(try Self.findings(blocks: 400, accumulator: .fp32).isEmpty)
  }

  @Test func `signs that alternate do not drift`() throws {
    #expect(try Self.findings(blocks: 400) { $0 % 2 == 0 ? 1 : -1 }.isEmpty)
  }

  @Test func `a sum that goes up and down where it stalls does not drift`() throws {
    // 256 + 1 is lost once; 256 − 1 is no tie, as the words below 256 are closer.
    #expect(try Self.findings(blocks: 300) { $0 < 256 || $0 % 2 == 0 ? 1 : -1 }.isEmpty)
  }
}
