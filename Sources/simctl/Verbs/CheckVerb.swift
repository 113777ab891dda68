import NPUKernels
import NPUSim

/// `simctl check`: the schedule checker alone.
enum CheckVerb: Verb {
  static let description = VerbDescription(
    name: "check", summary: "the schedule checker alone: races, deadlock, memory",
    examples: [
      .init("simctl check softmax_v --kv 4096", "prove the schedule for every timing"),
      .init("simctl check softmax_v --lint", "and look for what is wasteful"),
      .init("simctl check program.npu", "a program written as text, by its lines"),
      .init("simctl explain H002", "what a finding means"),
    ],
    usage: ["check KERNEL [flags]", "check FILE.npu [flags]"],
    groups: [
      MachineFlags.group, RunFlags.schedule, TextFile.parameters, RunFlags.inputs,
      FlagGroup(
        "Checks",
        RunFlags.checks.flags.filter { ["lint", "fail-on"].contains($0.name) } + [
          Flag("minimise", .none, "which events and barriers can go, and the cycles that gains")
        ]),
      RunFlags.report,
    ],
    words: Catalog.names, takesFiles: true, maximumWords: 1)

  static func groups(for tokens: [String]) throws(NPUError) -> [FlagGroup] {
    try KernelWord.groups(of: description, for: tokens)
  }

  static func command(for tokens: [String]) -> String {
    KernelPage.command(description, tokens)
  }

  static func help(for tokens: [String]) throws(NPUError) -> HelpPage {
    try KernelPage.page(description, tokens)
  }

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    let start = ContinuousClock.now
    let path = arguments.words.first.flatMap { TextFile.isText($0) ? $0 : nil }
    var request: RunRequest
    var type: (any Kernel.Type)?
    if let path {
      request = try RunFlags.request(named: path, arguments)
    } else {
      let named = try KernelPage.requireKernel(description, arguments)
      request = try RunFlags.request(named, arguments)
      type = named
    }
    request.source = try RunFlags.source(arguments)
    if let path = arguments.value("json") {
      try OutputFile.check(path, force: arguments.has("force"))
    }
    let isMinimised = arguments.has("minimise")
    let kernel: any Kernel
    if let type {
      kernel = try type.init(
        try KernelArguments(kernel: type.name, options: type.options, values: request.arguments),
        machine: request.machine, schedule: request.schedule)
    } else {
      let (text, code) = try TextFile.kernel(path ?? "", arguments, &request, console)
      guard let text else { return code }
      kernel = text
    }
    let ready = request
    let plan = try ready.inputPlan(kernel)
    for line in plan?.notes.ignoredLines ?? [] { console.error(line + "\n") }
    let report = try ProgressLine.during(on: console) { progress throws(NPUError) in
      progress("building the program")
      let indices = try IndexTensors(kernel, seed: ready.seed, plan: plan)
      let program = try kernel.wholeProgram(indices, on: ready.machine)
      progress("checking \(program.opCount) micro-ops")
      var check = Checker.check(
        program, CheckOptions(lints: ready.lints), lines: kernel.sourceLines)
      if ready.lints && check.isClean {
        check.findings += try TimedLints.findings(
          program, timing: TimingEngine.run(program),
          bounds: Bounds.of(program, compulsory: kernel.statedWork(indices)))
      }
      progress("trying the fixes")
      check.findings = FixTrials.annotate(check.findings, of: program)
      var report = RunReport(
        kernel: ready.kernel, shape: kernel.shape + kernel.bindings(indices),
        schedule: kernel.scheduleFields.values, seed: ready.seed, machine: ready.machine,
        check: check, program: program)
      report.inputs = plan?.notes
      report.failing = ready.failing
      if let text = kernel as? TextKernel {
        report.parameters = text.assembly.parameters
        text.locate(&report)
      }
      if isMinimised && !report.hasErrors {
        progress("looking for synchronisation that can go")
        report.minimisation = try Minimisation(program)
      }
      return report
    }
    try ReportOutput.write(report, arguments, since: start, &console)
    return ExitCode(report.verdict)
  }
}
