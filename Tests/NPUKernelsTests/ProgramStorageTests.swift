import NPUKernels
import NPUSim
import Testing

/// Programs of kernels take few bytes for a micro-op, whatever they move.
@Suite struct ProgramStorageTests {
  static let cases = [
    KernelCase("gemm", ["m": "1024", "n": "2048", "k": "1024"]),
    KernelCase("softmax_v", ["kv": "8192"]),
    KernelCase("flash_attention", ["q": "512", "kv": "1024"]),
    KernelCase("flash_attention", ["q": "1", "kv": "16384", "heads": "4"]),
    KernelCase("compress_epilog", ["tokens": "16384"]),
    KernelCase("softmax", ["rows": "512"]),
    KernelCase("embedding", ["tokens": "8192"]),
  ]

  @Test(arguments: cases)
  func `a program takes at most 64 bytes for each micro-op`(_ one: KernelCase) throws {
    let program = try one.make(on: Presets.named("edge").configuration).program()
    #expect(program.opCount > 4_000, "\(one) is too small to say anything")
    #expect(
      program.storageBytes <= 64 * program.opCount,
      "\(one): \(program.storageBytes) bytes for \(program.opCount) micro-ops")
  }
}
