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

  /// A full run with lints and full verification.
  func run(
    on machine: MachineConfiguration, schedule: String? = nil, seed: UInt64 = 0,
    inputs: TensorSet? = nil
  ) throws(NPUError) -> RunOutcome {
    var request = RunRequest(kernel: kernel, machine: machine)
    request.arguments = arguments
    request.schedule = schedule
    request.seed = seed
    request.inputs = inputs
    request.verification = .full
    request.lints = true
    return try Runner.run(request)
  }

  /// A run, or `nil` where the schedule does not fit the machine and may miss it.
  func runIfItFits(
    on machine: MachineConfiguration, schedule: String?, seed: UInt64, mayMiss: Bool
  ) throws(NPUError) -> RunOutcome? {
    do throws(NPUError) {
      return try run(on: machine, schedule: schedule, seed: seed)
    } catch {
      if mayMiss && error.category == .program { return nil }
      throw error
    }
  }

  /// What is wrong with a run, one line each; empty for a clean, bit-exact one inside its bounds.
  static func faults(_ report: RunReport) -> [String] {
    var faults = report.findings.map { "\($0.finding.code): \($0.finding.message)" }
    guard let numerics = report.numerics else { return faults + ["no values"] }
    if numerics.isBitExact != true { faults.append("\(numerics.mismatches) words differ") }
    if numerics.checkedOutputs != numerics.totalOutputs { faults.append("not all is checked") }
    if numerics.beyondBound > 0 { faults.append("\(numerics.beyondBound) beyond the error bound") }
    guard let timing = report.timing, let bounds = timing.bounds else {
      return faults + ["no cycles"]
    }
    if timing.cycles < max(bounds.roofline, bounds.criticalPath) {
      faults.append("\(timing.cycles) cycles are below roofline or critical path")
    }
    if timing.cycles > bounds.serialSum { faults.append("\(timing.cycles) cycles are too many") }
    return faults
  }
}
