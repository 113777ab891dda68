import NPUKernels
import NPUSim

/// An attention as tests name it, run through the flags that users type.
struct FlashCase: Sendable, Hashable, CustomStringConvertible {
  var queries: Int
  var kv: Int
  var heads = 1
  var kvHeads: Int?
  var headDim = 128
  var batch = 1
  var isCausal = false
  var window: Int?
  var format = "bf16"
  var splits = 1
  var page: Int?
  var rung: String?
  var accumulator = AccumulatorMode.bf16

  init(_ queries: Int, _ kv: Int, heads: Int = 1, kvHeads: Int? = nil, d headDim: Int = 128) {
    self.queries = queries
    self.kv = kv
    self.heads = heads
    self.kvHeads = kvHeads
    self.headDim = headDim
  }

  var description: String {
    let flags = arguments.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return flags.joined(separator: " ") + ", \(accumulator.rawValue) accumulators"
  }

  /// The flags of the kernel.
  var arguments: [String: String] {
    var values = [
      "q": "\(queries)", "kv": "\(kv)", "heads": "\(heads)", "head-dim": "\(headDim)",
      "batch": "\(batch)", "kv-format": format, "splits": "\(splits)",
    ]
    values["kv-heads"] = kvHeads.map { "\($0)" }
    if isCausal { values["causal"] = "true" }
    values["window"] = window.map { "\($0)" }
    values["page"] = page.map { "\($0)" }
    values["rung"] = rung
    return values
  }

  /// A preset with the accumulators of the case.
  func machine(_ name: String, cores: Int? = nil) throws(NPUError) -> MachineConfiguration {
    var machine = try Presets.named(name).configuration
    machine.matrix.accumulator = accumulator
    if let cores { machine.cores = cores }
    return machine
  }

  func kernel(
    on machine: MachineConfiguration, schedule: String? = nil
  ) throws(NPUError) -> FlashAttention {
    try FlashAttention(
      KernelArguments(
        kernel: FlashAttention.name, options: FlashAttention.options, values: arguments),
      machine: machine, schedule: schedule)
  }

  /// A run with full verification, unless it is stated.
  func run(
    on machine: MachineConfiguration, schedule: String? = nil, seed: UInt64 = 0,
    inputs: TensorSet? = nil, verification: RunRequest.Verification = .full
  ) throws(NPUError) -> Run {
    var request = RunRequest(kernel: FlashAttention.name, machine: machine)
    request.arguments = arguments
    request.schedule = schedule
    request.seed = seed
    request.inputs = inputs
    request.verification = verification
    return try Runner.run(request)
  }

  /// What is wrong with a run, one line each.
  static func faults(
    _ report: RunReport, _ verification: RunRequest.Verification = .full
  ) -> [String] {
    KernelRun.faults(report, verification)
  }
}
