import NPUKernels
import NPUSim
import Testing

/// How far attention is from FP64, beside the naive evaluation in the same formats.
@Suite struct FlashBudgetTests {
  /// Largest and root-mean-square error of `out` over some rows, by the reference.
  private static func error(
    _ one: FlashCase, rung: String, seed: UInt64
  ) throws -> (maximum: Double, rms: Double) {
    var one = one
    one.rung = rung
    let machine = try one.machine("edge")
    let kernel = try one.kernel(on: machine)
    var inputs: [String: TensorValue] = [:]
    for spec in kernel.tensors where spec.role == .input {
      inputs[spec.name] = .plain(
        try SeededInput(seed: seed, name: spec.name).tensor(shape: spec.shape))
    }
    let reference = try kernel.reference(inputs, settings: DatapathSettings(machine))
    var maximum = 0.0
    var squares = 0.0
    var count = 0
    for row in stride(from: 0, to: kernel.referenceUnits, by: max(1, kernel.referenceUnits / 24)) {
      let unit = reference.evaluate(unit: row)
      let out = try #require(unit.words.first { $0.tensor == "out" })
      let exact = try #require(unit.exact.first { $0.tensor == "out" })
      for (index, value) in exact.values.enumerated() {
        let word = UInt16(out.bytes[2 * index]) | UInt16(out.bytes[2 * index + 1]) << 8
        let difference = (Double(BF16(bits: word).float) - value).magnitude
        maximum = max(maximum, difference)
        squares += difference * difference
        count += 1
      }
    }
    return (maximum, (squares / Double(max(1, count))).squareRoot())
  }

  static let shapes = [
    FlashCase(1, 512, heads: 16), FlashCase(64, 512, d: 64), FlashCase(200, 200, d: 128),
    FlashCase(3, 2048, heads: 4, kvHeads: 1, d: 32), FlashCase(30, 1000, heads: 2, d: 96),
  ]

  @Test(arguments: shapes.indices)
  func `the online form errs at most twice as much as the naive one in the same formats`(index: Int)
    throws
  {
    for accumulator in AccumulatorMode.allCases {
      for isCausal in [false, true] {
        var one = Self.shapes[index]
        one.accumulator = accumulator
        one.isCausal = isCausal
        let seed = UInt64(100 + index)
        let online = try Self.error(one, rung: "decode", seed: seed)
        let naive = try Self.error(one, rung: "unfused", seed: seed)
        #expect(online.maximum <= 2 * naive.maximum, "\(one), seed \(seed)")
        #expect(online.rms <= 2 * naive.rms, "\(one), seed \(seed)")
        #expect(naive.rms > 0)
      }
    }
  }
}
