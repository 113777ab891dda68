import NPUKernels
import NPUSim

/// `simctl llama`: runs a Llama launch by launch, from a checkpoint or from a model's shapes.
enum LlamaVerb: Verb {
  static let description = VerbDescription(
    name: "llama", summary: "run a Llama launch by launch, every word proved, every cycle counted",
    examples: [
      .init("simctl llama --weights DIR --prompt 'say hello: ' --steps 7", "a checkpoint answers"),
      .init(
        "simctl llama --weights DIR --tokens 0,72 --dump d.safetensors", "what every launch made"),
      .init(
        "simctl llama --model llama-3-8b --no-values --context 4096", "one token behind 4,096"),
    ],
    usage: ["llama --weights DIR|FILE [flags]", "llama --model NAME [flags]"],
    groups: LlamaFlags.groups,
    notes: [
      """
      Each launch is proved once for each shape, timed, and compared with its reference on the inputs that
      it got. The cycles of a token are the sum of its launches, as each starts idle. The exit code is 1
      where a word is not what --expect has.
      """
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    let start = ContinuousClock.now
    let force = arguments.has("force")
    // A file that cannot be written should not cost a long run first.
    for name in ["json", "dump", "cache-out"] {
      guard let path = arguments.value(name) else { continue }
      if name != "json" && !path.hasSuffix(".safetensors") && !AtomicFile.writesDirectly(path) {
        continue
      }
      try OutputFile.check(path, force: force)
    }
    var session = try LlamaSession(arguments)
    try ProgressLine.during(on: console) { progress throws(NPUError) in
      try session.load(progress)
      try session.generate(progress)
    }
    let (run, report) = (session.run, session.report)
    for line in report.comparison?.ignored.lines ?? [] { console.error(line + "\n") }
    if let path = arguments.value("dump") {
      try OutputFile.write(try run.dump(), to: path, force: force, &console)
    }
    if let path = arguments.value("cache-out") {
      try OutputFile.write(try run.cache(), to: path, force: force, &console)
    }
    try ReportOutput.write(
      json: report.json(), page: { _ in report.text() }, arguments, since: start, &console)
    return ExitCode(report.verdict)
  }
}
