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
      .init("simctl check kernel.rec", "the record of a kernel that was compiled elsewhere"),
      .init("simctl check program.npu --param n=0..9", "for each value, until all are tried"),
      .init("simctl check gemm --shapes m=1..40 --shapes k=32,64", "for each of 80 shapes"),
      .init("simctl explain H002", "what a finding means"),
    ],
    usage: ["check KERNEL [flags]", "check FILE.npu [flags]", "check FILE.rec [flags]"],
    groups: [
      MachineFlags.group, RunFlags.schedule, SweepFlags.shapes, SweepFlags.parameters,
      RunFlags.inputs,
      FlagGroup(
        "Checks",
        RunFlags.checks.flags.filter { ["lint", "fail-on", "max-memory"].contains($0.name) } + [
          Flag("minimise", .none, "which events and barriers can go, and the cycles that gains")
        ]),
      RunFlags.report,
    ],
    notes: [
      """
      Ranges have both ends: 0..9 are ten values. At most 65,536 are tried, the last name changing
      fastest. Shapes that a kernel refuses, and values that leave no micro-op, are counted apart.
      """
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
    let values = try SweepFlags.values(arguments)
    request.source = try RunFlags.source("inputs", arguments)
    if let path = arguments.value("json") {
      try OutputFile.check(path, force: arguments.has("force"))
    }
    if let values {
      return try sweep(type, path ?? "", values, request, arguments, since: start, &console)
    }
    request.plan = .check
    request.minimises = arguments.has("minimise")
    var text: TextKernel?
    if let path {
      let (kernel, code) = try TextFile.kernel(path, arguments, &request, console)
      guard let kernel else { return code }
      text = kernel
    }
    let report = try request.run(text: text, on: console).report
    for line in report.ignoredLines { console.error(line + "\n") }
    try ReportOutput.write(report, arguments, since: start, &console)
    return ExitCode(report.verdict)
  }

  /// Tries every value: of a kernel's shape, or without one of the text's parameters.
  private static func sweep(
    _ type: (any Kernel.Type)?, _ path: String, _ values: ValueProduct, _ request: RunRequest,
    _ arguments: ParsedArguments, since start: ContinuousClock.Instant, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    var source: [UInt8]?
    let subject: ValueSweep.Subject
    if let type {
      subject = .kernel(type)
    } else {
      let (text, code) = try TextFile.text(path, request.machine, console)
      guard let text else { return code }
      source = text.source.bytes
      subject = .text(text)
    }
    let sweep = try ValueSweep(subject, values, request)
    let report = try ProgressLine.during(on: console) { progress throws(NPUError) in
      try sweep.run(progress: progress)
    }
    try ReportOutput.write(
      json: report.json(),
      page: {
        report.text(
          $0 ? .ansi : .plain, source: source, diagnostics: $0 ? .coloured : .plain)
      }, arguments, since: start, &console)
    return ExitCode(report.verdict)
  }
}
