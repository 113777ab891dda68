import NPUSim

/// Runs a kernel or a text as far as a plan says: builds its program, checks it, executes its values,
/// times it, and compares.
public enum Runner {
  /// Throws `.usage`, `.tensor` or `.program` for a request that cannot be run; findings are not
  /// thrown but reported, and then there are no cycles unless hazards are allowed.
  ///
  /// `progress` hears what is being done, in words.
  public static func run(
    _ request: RunRequest, progress: ((String) -> Void)? = nil
  ) throws(NPUError) -> Run {
    let type = try Catalog.kernel(named: request.kernel)
    let arguments = try KernelArguments(
      kernel: request.kernel, options: type.options, values: request.arguments)
    return try run(
      request,
      of: try type.init(arguments, machine: request.machine, schedule: request.schedule),
      progress: progress)
  }

  /// As ``run(_:progress:)`` for a text program; the findings' sites are lines of the text.
  public static func run(
    _ request: RunRequest, text: TextKernel, progress: ((String) -> Void)? = nil
  ) throws(NPUError) -> Run {
    if request.plan >= .values { try text.requireValues() }
    var run = try run(request, of: text, progress: progress)
    run.report.parameters = text.assembly.parameters
    text.locate(&run.report)
    return run
  }

  private static func run(
    _ request: RunRequest, of kernel: any Kernel, progress: ((String) -> Void)?
  ) throws(NPUError) -> Run {
    try RunMemory.need(of: kernel, request).require(request.memoryLimit)
    let executes = request.plan >= .values
    let plan = try request.inputPlan(kernel)
    let files = executes ? RunMemory.need(of: kernel, plan, request.expect) : MemoryNeed()
    try RunMemory.need(of: kernel, request).adding(files).require(request.memoryLimit)
    var expected: ExpectationPlan?
    if let expect = request.expect {
      expected = try ExpectationPlan(kernel.tensors, with: expect, request.closeness)
    }
    progress?("building the program")
    let given = try plan?.read(indicesOnly: !executes)
    let indices = try IndexTensors(kernel, seed: request.seed, given: given)
    let inputs =
      executes
      ? SideTask { () throws(NPUError) in
        try RunInputs(kernel, seed: request.seed, given: given)
      } : nil
    let sequence = try kernel.wholeSequence(indices, on: request.machine)
    let ordered = kernel.ordered(sequence)
    let costs =
      request.plan >= .timing && ordered.writtenCycles != nil
      ? SideTask { () throws(NPUError) in try? OrderCosts(sequence, ordered) } : nil
    let program = ordered.program
    try RunMemory.need(of: kernel, program, request).adding(files).require(request.memoryLimit)
    progress?("checking \(Quantity.grouped(program.opCount)) micro-ops")
    let work = kernel.statedWork(indices)
    let check = try checked(request, kernel, program, work, progress)
    var report = report(request, kernel, indices, check, program)
    report.order = RunReport.Order(ordered)
    report.inputs = plan?.notes
    if request.minimises && !report.hasErrors {
      progress?("looking for synchronisation that can go")
      report.minimisation = try Minimisation.of(program).minimisation
    }

    let mayRun = check.isClean || (request.allowHazards && program.defects.isEmpty)
    guard request.plan >= .timing && mayRun else {
      return Run(program: program, report: report)
    }
    var tensors: RunTensors?
    var timing: SideTask<RunTiming>?
    if let inputs {
      timing = SideTask { () throws(NPUError) in try RunTiming(program, work: work) }
      progress?("making inputs")
      tensors = try execute(request, kernel, program, inputs, expected, &report, progress)
      // A wrong number is as much a finding as a race: no cycles without leave.
      guard !report.hasErrors || request.allowHazards else {
        return Run(program: program, report: report, tensors: tensors)
      }
    }
    progress?("timing")
    let timed =
      if let timing { try timing.value() } else { try RunTiming(program, work: work) }
    try timed.add(to: &report, request, kernel, program)
    report.order?.costs = try costs?.value()?.queues
    return Run(program: program, report: report, tensors: tensors)
  }

  /// The proof, with the lints of time and the tried fixes that the plan asks for.
  private static func checked(
    _ request: RunRequest, _ kernel: any Kernel, _ program: Program, _ work: CompulsoryWork?,
    _ progress: ((String) -> Void)?
  ) throws(NPUError) -> CheckResult {
    var check = Checker.check(
      program, CheckOptions(lints: request.lints), lines: kernel.sourceLines)
    if request.plan < .timing && request.lints && check.isClean {
      check.findings += try RunTiming(program, work: work).lints(program)
    }
    if request.plan >= .check && !check.findings.isEmpty {
      progress?("trying the fixes")
      check.findings = FixTrials.annotate(check.findings, of: program)
    }
    return check
  }

  private static func report(
    _ request: RunRequest, _ kernel: any Kernel, _ indices: IndexTensors, _ check: CheckResult,
    _ program: Program
  ) -> RunReport {
    var report = RunReport(
      kernel: request.kernel, shape: kernel.shape + kernel.bindings(indices),
      schedule: kernel.scheduleFields.values
        + [("lanes", .number(request.machine.vector.lanes))],
      seed: request.seed, machine: request.machine, check: check, program: program)
    report.jointTrial = JointTrial(check.findings, of: program)
    report.allowsHazards = request.allowHazards
    report.failing = request.failing
    return report
  }

  // MARK: Values

  private static func execute(
    _ request: RunRequest, _ kernel: any Kernel, _ program: Program,
    _ pending: SideTask<RunInputs>, _ expected: ExpectationPlan?, _ report: inout RunReport,
    _ progress: ((String) -> Void)?
  ) throws(NPUError) -> RunTensors {
    let units = Verifier.units(of: kernel, request.verification, seed: request.seed)
    let ahead =
      units.isEmpty
      ? nil
      : ReferenceAhead(
        kernel, units: units, inputs: pending, settings: DatapathSettings(request.machine))
    let inputs = try pending.value()
    progress?("executing \(Quantity.grouped(program.opCount)) micro-ops")
    let state = MachineState(program, lending: inputs.lent)
    try load(inputs, program, state)
    // Where cores race, only one after the other gives them one result on any number of processors.
    let result = try FunctionalEngine.run(
      program, state: state,
      options: FunctionalOptions(runsCoresConcurrently: report.check.isProved))
    let tensors = RunTensors(
      kernel.tensors, program: program, memory: FinishedMemory(state), taps: result.taps,
      inputs: inputs.values)
    report.findings += result.findings(program).map { RunReport.Described($0, in: program) }

    var numerics = RunReport.Numerics(
      totalOutputs: kernel.referenceUnits * kernel.outputsPerUnit, inputNaNs: inputs.nans,
      inputInfinities: inputs.infinities, health: result.numerics.health)
    if let ahead {
      progress?("comparing with the reference")
      let compared = Verifier(kernel, tensors).verify(try ahead.evaluated(), units: units)
      numerics.take(compared)
      numerics.errorNote = kernel.errorNote
      let writer = WriterIndex(program)
      if let first = compared.first {
        report.findings.append(
          RunReport.Described(mismatch(first, compared, kernel, writer), in: program))
      }
      report.findings += ErrorFindings.findings(numerics.tensors).map {
        RunReport.Described($0, in: program)
      }
    }
    report.numerics = numerics
    if let expected {
      progress?("comparing with the expected tensors")
      let compared = try ExpectationCheck(expected, program).compare(tensors)
      report.expectation = compared.expectation
      report.findings += compared.findings.map { RunReport.Described($0, in: program) }
    }
    if request.jitterRuns > 0 {
      progress?("executing in the order of randomised timings")
      report.jitter = try JitterCheck.run(
        program, inputs: inputs, expected: state, runs: request.jitterRuns,
        percent: request.jitterPercent, seed: request.seed)
      report.findings += report.jitter?.findings(program) ?? []
    }
    return tensors
  }

  /// Copies the inputs to the HBM tensors of their names, where they are not read in place.
  static func load(_ inputs: RunInputs, _ program: Program, _ state: MachineState)
    throws(NPUError)
  {
    for (index, buffer) in program.buffers.enumerated() where buffer.space == .hbm {
      guard !state.isLent(UInt32(index)), let value = inputs.values[buffer.name] else { continue }
      let payload = value.payload
      let scales = value.scales
      let outcome: Result<Void, NPUError> = payload.withUnsafeBytes { bytes in
        do throws(NPUError) {
          try state.writeTensor(UInt32(index), payload: bytes, scales: scales)
          return .success(())
        } catch {
          return .failure(error)
        }
      }
      try outcome.get()
    }
  }

  /// What is said of a word that differs from the reference.
  static func mismatch(
    _ first: Verifier.Mismatch, _ result: Verifier.Result, _ kernel: any Kernel,
    _ writer: WriterIndex
  ) -> Finding {
    let shape = kernel.tensors.first { $0.name == first.tensor }?.shape ?? []
    let place = shape.isEmpty ? "\(first.element)" : ExpectationCheck.index(first.element, shape)
    let site = writer.writer(of: first.tensor, element: first.element)
    return Finding(
      .N004,
      "\(Quantity.grouped(result.mismatches)) words differ from the reference; the first is "
        + "\(first.tensor) at \(place): found 0x\(String(first.found, radix: 16)), needed "
        + "0x\(String(first.needed, radix: 16))",
      sites: site.map { [$0] } ?? [],
      fix: "compare the micro-op's operands with the algorithm, step by step with --dump")
  }
}

extension RunReport.Jitter {
  /// That a timing changed a word, where one did.
  fileprivate func findings(_ program: Program) -> [RunReport.Described] {
    guard changed > 0 else { return [] }
    let finding = Finding(
      .N004, "\(changed) of \(runs) randomised timings changed a word", manifests: true,
      fix: "order the micro-ops that the findings above name")
    return [RunReport.Described(finding, in: program)]
  }
}

extension RunReport.Numerics {
  mutating func take(_ result: Verifier.Result) {
    isBitExact = result.mismatches == 0
    checkedOutputs = result.checkedOutputs
    words = result.words
    mismatches = result.mismatches
    tensors = result.errors.errors
    reachedOutputs = result.reached
    tiedRows = result.ties > 0 ? result.ties : nil
  }
}
