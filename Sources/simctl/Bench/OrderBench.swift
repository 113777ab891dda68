import NPUKernels
import NPUSim

/// What it takes to look for the order of programs of some ten thousand, a hundred thousand and a
/// million micro-ops.
struct OrderBench {
  let samples: Int
  let machine: MachineConfiguration

  private static let programs: [(kernel: String, options: [String: String])] = [
    (SoftmaxV.name, ["kv": "4096"]),
    (FlashAttention.name, ["kv": "32768", "heads": "8", "q": "1"]),
    (Gemm.name, ["m": "4096", "n": "11008", "k": "8192"]),
  ]

  /// Processor time of one thread and the bytes that are held, for each micro-op as it was written.
  func measure() throws(NPUError) -> [Measurement] {
    var lines: [Measurement] = []
    for (name, options) in Self.programs {
      let type = try Catalog.kernel(named: name)
      let arguments = try KernelArguments(kernel: name, options: type.options, values: options)
      let kernel = try type.init(arguments, machine: machine, schedule: nil)
      let program = try kernel.sequence(IndexTensors(kernel, seed: 0))
      let count = (0..<program.coreCount).reduce(0) { $0 + program.records(ofCore: $1).count }
      let label = options.sorted { $0.key < $1.key }
        .reduce(name) { "\($0) --\($1.key) \($1.value)" }
      var cost: SearchCost?
      let rate = try Stopwatch.rate(amount: Double(count), samples: samples) {
        () throws(NPUError) in
        cost = try OrderSearch.run(program, threads: 1).search
      }
      func line(_ part: String, _ value: Double, _ unit: String) {
        lines.append(
          Measurement(
            name: "\(label), \(count) micro-ops, \(cost?.rules ?? 0) rules", part: part,
            value: value, unit: unit))
      }
      line("order", 1e6 / rate, "µs/micro-op")
      line("order memory", Double(cost?.bytes ?? 0) / Double(max(1, count)), "B/micro-op")
    }
    return lines
  }
}
