import NPUKernels
import NPUSim

/// `simctl run`: builds a kernel's program, checks it, executes it, times it, compares, reports.
enum RunVerb: Verb {
  static let description = VerbDescription(
    name: "run", summary: "build a kernel, check it, execute it, time it, compare, report",
    examples: [
      .init("simctl run softmax_v --kv 128", "one page, verdict first"),
      .init("simctl run softmax_v --kv 4096 --cores 2", "on two cores"),
      .init("simctl run softmax_v --set matrix.accumulator=fp32", "another machine"),
      .init("simctl run softmax_v --dump dump.safetensors", "every step's tensor"),
      .init("simctl run softmax_v --expect dump.safetensors", "compare with a dump"),
      .init("simctl run softmax_v --json - | jq .cycles", "for scripts"),
      .init("simctl run program.npu --param kv=256", "a program written as text"),
      .init("simctl run softmax_v --help", "the flags of a kernel"),
    ],
    usage: ["run KERNEL [flags]", "run FILE.npu [flags]", "run FILE.rec --no-values [flags]"],
    groups: [
      MachineFlags.group, RunFlags.schedule, TextFile.parameters, RunFlags.data, RunFlags.checks,
      RunFlags.report,
    ],
    notes: [
      """
      A program with findings is neither executed nor timed, and the exit code is 1. Inputs and
      expected tensors are read from standard input for -, dumps written to standard output.
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
    var request =
      if let path {
        try RunFlags.request(named: path, arguments, compares: true)
      } else {
        try RunFlags.request(
          KernelPage.requireKernel(description, arguments), arguments, compares: true)
      }
    let force = arguments.has("force")
    // A file that cannot be written should not cost a long run first.
    if let path = arguments.value("json") { try OutputFile.check(path, force: force) }
    if let path = arguments.value("dump"),
      path.hasSuffix(".safetensors") || AtomicFile.writesDirectly(path)
    {
      try OutputFile.check(path, force: force)
    }
    request.source = try RunFlags.source("inputs", arguments)
    request.expect = try RunFlags.source("expect", arguments)
    var text: TextKernel?
    if let path {
      let (kernel, code) = try TextFile.kernel(path, arguments, &request, console)
      guard let kernel else { return code }
      text = kernel
    }
    let run = try request.run(text: text, on: console)
    for line in run.report.ignoredLines { console.error(line + "\n") }
    if let path = arguments.value("dump"), run.report.numerics != nil {
      try OutputFile.write(try run.dump(), to: path, force: force, &console)
    }
    try ReportOutput.write(run.report, arguments, since: start, &console)
    return ExitCode(run.report.verdict)
  }
}
