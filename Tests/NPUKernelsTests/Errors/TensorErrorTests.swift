import NPUKernels
import NPUSim
import Testing

/// The errors that a run reports: for each tensor, in its own unit, and only where there are any.
@Suite struct TensorErrorTests {
  private func run(
    _ shape: KernelCase, _ inputs: TensorSet? = nil
  ) throws -> (report: RunReport, numerics: RunReport.Numerics) {
    let report = try shape.run(on: Presets.named("edge").configuration, inputs: inputs).report
    return (report, try #require(report.numerics))
  }

  @Test func `errors of tensors with different units are apart`() throws {
    let flash = try run(KernelCase("flash_attention", ["q": "4", "kv": "64"])).numerics
    #expect(flash.tensors.map(\.name) == ["out", "lse"])
    let rope = try run(KernelCase("rope", ["positions": "8", "head-dim": "16"])).numerics
    #expect(
      rope.tensors.map(\.name) == ["rope.freq_bf16", "rope.cos_bf16", "rope.sin_bf16", "out"])
    let cache = try run(KernelCase("compress_epilog", ["tokens": "4", "dim": "256"])).numerics
    #expect(cache.tensors.map(\.name) == ["cache", "scale"])
    for numerics in [flash, rope, cache] {
      let worst = try #require(numerics.worstOutput)
      for error in numerics.tensors where error.isOutput {
        #expect(try #require(error.relative) <= worst.relative ?? 0)
      }
    }
  }

  /// A word at its bound is within it; the next smaller bound is broken, and that is an error.
  @Test func `an element beyond the bound of its stage is N004, and one at the bound is not`()
    throws
  {
    let kernel = try KernelCase("residual_add", ["rows": "1", "cols": "4"])
      .make(on: Presets.named("edge").configuration)
    let format = try #require(kernel.tensors.first { $0.name == "out" }?.format)
    #expect(format == .bf16)
    var one = BF16(1).bits.littleEndian
    let words = withUnsafeBytes(of: &one) { Array($0) }
    let inputs = try KernelCase("residual_add", ["rows": "1", "cols": "4"])
      .run(on: Presets.named("edge").configuration).dump()
    var values: [String: TensorValue] = [:]
    for spec in kernel.tensors where spec.role.isGiven {
      values[spec.name] = .plain(try #require(inputs[spec.name]))
    }
    let unit = try kernel.reference(
      values, settings: DatapathSettings(Presets.named("edge").configuration)
    ).evaluate(unit: 0)
    var slice = try #require(unit.errors.first { $0.tensor == "out" })
    func findings(bound: Double) throws -> [Finding] {
      var tally = ErrorTally(kernel.tensors)
      slice.figures = Array(slice.figures.prefix(1))
      slice.figures[0].exact = 0.75
      slice.figures[0].end = 0.75
      slice.figures[0].bound = bound
      words.withUnsafeBytes { tally.take(slice, words: $0, scales: nil) }
      var both = ErrorTally(kernel.tensors)
      both.join(tally)
      return ErrorFindings.findings(both.errors).filter { $0.code == .N004 }
    }
    #expect(try findings(bound: 0.25).isEmpty)
    let broken = try findings(bound: 0.25.nextDown)
    #expect(broken.count == 1)
    #expect(
      broken.first?.message == "1 elements of out are further from the exact values of their stage "
        + "than its bound allows")
  }

  @Test func `a cache errs by what its codes decode to`() throws {
    // Decoded values have three bits of fraction: half a step of 2^-3 is at most 2^-4 of a value.
    let rounded = try run(
      KernelCase("compress_epilog", ["tokens": "4", "dim": "256", "quant-mode": "0"]))
    let cache = try #require(rounded.numerics.tensors.first)
    #expect(cache.name == "cache" && rounded.numerics.tensors.count == 1)
    #expect(try #require(cache.relative) < 0x1p-4)
    #expect(rounded.numerics.errorNote == nil)
    // The scale of a largest value near 2 is 1.14 powers of two, and values are that much too small.
    let truncated = try run(
      KernelCase(
        "compress_epilog",
        ["tokens": "4", "dim": "256", "quant-mode": "0", "no-round-scale": "true"]))
    #expect(try #require(truncated.numerics.tensors.first?.relative) > 0.1)
    #expect(truncated.report.text().contains("only the exponent is stored"))
    #expect(truncated.report.isClean)
  }

  @Test func `where no element is finite no number is given`() throws {
    var files = TensorSet()
    try files.insert(
      Tensor(
        dtype: .bf16, shape: [2, 8], storage: (0..<16).flatMap { _ in [UInt8(0xC0), 0x7F] }),
      named: "x")
    let (report, numerics) = try run(
      KernelCase("softmax", ["rows": "2", "cols": "8"]), files)
    let error = try #require(numerics.tensors.first)
    #expect(error.maximum == nil && error.rmsError == nil && error.nonFinite == 16)
    #expect(error.judgement == nil && numerics.worstOutput == nil)
    let json = try #require(report.json().members.first { $0.key == "numerics" }).value
    for key in ["max_abs_error", "max_abs_error_tensor", "rms_error"] {
      #expect(json.members.first { $0.key == key }?.value == .null, "\(key)")
    }
  }

  @Test func `an infinity that is right is no missing error`() throws {
    // The first two of four queries see none of two keys.
    let numerics = try run(
      KernelCase("flash_attention", ["q": "4", "kv": "2", "causal": "true"])
    ).numerics
    let logSum = try #require(numerics.tensors.first { $0.name == "lse" })
    #expect(logSum.nonFinite == 0 && logSum.rmsError != nil)
  }

  /// A BF16 tensor of a function of the place.
  private func tensor(_ shape: [Int], _ value: (Int) -> Float) throws -> Tensor {
    try Tensor(
      dtype: .bf16, shape: shape,
      storage: (0..<shape.reduce(1, *)).flatMap { index -> [UInt8] in
        let bits = BF16(value(index)).bits
        return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
      })
  }

  @Test(arguments: [(85, 88.5), (-103, -85), (-120, -100)] as [(Float, Float)])
  func `scores at either end of the range are clean, and say what is not finite`(
    low: Float, high: Float
  ) throws {
    var files = TensorSet()
    try files.insert(
      tensor([1, 1, 1, 64]) { low + (high - low) * Float($0) / 63 }, named: "softmaxed_v.qk_T")
    let (report, numerics) = try run(
      KernelCase("softmax_v", ["kv": "64", "heads": "1"]), files)
    #expect(report.isClean && numerics.beyondBound == 0)
    let out = try #require(numerics.tensors.first { $0.name == "softmaxed_v.out" })
    let isFinite = low == -103
    #expect((out.nonFinite == 0) == isFinite, "\(out)")
    #expect(report.findings.contains { $0.code == .N001 } != isFinite)
  }
}
