import NPUKernels
import NPUSim
import Testing

/// Built-in schedules on machines that get better part by part.
@Suite struct LadderTests {
  static let seed: UInt64 = 124

  static let shapes: [KernelCase] = [
    KernelCase("softmax_v", ["kv": "128"]),
    KernelCase("softmax_v", ["kv": "1000", "stable": "true", "heads": "8", "kv-heads": "2"]),
    KernelCase("softmax_v", ["kv": "129", "heads": "4", "kv-heads": "2"]),
    KernelCase("gemm", ["m": "64", "n": "64", "k": "64"]),
    KernelCase("gemm", ["m": "128", "n": "128", "k": "128"]),
    KernelCase("gemm", ["m": "256", "n": "256", "k": "256"]),
    KernelCase("gemm", ["m": "333", "n": "177", "k": "500"]),
    KernelCase("gemm", ["m": "16", "n": "512", "k": "512"]),
    KernelCase("gemm", ["m": "128", "n": "128", "k": "128", "operands": "bf16"]),
    KernelCase("gemm", ["m": "256", "n": "256", "k": "256", "operands": "bf16"]),
    KernelCase("gevm", ["k": "512", "n": "1024"]), KernelCase("dot_product"),
    KernelCase("flash_attention", ["q": "128", "kv": "128"]),
    KernelCase("flash_attention", ["q": "1", "kv": "512", "heads": "8", "kv-format": "e4m3fn"]),
    KernelCase("swiglu", ["hidden": "512", "ffn": "1024"]),
    KernelCase("swiglu", ["tokens": "16", "hidden": "512", "ffn": "512"]),
    KernelCase("softmax", ["rows": "100"]), KernelCase("rms_norm"),
    KernelCase("rope", ["positions": "128"]), KernelCase("residual_add"),
    KernelCase("cache_store"),
  ]

  /// Choices are made among few schedules that are timed: now and then a better machine leads away from
  /// the best ones.
  @Test(arguments: ["edge", "ascend-910b-like"])
  func `a better part makes hardly any default slower`(name: String) throws {
    let machine = try Presets.named(name).configuration
    var random = SeededGenerator(seed: Self.seed)
    var steps = 0
    var lost: [String] = []
    for one in Self.shapes {
      for part in BetterPart.allCases where random.below(TestScale.isFull ? 3 : 10) == 0 {
        var before: Int64?
        for version in part.versions(of: machine) {
          guard let cycles = try Self.cycles(one, on: version) else { continue }
          if let before {
            steps += 1
            let text = "\(one) on \(name), \(part): \(before) to \(cycles) cycles"
            // Found: swiglu of 16 tokens takes 22 % more with twice the event IDs.
            #expect(4 * cycles <= 5 * before, "\(text), seed \(Self.seed)")
            if 100 * cycles > 101 * before { lost.append(text) }
          }
          before = cycles
        }
      }
    }
    #expect(steps >= (TestScale.isFull ? 200 : 40))
    #expect(lost.count <= max(1, steps / 50), "\(lost) of \(steps) steps, seed \(Self.seed)")
  }

  /// Cycles of the default; `nil` where nothing fits.
  private static func cycles(
    _ one: KernelCase, on machine: MachineConfiguration
  ) throws(NPUError) -> Int64? {
    let kernel: any Kernel
    do throws(NPUError) {
      kernel = try one.make(on: machine)
    } catch {
      if error.category == .program { return nil }
      throw error
    }
    return try kernel.wholeProgram(IndexTensors(kernel, seed: 0), on: machine).cycles
  }
}
