import NPUSim

/// The schedule checker over one program of a request: nothing is executed.
public struct ScheduleCheck: Sendable {
  public let program: Program
  /// What was found, with the lints that the request asks for.
  public private(set) var result: CheckResult
  private let kernel: any Kernel
  private let request: RunRequest
  private let plan: InputPlan?
  private let indices: IndexTensors

  /// Builds the program of a kernel and judges it. `progress` hears what is being done, in words.
  ///
  /// - Parameter plan: where index tensors come from; from the request's seed without it.
  /// - Throws: what the kernel throws for its program, `.limit` where checking it would take more memory
  ///   than the request allows, and `.program` where its lints find no timing.
  public init(
    of kernel: any Kernel, _ request: RunRequest, plan: InputPlan? = nil,
    progress: ((String) -> Void)? = nil
  ) throws(NPUError) {
    self.kernel = kernel
    self.request = request
    self.plan = plan
    progress?("building the program")
    indices = try IndexTensors(kernel, seed: request.seed, plan: plan)
    program = try kernel.wholeProgram(indices, on: request.machine)
    try RunMemory.need(toCheck: program).require(request.memoryLimit)
    progress?("checking \(Quantity.grouped(program.opCount)) micro-ops")
    result = Checker.check(
      program, CheckOptions(lints: request.lints), lines: kernel.sourceLines)
    if request.lints && result.isClean {
      result.findings += try TimedLints.findings(
        program, timing: TimingEngine.run(program),
        bounds: Bounds.of(program, compulsory: kernel.statedWork(indices)))
    }
  }

  /// Whether a finding has a severity that makes the verdict `findings`.
  public var isFailing: Bool {
    result.findings.contains { request.failing.contains($0.severity) }
  }

  /// The report, with the fixes tried.
  public func report() -> RunReport {
    var tried = result
    tried.findings = FixTrials.annotate(result.findings, of: program)
    var report = RunReport(
      kernel: request.kernel, shape: kernel.shape + kernel.bindings(indices),
      schedule: kernel.scheduleFields.values + [("lanes", request.machine.vector.lanes)],
      seed: request.seed, machine: request.machine,
      check: tried, program: program)
    report.inputs = plan?.notes
    report.failing = request.failing
    if let text = kernel as? TextKernel {
      report.parameters = text.assembly.parameters
      text.locate(&report)
    }
    return report
  }
}
