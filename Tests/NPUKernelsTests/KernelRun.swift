import NPUKernels
import NPUSim

/// A kernel run through the flags that users type, with lints, and full verification unless it is
/// stated.
enum KernelRun {
  static func run(
    _ kernel: String, _ arguments: [String: String], on machine: MachineConfiguration,
    schedule: String? = nil, seed: UInt64 = 0, inputs: TensorSet? = nil,
    verification: RunRequest.Verification = .full
  ) throws(NPUError) -> Run {
    var request = RunRequest(kernel: kernel, machine: machine)
    request.arguments = arguments
    request.schedule = schedule
    request.seed = seed
    request.inputs = inputs
    request.verification = verification
    request.lints = true
    return try Runner.run(request)
  }

  /// What is wrong with a run, one line each; empty for a clean, bit-exact one inside its bounds
  /// without a redundant event. Other lint is advice. Of a run without verification, values are not
  /// judged.
  static func faults(
    _ report: RunReport, _ verification: RunRequest.Verification = .full
  ) -> [String] {
    let excused = isShortOfEvents(report.machine) ? [FindingCode.P001, .P002] : []
    var faults = report.findings
      .filter { !excused.contains($0.code) }
      .filter { $0.severity == .warning || $0.code.isSlip(as: $0.severity) }
      .map { "\($0.code): \($0.message)" }
    if verification != .none {
      guard let numerics = report.numerics else { return faults + ["no values"] }
      if numerics.isBitExact != true { faults.append("\(numerics.mismatches) words differ") }
      if numerics.checkedOutputs != numerics.totalOutputs { faults.append("not all is checked") }
      if numerics.beyondBound > 0 {
        faults.append("\(numerics.beyondBound) beyond the error bound")
      }
    }
    guard let timing = report.timing, let bounds = timing.bounds else {
      return faults + ["no cycles"]
    }
    if timing.cycles < max(bounds.roofline, bounds.criticalPath) {
      faults.append("\(timing.cycles) cycles are below roofline or critical path")
    }
    if timing.cycles > bounds.serialSum { faults.append("\(timing.cycles) cycles are too many") }
    return faults
  }

  /// A kernel from its flags.
  /// Whether event IDs run out on a machine: a barrier on all queues may then take the place of an
  /// event, and an acknowledgement may turn out needless behind later ones.
  private static func isShortOfEvents(_ machine: RunReport.Machine) -> Bool {
    guard let limit = machine.config["events"]?["per_pair"],
      let count = try? limit.requireInt("events.per_pair")
    else { return false }
    // The deepest rings of random schedules ask for more than the eight that most machines have.
    return count <= 8
  }

  static func kernel(
    _ name: String, _ arguments: [String: String], on machine: MachineConfiguration,
    schedule: String? = nil
  ) throws(NPUError) -> any Kernel {
    let type = try Catalog.kernel(named: name)
    return try type.init(
      KernelArguments(kernel: name, options: type.options, values: arguments), machine: machine,
      schedule: schedule)
  }

  /// What an error says, or `nil` where there is none.
  static func error<Result>(_ body: () throws(NPUError) -> Result) -> NPUError? {
    do throws(NPUError) {
      _ = try body()
      return nil
    } catch { return error }
  }
}
