import NPUKernels
import NPUSim

/// The flags of `simctl llama`, and what a command line makes of them.
enum LlamaFlags {
  static let groups: [FlagGroup] = [
    FlagGroup(
      "Model",
      [
        Flag(
          "weights", .input("DIR|FILE"),
          "a checkpoint: safetensors with config.json or params.json beside"),
        Flag(
          "model", .words(Model.all.map(\.name), placeholder: "NAME", open: false),
          "the shapes of a model; its weights come from the seed"),
        Flag("seed", .text("N"), "of the weights of --model, and of the pages", standard: "0"),
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
      "Caches",
      [
        Flag(
          "kv-format",
          .words(
            LlamaOptions.CacheFormat.allCases.map(\.rawValue), placeholder: "FORMAT", open: false),
          "in what keys and values are kept", standard: "bf16"),
        Flag(
          "page", .text("P"), "keep them in pages of so many tokens",
          standard: "one after the other"),
        Flag("pages", .text("N"), "pages of the pool, shuffled", standard: "as many as are needed"),
        Flag("cache-in", .input("FILE|DIR"), "go on with the caches of another run"),
        Flag("cache-out", .output("FILE|DIR"), "write the caches, for another run to go on with"),
      ]),
    FlagGroup(
      "Run",
      [
        Flag(
          RunFlags.scheduleName, .pairs([], placeholder: "FIELD=N,..."),
          "fields of attention's schedule; tile.kv is part of the words",
          standard: LlamaOptions().schedule),
        Flag("no-values", .none, "check and time only"),
        Flag(
          "walk", .none, "print each step with its shape; attention writes scores and softmax out"),
      ] + RunFlags.checks.flags.filter { ["verify", "max-memory"].contains($0.name) }),
    FlagGroup(
      "Data",
      [Flag("dump", .output("FILE|DIR"), "write what every launch made, by its stage")]
        + RunFlags.data.flags.filter {
          ["expect", "map", "cast", "strict", "tolerance", "rtol", "ulp", "bits"].contains($0.name)
        }),
    MachineFlags.group, RunFlags.report,
  ]

  /// The checkpoint of a command line; `nil` where it names a model.
  static func checkpoint(_ arguments: ParsedArguments) throws(NPUError) -> Checkpoint? {
    guard let path = arguments.value("weights") else { return nil }
    if arguments.has("model") {
      throw NPUError(
        .usage, "--weights has a model of its own, found --model besides",
        hint: "drop one of the two")
    }
    return try Checkpoint(path)
  }

  /// The model that a command line names.
  static func model(_ arguments: ParsedArguments) throws(NPUError) -> Model {
    guard let name = arguments.value("model") else {
      throw NPUError(
        .usage, "simctl llama needs a model",
        hint: "give a checkpoint with --weights, or the shapes of one with --model")
    }
    return try Model.named(name)
  }

  /// What decides the words beside weights and tokens.
  ///
  /// - Parameter context: tokens that the caches are to hold.
  static func options(
    _ arguments: ParsedArguments, _ checkpoint: Checkpoint?, context: Int
  ) throws(NPUError) -> LlamaOptions {
    var options = LlamaOptions()
    options.naming = checkpoint?.configuration.naming ?? .huggingFace
    if let word = arguments.value("kv-format") {
      options.cache = LlamaOptions.CacheFormat(rawValue: word) ?? .bf16
    }
    options.schedule = arguments.value(RunFlags.scheduleName) ?? options.schedule
    options.isUnfused = arguments.has("walk")
    guard arguments.has("page") else {
      if arguments.has("pages") {
        throw NPUError(
          .usage, "--pages means nothing without --page", hint: "add --page, or drop it")
      }
      return options
    }
    let page = max(1, try positions("page", arguments, minimum: 1, otherwise: 1))
    let needed = (context - 1) / page + 1
    options.paging = try LlamaPaging(
      page: page, pages: positions("pages", arguments, minimum: 1, otherwise: needed),
      seed: arguments.seed("seed", otherwise: 0))
    return options
  }

  /// A number of positions: at most 2^24, as RoPE has them.
  static func positions(
    _ name: String, _ arguments: ParsedArguments, minimum: Int = 0, otherwise standard: Int
  ) throws(NPUError) -> Int {
    let most = 1 << 24
    let number = try arguments.integer(name, minimum: minimum, otherwise: standard)
    guard number <= most else {
      throw NPUError(.usage, "--\(name) needs at most \(most), found \(number)")
    }
    return number
  }

  /// The caches that a command line goes on with, and how many tokens are in them.
  static func cache(
    _ arguments: ParsedArguments
  ) throws(NPUError) -> (archive: TensorArchive, tokens: Int)? {
    for name in ["cache-in", "cache-out"] where arguments.has(name) && arguments.has("no-values") {
      throw NPUError(
        .usage, "--\(name) needs values, which --no-values leaves out", hint: "drop one of the two")
    }
    guard let path = arguments.value("cache-in") else { return nil }
    let archive =
      path == "-" ? try TensorArchive(stream: .standardInput()) : try TensorArchive(path)
    return (archive, try LlamaRun.tokens(in: archive))
  }

  /// The prompt of a command line: one of its three forms, or none behind tokens that are there.
  static func prompt(
    _ arguments: ParsedArguments, _ model: Model, before: Int
  ) throws(NPUError) -> [Int] {
    let isTimed = arguments.has("no-values")
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
      // A text that goes on with another does not start one.
      return (before > 0 ? [] : [0]) + text.utf8.map(Int.init)
    }
    if before > 0 && !isTimed { return [] }
    let length = try arguments.integer(
      "prompt-length", minimum: 1, otherwise: before > 0 ? 0 : 1)
    guard length <= max(1, model.context) else {
      throw NPUError(
        .usage,
        "--prompt-length needs at most \(model.context), the context of \(model.name), found "
          + "\(length)")
    }
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
