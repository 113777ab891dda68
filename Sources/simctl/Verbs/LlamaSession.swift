import NPUKernels
import NPUSim

/// One invocation of `simctl llama`: a model, the tokens before, the prompt and what follows it.
struct LlamaSession {
  private(set) var run: LlamaRun
  private(set) var report: LlamaReport
  private let checkpoint: Checkpoint?
  private let cache: TensorArchive?
  private let seed: UInt64
  private let steps: Int
  private let isTimed: Bool
  private let expect: TensorSource?
  private let closeness: Closeness

  /// - Throws: for flags that make no sense together, and for files that cannot be used.
  init(_ arguments: ParsedArguments) throws(NPUError) {
    isTimed = arguments.has("no-values")
    let checkpoint = try LlamaFlags.checkpoint(arguments)
    let model = if let checkpoint { checkpoint.model } else { try LlamaFlags.model(arguments) }
    let cache = try LlamaFlags.cache(arguments)
    steps = try LlamaFlags.positions("steps", arguments, otherwise: 1)
    let before =
      if let cache { cache.tokens } else {
        try LlamaFlags.positions("context", arguments, otherwise: 0)
      }
    let prompt = try LlamaFlags.prompt(arguments, model, before: before)
    var request = try RunFlags.request(named: "llama", arguments, compares: true)
    if checkpoint != nil, arguments.has("seed"), !arguments.has("page") {
      throw NPUError(
        .usage, "--seed means nothing with --weights: the weights are the checkpoint's",
        hint: "drop it; with --page it orders the pages")
    }
    if arguments.value("verify") == nil { request.verification = .standard }
    let context = before + prompt.count + steps
    let options = try LlamaFlags.options(arguments, checkpoint, context: max(1, context))
    let isTied = checkpoint?.configuration.isTied ?? false
    run = try LlamaRun(
      LlamaRun.Request(
        model, isTied: isTied, options, on: request.machine,
        Launcher.Plan(
          isTimed ? .timing : .values, verification: request.verification,
          memoryLimit: request.memoryLimit),
        context: max(1, context), rows: max(1, prompt.count)))
    if cache == nil { run.skip(before) }
    run.isRecording = arguments.has("dump")
    report = LlamaReport(model, on: request.machine, options, prompt: prompt)
    report.before = before
    report.verification = isTimed ? nil : request.verification
    if arguments.has("walk") {
      report.walk = LlamaWalk.lines(
        model, options, tokens: prompt.isEmpty ? [0] : prompt, from: before, isTied: isTied)
    }
    self.checkpoint = checkpoint
    self.cache = cache?.archive
    seed = request.seed
    expect = try RunFlags.source("expect", arguments)
    closeness = request.closeness
  }

  /// Reads weights and caches.
  mutating func load(_ progress: (String) -> Void) throws(NPUError) {
    guard !isTimed else { return }
    progress("reading weights")
    if let checkpoint { try run.load(checkpoint) } else { try run.load(seed: seed) }
    guard let cache else { return }
    progress("reading the caches")
    try run.restore(cache)
    if report.prompt.isEmpty && run.next == nil && steps > 0 {
      throw NPUError(
        .usage, "the caches say no token to go on with", hint: "give it with --tokens")
    }
  }

  /// Runs the prompt, then a token at a time.
  mutating func generate(_ progress: (String) -> Void) throws(NPUError) {
    let prompt = report.prompt
    // The first token comes with the prompt.
    let left = max(0, prompt.isEmpty ? steps : steps - 1)
    if let expect {
      let passes = (prompt.isEmpty ? [] : [prompt.count]) + [Int](repeating: 1, count: left)
      try run.expect(expect, closeness, passes: passes)
    }
    if !prompt.isEmpty {
      progress("prompt")
      let (pass, answer) = try run.run(prompt)
      report.prefill = pass
      if steps > 0, let answer { report.add(answer) }
    }
    for step in 0..<left {
      progress("token \(step + 1) of \(left)")
      let (pass, answer) = try run.run([run.next ?? 0])
      report.steps.append(pass)
      if let answer { report.add(answer) }
    }
    report.programs = run.programCount
    report.comparison = try run.comparison()
  }
}
