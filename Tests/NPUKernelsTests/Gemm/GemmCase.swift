import NPUKernels
import NPUSim

/// A product as tests name it, run through the flags that users type.
struct GemmCase: Sendable, Hashable, CustomStringConvertible {
  var kernel = "gemm"
  var m: Int
  var n: Int
  var k: Int
  var operands = "mxint8"
  var output = "bf16"
  var accumulator = AccumulatorMode.bf16

  init(_ m: Int, _ n: Int, _ k: Int) {
    self.m = m
    self.n = n
    self.k = k
  }

  var description: String {
    "\(kernel) \(m) × \(n) × \(k) \(operands) to \(output), \(accumulator.rawValue) accumulators"
  }

  /// The flags of the kernel.
  var arguments: [String: String] {
    var values = ["operands": operands, "output": output]
    switch kernel {
    case "dot_product": values["n"] = "\(k)"
    case "gevm": values.merge(["n": "\(n)", "k": "\(k)"]) { $1 }
    default: values.merge(["m": "\(m)", "n": "\(n)", "k": "\(k)"]) { $1 }
    }
    return values
  }

  /// A preset with the accumulators of the case.
  func machine(_ name: String, cores: Int? = nil) throws(NPUError) -> MachineConfiguration {
    var machine = try Presets.named(name).configuration
    machine.matrix.accumulator = accumulator
    if let cores { machine.cores = cores }
    return machine
  }

  /// A full run with lints, and full verification unless it is stated.
  func run(
    on machine: MachineConfiguration, schedule: String? = nil, seed: UInt64 = 0,
    inputs: TensorSet? = nil, verification: RunRequest.Verification = .full
  ) throws(NPUError) -> Run {
    try KernelRun.run(
      kernel, arguments, on: machine, schedule: schedule, seed: seed, inputs: inputs,
      verification: verification)
  }

  /// A run, or `nil` where the schedule does not fit the machine and may miss it.
  func runIfItFits(
    on machine: MachineConfiguration, schedule: String?, seed: UInt64, mayMiss: Bool,
    verification: RunRequest.Verification
  ) throws(NPUError) -> Run? {
    do throws(NPUError) {
      return try run(
        on: machine, schedule: schedule, seed: seed, verification: verification)
    } catch {
      if mayMiss && error.category == .program { return nil }
      throw error
    }
  }
}
