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
    var tally = ErrorTally(kernel.tensors)
    for row in stride(from: 0, to: kernel.referenceUnits, by: max(1, kernel.referenceUnits / 24)) {
      ReferenceErrors.take(reference.evaluate(unit: row), kernel, .own, &tally)
    }
    let out = try #require(tally.errors.first { $0.name == "out" })
    #expect(out.beyondBound == 0)
    return (try #require(out.maximum), try #require(out.rmsError))
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
