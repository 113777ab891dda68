import NPUKernels
import NPUSim
import Testing

/// The rigorous bounds of stages: nothing lies beyond them, and they say something.
@Suite struct ErrorBoundTests {
  private static let seed: UInt64 = 0xE770
  private static var count: Int {
    #if DEBUG
      TestScale.isFull ? 1_000 : 100
    #else
      TestScale.isFull ? 10_000 : 1_000
    #endif
  }

  /// Small shapes with every part of a kernel's mathematics.
  static let shapes: [KernelCase] = [
    KernelCase("gemm", ["m": "1", "n": "3", "k": "70"]),
    KernelCase("gemm", ["m": "2", "n": "2", "k": "40", "operands": "bf16"]),
    KernelCase("gevm", ["n": "4", "k": "65", "operands": "bf16", "output": "f32"]),
    KernelCase("dot_product", ["n": "100"]),
    KernelCase("softmax", ["rows": "1", "cols": "37"]),
    KernelCase("softmax", ["rows": "1", "cols": "40", "passes": "2", "exp": "base-2"]),
    KernelCase("softmax_v", ["kv": "45", "heads": "1", "head-dim": "4"]),
    KernelCase("softmax_v", ["kv": "33", "heads": "1", "head-dim": "4", "stable": "true"]),
    KernelCase("flash_attention", ["q": "2", "kv": "40", "head-dim": "8", "causal": "true"]),
    KernelCase("flash_attention", ["q": "1", "kv": "40", "head-dim": "32", "rung": "unfused"]),
    KernelCase("flash_attention", ["q": "2", "kv": "20", "head-dim": "1", "rung": "scalar"]),
    KernelCase("flash_attention", ["q": "1", "kv": "160", "head-dim": "8", "splits": "2"]),
    KernelCase("compress_epilog", ["tokens": "1", "dim": "130"]),
    KernelCase("compress_epilog", ["tokens": "1", "dim": "40", "format": "e5m2"]),
    KernelCase("compress_epilog", ["tokens": "1", "dim": "40", "quant-mode": "0"]),
    KernelCase(
      "compress_epilog",
      ["tokens": "1", "dim": "40", "quant-mode": "0", "no-round-scale": "true"]),
    KernelCase("rope", ["positions": "3", "head-dim": "8"]),
    KernelCase("rope", ["positions": "3", "head-dim": "8", "table": "fp32", "layout": "half"]),
    KernelCase("rms_norm", ["rows": "1", "cols": "50"]),
    KernelCase("rms_norm", ["rows": "1", "cols": "50", "form": "llama"]),
    KernelCase("linear", ["tokens": "1", "in": "65", "out": "4"]),
    KernelCase("linear", ["tokens": "2", "in": "40", "out": "5", "residual": "true"]),
    KernelCase(
      "linear", ["tokens": "1", "in": "33", "out": "4", "residual": "true", "output": "f32"]),
    KernelCase("swiglu", ["tokens": "1", "hidden": "40", "ffn": "34"]),
    KernelCase("embedding", ["tokens": "2", "hidden": "10", "vocab": "5"]),
    KernelCase("residual_add", ["rows": "2", "cols": "16"]),
    KernelCase("cache_store", ["rows": "2", "cols": "50"]),
    KernelCase("cache_store", ["rows": "35", "cols": "3", "along": "rows"]),
    KernelCase("argmax", ["rows": "1", "cols": "20"]),
  ]

  /// Both accumulators and both kinds of special functions.
  static func machines() throws -> [MachineConfiguration] {
    var machine = try Presets.named("edge").configuration
    return AccumulatorMode.allCases.flatMap { accumulator in
      SFUMode.allCases.map { mode in
        machine.matrix.accumulator = accumulator
        machine.sfuMode = mode
        return machine
      }
    }
  }

  @Test(arguments: shapes)
  func `no element is beyond its bound at any magnitude`(shape: KernelCase) throws {
    let machines = try Self.machines()
    let kernels = try machines.map { try shape.make(on: $0) }
    for number in 0..<Self.count {
      let choice = number % machines.count
      let seed = Self.seed + UInt64(number)
      var magnitudes = RandomMagnitudes(seed: seed)
      let inputs = try magnitudes.inputs(kernels[choice], seed: seed)
      for error in try ReferenceErrors.errors(kernels[choice], on: machines[choice], inputs)
      where error.beyondBound > 0 {
        Issue.record("\(shape), seed \(seed), \(machines[choice].sfuMode): \(error)")
        return
      }
    }
  }

  /// One row or so of each kernel's default shape: rows are alike.
  static let defaults: [KernelCase] = [
    KernelCase("gemm", ["m": "2"]), KernelCase("gemm", ["m": "2", "operands": "bf16"]),
    KernelCase("gevm", ["n": "64"]), KernelCase("gevm", ["n": "64", "operands": "bf16"]),
    KernelCase("softmax", ["rows": "1"]), KernelCase("softmax", ["rows": "1", "passes": "2"]),
    KernelCase("softmax_v", ["heads": "2"]),
    KernelCase("softmax_v", ["heads": "2", "stable": "true"]),
    KernelCase("flash_attention"), KernelCase("flash_attention", ["causal": "true"]),
    KernelCase("flash_attention", ["rung": "unfused"]),
    KernelCase("flash_attention", ["q": "1", "kv": "4096"]),
    KernelCase("compress_epilog", ["tokens": "2"]),
    KernelCase("compress_epilog", ["tokens": "2", "format": "e5m2"]),
    KernelCase("compress_epilog", ["tokens": "2", "quant-mode": "0"]),
    KernelCase("rope", ["positions": "64"]),
    KernelCase("rope", ["positions": "64", "table": "fp32"]),
    KernelCase("rms_norm", ["rows": "2"]), KernelCase("embedding", ["tokens": "2", "vocab": "40"]),
    KernelCase("swiglu", ["hidden": "1024", "ffn": "1376"]),
    KernelCase("residual_add", ["rows": "2"]), KernelCase("argmax", ["rows": "2"]),
    KernelCase("cache_store", ["rows": "2"]),
  ]

  @Test(arguments: defaults)
  func `at a default shape a bound is at most three times what its stage gives`(shape: KernelCase)
    throws
  {
    let machine = try Presets.named("edge").configuration
    let kernel = try shape.make(on: machine)
    let units = min(4, kernel.referenceUnits)
    let errors = try ReferenceErrors.errors(
      kernel, on: machine, SeededTensors.inputs(kernel, seed: 0), units: 0..<units)
    #expect(!errors.isEmpty)
    for error in errors {
      let (bound, rms) = (try #require(error.bound), try #require(error.rms))
      #expect(bound <= 3 * rms, "\(shape): \(error)")
    }
  }
}
