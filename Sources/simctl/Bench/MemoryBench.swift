import NPUKernels
import NPUSim

/// What programs take in memory for each micro-op.
struct MemoryBench {
  private static let programs = [
    BenchKernel(Gemm.name, ["m": "2048", "n": "11008", "k": "4096"]),
    BenchKernel(CompressEpilog.name, ["tokens": "65536"]),
    BenchKernel(FlashAttention.name, ["kv": "65536", "heads": "8", "q": "1"]),
  ]

  /// The bytes of micro-ops and tables, ``Program/storageBytes``, on the default machine.
  func measure() throws(NPUError) -> [Measurement] {
    let machine = try Presets.named(Presets.defaultName).configuration
    var lines: [Measurement] = []
    for one in Self.programs {
      let program = try one.make(on: machine).program()
      lines.append(
        Measurement(
          name: "\(one.label), \(program.opCount) micro-ops", part: "program memory",
          value: Double(program.storageBytes) / Double(max(1, program.opCount)),
          unit: "B/micro-op"))
    }
    return lines
  }
}
