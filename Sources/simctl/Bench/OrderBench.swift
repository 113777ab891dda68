import NPUKernels
import NPUSim

/// What it takes to look for the order of programs of some thousands to half a million micro-ops.
struct OrderBench {
  let samples: Int
  let machine: MachineConfiguration

  private static let programs = [
    BenchKernel(SoftmaxV.name, ["kv": "4096"]),
    BenchKernel(FlashAttention.name, ["kv": "32768", "heads": "8", "q": "1"]),
    BenchKernel(Gemm.name, ["m": "4096", "n": "11008", "k": "8192"]),
  ]

  /// Processor time of one thread and the bytes that are held, for each micro-op as it was written.
  func measure() throws(NPUError) -> [Measurement] {
    var lines: [Measurement] = []
    for one in Self.programs {
      let kernel = try one.make(on: machine)
      let program = try kernel.sequence(IndexTensors(kernel, seed: 0))
      let count = program.opCount
      var cost: SearchCost?
      let rate = try Stopwatch.rate(amount: Double(count), samples: samples) {
        () throws(NPUError) in
        cost = try OrderSearch.run(program, threads: 1).search
      }
      func line(_ part: String, _ value: Double, _ unit: String) {
        lines.append(
          Measurement(
            name: "\(one.label), \(count) micro-ops, \(cost?.rules ?? 0) rules", part: part,
            value: value, unit: unit))
      }
      line("order", 1e6 / rate, "µs/micro-op")
      line("order memory", Double(cost?.bytes ?? 0) / Double(max(1, count)), "B/micro-op")
    }
    return lines
  }
}
