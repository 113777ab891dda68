import NPUKernels
import NPUSim
import Testing

/// The expected errors: they are those that random inputs show, and what they cannot explain is said.
@Suite struct ExpectedErrorTests {
  private static let seed: UInt64 = 0xE775

  /// Shapes with a few hundred elements of each tensor.
  static let shapes: [KernelCase] = [
    KernelCase("gemm", ["m": "4", "n": "64", "k": "512"]),
    KernelCase("gemm", ["m": "4", "n": "64", "k": "512", "operands": "bf16"]),
    KernelCase("softmax", ["rows": "4", "cols": "200"]),
    KernelCase("softmax", ["rows": "4", "cols": "700", "passes": "2"]),
    KernelCase("softmax_v", ["kv": "200", "heads": "16", "head-dim": "32", "q": "8"]),
    KernelCase(
      "softmax_v", ["kv": "200", "heads": "16", "head-dim": "32", "q": "8", "stable": "true"]),
    KernelCase("flash_attention", ["q": "64", "kv": "128", "head-dim": "32"]),
    KernelCase("flash_attention", ["q": "64", "kv": "128", "head-dim": "32", "rung": "unfused"]),
    KernelCase("flash_attention", ["q": "64", "kv": "60", "head-dim": "1", "rung": "scalar"]),
    KernelCase("compress_epilog", ["tokens": "8", "dim": "256"]),
    KernelCase("compress_epilog", ["tokens": "8", "dim": "256", "format": "e5m2"]),
    KernelCase("compress_epilog", ["tokens": "8", "dim": "256", "quant-mode": "0"]),
    KernelCase("rope", ["positions": "64", "head-dim": "32", "table": "fp32"]),
    KernelCase("rms_norm", ["rows": "64", "cols": "300"]),
    KernelCase("swiglu", ["tokens": "4", "hidden": "128", "ffn": "160"]),
    KernelCase("residual_add", ["rows": "4", "cols": "200"]),
    KernelCase("cache_store", ["rows": "40", "cols": "64", "along": "rows"]),
  ]

  @Test(arguments: shapes)
  func `expected errors are those of random inputs`(shape: KernelCase) throws {
    for machine in try ErrorBoundTests.machines() {
      let kernel = try shape.make(on: machine)
      let errors = try ReferenceErrors.errors(
        kernel, on: machine, SeededTensors.inputs(kernel, seed: Self.seed))
      #expect(!errors.isEmpty)
      for error in errors {
        let (measured, expected) = (try #require(error.rmsError), try #require(error.expected))
        // A tensor of few elements, or of few steps, is not as random as one of many.
        #expect(
          measured <= 2.5 * expected && (measured >= expected / 4 || measured == 0),
          "\(shape), \(machine.matrix.accumulator), \(machine.sfuMode): \(error)")
        #expect(error.judgement == .explained, "\(shape): \(error)")
      }
    }
  }

  @Test(arguments: shapes)
  func `an output of zeros is reported`(shape: KernelCase) throws {
    let machine = try Presets.named("edge").configuration
    let kernel = try shape.make(on: machine)
    let errors = try ReferenceErrors.errors(
      kernel, on: machine, SeededTensors.inputs(kernel, seed: Self.seed), words: .zeros)
    for error in errors where error.isOutput {
      #expect(error.judgement == .unexplained, "\(shape): \(error)")
    }
  }

  /// BF16 values of a function of the place.
  private func tensor(_ shape: [Int], _ value: (Int) -> Float) throws -> Tensor {
    try Tensor(
      dtype: .bf16, shape: shape,
      storage: (0..<shape.reduce(1, *)).flatMap { index -> [UInt8] in
        let bits = BF16(value(index)).bits
        return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
      })
  }

  @Test(arguments: [(1, 1), (1.3, 1.3), (1.2, 1.4), (1.5, 1.25)] as [(Float, Float)])
  func `roundings of great depth that all go one way are reported`(first: Float, last: Float)
    throws
  {
    let depth = 14_336
    var files = TensorSet()
    for name in ["a", "b"] {
      try files.insert(
        tensor([depth]) { first + (last - first) * Float($0) / Float(depth) }, named: name)
    }
    var machine = try Presets.named("edge").configuration
    let shape = KernelCase("dot_product", ["n": "\(depth)", "operands": "bf16"])
    for (accumulator, isReported) in [(AccumulatorMode.bf16, true), (.fp32, false)] {
      machine.matrix.accumulator = accumulator
      let report = try shape.run(on: machine, inputs: files).report
      let found = report.findings.filter { $0.code == .N005 }
      #expect((found.count == 1) == isReported, "\(accumulator)")
      #expect(report.isClean, "N005 is a warning")
      guard isReported else { continue }
      let error = try #require(report.numerics?.tensors.first)
      #expect(try #require(error.relative) > 0.25)
      #expect(found[0].message.contains("output is off by"))
    }
  }

  @Test func `where roundings may move a tensor by a quarter of its values it is not judged`()
    throws
  {
    // Positions near 4096 have phases whose BF16 words are 16 radians apart.
    let machine = try Presets.named("edge").configuration
    let kernel = try KernelCase("rope", ["positions": "4096", "head-dim": "8"]).make(on: machine)
    let errors = try ReferenceErrors.errors(
      kernel, on: machine, SeededTensors.inputs(kernel, seed: 1), units: 4000..<4096)
    let cosines = try #require(errors.first { $0.name == "rope.cos_bf16" })
    #expect(cosines.judgement == .undecided, "\(cosines)")
  }
}
