import NPUKernels
import NPUSim
import Testing

/// A report says nothing of the host it was made on.
@Suite struct RepeatedRunTests {
  /// Kernels whose reference takes longer than their execution, and one where it is the other way
  /// round, so that more or fewer units are evaluated ahead.
  @Test(arguments: [
    ("softmax_v", ["kv": "96", "heads": "40"]), ("flash_attention", ["q": "96", "kv": "160"]),
    ("gemm", ["m": "200", "n": "70", "k": "160"]), ("rms_norm", ["rows": "70", "cols": "300"]),
  ])
  func `the same run gives the same report, digit for digit, whichever thread is faster`(
    kernel: String, arguments: [String: String]
  ) throws {
    let machine = try Presets.named("edge").configuration
    let reports = try (0..<6).map { _ in
      try KernelRun.run(kernel, arguments, on: machine).report.json()
    }
    for report in reports { #expect(report == reports[0]) }
  }
}
