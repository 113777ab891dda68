import NPUKernels
import NPUSim

/// `simctl llama`: runs a Llama launch by launch, from a checkpoint or from a model's shapes.
enum LlamaVerb: Verb {
  static let description = VerbDescription(
    name: "llama", summary: "run a Llama launch by launch, every word proved, every cycle counted",
    examples: [
      .init("simctl llama --weights DIR --prompt 'say hello: ' --steps 7", "a checkpoint answers"),
      .init(
        "simctl llama --model llama-3-8b --no-values --context 4096", "one token behind 4,096"),
    ],
    usage: ["llama --weights DIR|FILE [flags]", "llama --model NAME [flags]"],
    groups: [
      FlagGroup(
        "Model",
        [
          Flag(
            "weights", .input("DIR|FILE"),
            "a checkpoint: safetensors with config.json or params.json beside"),
          Flag(
            "model", .words(Model.all.map(\.name), placeholder: "NAME", open: false),
            "the shapes of a model; its weights come from the seed"),
          Flag("seed", .text("N"), "of the weights of --model", standard: "0"),
        ]),
      FlagGroup(
        "Tokens",
        [
          Flag("tokens", .text("ID,..."), "the prompt as numbers of the vocabulary"),
          Flag(
            "prompt", .text("TEXT"),
            "the prompt as text, behind the start token 0, where tokens are "
              + "bytes"),
          Flag("prompt-length", .text("N"), "a prompt of so many tokens, with --no-values"),
          Flag("steps", .text("N"), "tokens that are generated", standard: "1"),
          Flag("context", .text("N"), "tokens that the caches hold before, with --no-values"),
        ]),
      FlagGroup(
        "Run",
        [
          Flag(
            "kv-format",
            .words(
              LlamaOptions.CacheFormat.allCases.map(\.rawValue), placeholder: "FORMAT", open: false),
            "in what keys and values are kept", standard: "bf16"),
          Flag(
            RunFlags.scheduleName, .pairs([], placeholder: "FIELD=N,..."),
            "fields of attention's schedule; tile.kv is part of the words",
            standard: LlamaOptions().schedule),
          Flag("no-values", .none, "check and time only"),
        ] + RunFlags.checks.flags.filter { ["verify", "max-memory"].contains($0.name) }),
      MachineFlags.group, RunFlags.report,
    ],
    notes: [
      """
      Each launch is proved once for each shape, timed, and compared with its reference on the inputs that
      it got. The cycles of a token are the sum of its launches, as each starts idle.
      """
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    let start = ContinuousClock.now
    if let path = arguments.value("json") {
      try OutputFile.check(path, force: arguments.has("force"))
    }
    let isTimed = arguments.has("no-values")
    let machine = try MachineFlags.machine(arguments).configuration
    let checkpoint = try checkpoint(arguments)
    let model: Model
    if let checkpoint { model = checkpoint.model } else { model = try self.model(arguments) }
    let options = options(arguments, checkpoint)
    let steps = try arguments.integer("steps", minimum: 0, otherwise: 1)
    let before = try arguments.integer("context", minimum: 0, otherwise: 0)
    let prompt = try prompt(arguments, model, isTimed: isTimed, before: before)
    var request = try RunFlags.request(named: "llama", arguments)
    if arguments.value("verify") == nil { request.verification = .standard }
    var run = try LlamaRun(
      LlamaRun.Request(
        model, isTied: checkpoint?.configuration.isTied ?? false, options, on: machine,
        Launcher.Plan(
          isTimed ? .timing : .values, verification: request.verification,
          memoryLimit: request.memoryLimit),
        context: before + prompt.count + steps, rows: max(1, prompt.count)))
    run.skip(before)
    var report = LlamaReport(model, on: machine, options, prompt: prompt)
    report.verification = isTimed ? nil : request.verification
    let seed = request.seed
    try ProgressLine.during(on: console) { progress throws(NPUError) in
      if !isTimed {
        progress("reading weights")
        if let checkpoint { try run.load(checkpoint) } else { try run.load(seed: seed) }
      }
      var next = 0
      if !prompt.isEmpty {
        progress("prompt")
        let (pass, answer) = try run.run(prompt)
        report.prefill = pass
        next = answer?.token ?? 0
        if steps > 0, let answer { report.add(answer) }
      }
      // The first token comes with the prompt.
      let left = prompt.isEmpty ? steps : steps - 1
      for step in 0..<max(0, left) {
        progress("token \(step + 1) of \(left)")
        let (pass, answer) = try run.run([next])
        report.steps.append(pass)
        next = answer?.token ?? 0
        if let answer { report.add(answer) }
      }
    }
    report.programs = run.programCount
    try ReportOutput.write(
      json: report.json(), page: { _ in report.text() }, arguments, since: start, &console)
    return .clean
  }

  private static func options(
    _ arguments: ParsedArguments, _ checkpoint: Checkpoint?
  ) -> LlamaOptions {
    var options = LlamaOptions()
    options.naming = checkpoint?.configuration.naming ?? .huggingFace
    if let word = arguments.value("kv-format") {
      options.cache = LlamaOptions.CacheFormat(rawValue: word) ?? .bf16
    }
    options.schedule = arguments.value(RunFlags.scheduleName) ?? options.schedule
    return options
  }

  private static func checkpoint(_ arguments: ParsedArguments) throws(NPUError) -> Checkpoint? {
    guard let path = arguments.value("weights") else { return nil }
    if arguments.has("model") {
      throw NPUError(
        .usage, "--weights has a model of its own, found --model besides",
        hint: "drop one of the two")
    }
    return try Checkpoint(path)
  }

  private static func model(_ arguments: ParsedArguments) throws(NPUError) -> Model {
    guard let name = arguments.value("model") else {
      throw NPUError(
        .usage, "simctl llama needs a model",
        hint: "give a checkpoint with --weights, or the shapes of one with --model")
    }
    return try Model.named(name)
  }

  /// The prompt of a command line: one of its three forms, or none behind a context.
  private static func prompt(
    _ arguments: ParsedArguments, _ model: Model, isTimed: Bool, before: Int
  ) throws(NPUError) -> [Int] {
    let given = ["tokens", "prompt", "prompt-length"].filter(arguments.has)
    if given.count > 1 {
      throw NPUError(
        .usage, "--\(given[0]) and --\(given[1]) both give the prompt", hint: "drop one of the two")
    }
    for name in ["context", "prompt-length"] where arguments.has(name) && !isTimed {
      throw NPUError(
        .usage, "--\(name) has no words, so it needs --no-values",
        hint: name == "context" ? "give the tokens before with --tokens" : "give --tokens")
    }
    if let text = arguments.value("tokens") { return try tokens(text) }
    if let text = arguments.value("prompt") {
      guard model.vocabulary <= 256 else {
        throw NPUError(
          .usage, "--prompt needs tokens that are bytes, found a vocabulary of \(model.vocabulary)",
          hint: "give the numbers of the tokens with --tokens")
      }
      return [0] + text.utf8.map(Int.init)
    }
    let length = try arguments.integer(
      "prompt-length", minimum: 1, otherwise: before > 0 ? 0 : 1)
    guard isTimed || arguments.has("prompt-length") else {
      throw NPUError(
        .usage, "simctl llama needs a prompt", hint: "give one with --tokens or --prompt")
    }
    return [Int](repeating: 0, count: length)
  }

  private static func tokens(_ text: String) throws(NPUError) -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part throws(NPUError) in
      guard let token = Int(part.filter { $0 != " " }), token >= 0 else {
        throw NPUError(
          .usage, "--tokens needs whole numbers, found '\(part)'",
          hint: "for example --tokens 0,72,105")
      }
      return token
    }
  }
}
