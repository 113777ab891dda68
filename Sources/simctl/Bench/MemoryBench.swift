import NPUKernels
import NPUSim

/// What programs take in memory for each micro-op.
struct MemoryBench {
  private static let programs: [(kernel: String, options: [String: String])] = [
    (Gemm.name, ["m": "2048", "n": "11008", "k": "4096"]),
    (CompressEpilog.name, ["tokens": "65536"]),
    (FlashAttention.name, ["kv": "65536", "heads": "8", "q": "1"]),
  ]

  /// The bytes of micro-ops and tables, ``Program/storageBytes``, on the default machine.
  func measure() throws(NPUError) -> [Measurement] {
    let machine = try Presets.named(Presets.defaultName).configuration
    var lines: [Measurement] = []
    for (name, options) in Self.programs {
      let type = try Catalog.kernel(named: name)
      let arguments = try KernelArguments(kernel: name, options: type.options, values: options)
      let program = try type.init(arguments, machine: machine, schedule: nil).program()
      let label = options.sorted { $0.key < $1.key }
        .reduce(name) { "\($0) --\($1.key) \($1.value)" }
      lines.append(
        Measurement(
          name: "\(label), \(program.opCount) micro-ops", part: "program memory",
          value: Double(program.storageBytes) / Double(max(1, program.opCount)),
          unit: "B/micro-op"))
    }
    return lines
  }
}
