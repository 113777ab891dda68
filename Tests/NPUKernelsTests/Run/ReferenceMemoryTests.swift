import NPUKernels
import NPUSim
import Testing

/// What a run asks for before it takes any memory: the tensors once, and little besides.
@Suite struct ReferenceMemoryTests {
  /// The bytes that a run asks for; it is refused before it makes anything.
  private func need(
    _ kernel: String, _ arguments: [String: String],
    _ verification: RunRequest.Verification = .standard
  ) throws -> Int {
    var request = RunRequest(kernel: kernel, machine: try Presets.named("edge").configuration)
    request.arguments = arguments
    request.verification = verification
    request.memoryLimit = MemoryLimit(bytes: 1)
    var message = ""
    do throws(NPUError) {
      _ = try Runner.run(request)
    } catch {
      #expect(error.category == .limit)
      message = error.message
    }
    return try #require(message.split { !$0.isNumber }.first.flatMap { Int($0) })
  }

  /// Keys and queries of a cache as long as models have them.
  @Test(arguments: [
    KernelCase("softmax_v", ["kv": "131072"]),
    KernelCase("softmax_v", ["kv": "262144", "heads": "16"]),
    KernelCase("flash_attention", ["q": "1", "kv": "131072", "heads": "32", "kv-heads": "8"]),
    KernelCase(
      "flash_attention",
      ["q": "1", "kv": "131072", "heads": "32", "kv-heads": "8", "kv-format": "e4m3fn"]),
    KernelCase(
      "flash_attention",
      ["q": "1", "kv": "131072", "heads": "32", "kv-heads": "8", "kv-format": "mxint8"]),
    KernelCase("flash_attention", ["q": "4096", "kv": "4096", "heads": "32", "causal": "true"]),
    KernelCase("swiglu", ["tokens": "64"]),
  ])
  func `values take at most 1_2 times the bytes of the tensors and 100 MB`(shape: KernelCase) throws
  {
    let kernel = try shape.make(on: Presets.named("edge").configuration)
    let tensors = kernel.tensors.reduce(0) { sum, spec in
      // A byte and a 32nd for its scale, or the bytes of an element.
      sum + spec.elements * spec.format.bytes + (spec.format == .mxint8 ? spec.elements / 32 : 0)
    }
    let need = try need(shape.kernel, shape.arguments)
    #expect(need >= tensors)
    #expect(need <= tensors + tensors / 5 + 100_000_000, "\(shape): \(need) for \(tensors)")
  }

  @Test func `what is not compared takes no reference`() throws {
    let flags = ["m": "64", "n": "4096", "k": "4096", "operands": "bf16"]
    let weights = 4096 * 4096
    let full = try need("gemm", flags)
    let none = try need("gemm", flags, .none)
    // FP32 values and payloads of the right operand, which it did not come as.
    #expect(full - none >= 5 * weights && full - none <= 8 * weights)
    #expect(none <= 2 * weights + 40_000_000)
  }
}
