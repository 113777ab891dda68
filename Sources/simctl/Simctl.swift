import NPUSim

/// The command: finds the verb, runs it, and reports what went wrong.
enum Simctl {
  static let version = "0.1.0"

  /// Every verb, in the order of the help.
  static let verbs: [any Verb.Type] = [
    RunVerb.self, CheckVerb.self, ReportVerb.self, AsmVerb.self, DisasmVerb.self,
    ImportVerb.self, FmtVerb.self, ListVerb.self, ConfigVerb.self, ExplainVerb.self,
    NumericsVerb.self, BenchVerb.self, CompletionVerb.self, HelpVerb.self, DocsVerb.self,
  ]

  /// Runs a command line without its first word.
  static func run(_ arguments: [String]) -> ExitCode {
    var console = Console()
    var code: ExitCode
    do throws(NPUError) {
      code = try dispatch(arguments, &console)
      try console.finish()
    } catch {
      // What was computed before the error stays visible, above it.
      console.flush()
      console.error(rendered(error, inColour: console.errorTakesColour))
      code = ExitCode(error.category)
    }
    return code
  }

  private static func dispatch(
    _ arguments: [String], _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    // A path that is asked for and cannot be had is an error before anything is computed.
    _ = try DatapathPath.requested()
    guard let first = arguments.first else {
      console.error(Overview.text)
      return .usage
    }
    switch first {
    case "--help", "-h":
      console.out(Overview.text)
      return .clean
    case "--version":
      console.line("simctl \(version)")
      return .clean
    default: break
    }
    let verb = try verb(named: first)
    let tokens = Array(arguments.dropFirst())
    if asksForHelp(tokens) {
      console.out(try verb.help(for: tokens).text)
      return .clean
    }
    let flags = try verb.groups(for: tokens).flatMap(\.flags)
    let parser = ArgumentParser(
      command: verb.command(for: tokens), flags: flags + [Flag.help],
      maximumWords: verb.description.maximumWords)
    let parsed = try parser.parse(tokens)
    let files = verb.description.takesFiles ? parsed.words.filter(TextFile.isText) : []
    try FileUses(parsed, flags: flags, words: files).check()
    return try verb.run(parsed, &console)
  }

  /// The verb of a name.
  ///
  /// - Throws: `.usage` with the closest name when there is none.
  static func verb(named name: String) throws(NPUError) -> any Verb.Type {
    if let verb = verbs.first(where: { $0.description.name == name }) { return verb }
    let known = verbs.filter { !$0.description.isHidden }.map { $0.description.name }
    guard !name.hasPrefix("-") else {
      throw NPUError(
        .usage, "simctl has no flag \(name)", hint: "a verb comes first; see 'simctl --help'")
    }
    let near = DidYouMean.suggest(name, among: known)
    throw NPUError(
      .usage, "simctl has no verb '\(name)'",
      hint: near.map { "did you mean \($0)?" }
        ?? "the verbs are \(known.joined(separator: ", "))")
  }

  private static func asksForHelp(_ tokens: [String]) -> Bool {
    tokens.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
  }

  /// The error with the line of the file it is about, when that can be read again.
  private static func rendered(_ error: NPUError, inColour: Bool) -> String {
    var source: [UInt8]?
    if let file = error.location?.file {
      // What came through a pipe is gone.
      let bytes =
        FileReader.isStream(file) ? nil : try? FileReader.contents(of: file, limit: 1 << 26)
      // Places in a safetensors file count from its header, which eight bytes of length precede.
      source = file.hasSuffix(".safetensors") ? bytes.map { Array($0.dropFirst(8)) } : bytes
    }
    return Diagnostic.render(error, source: source, style: inColour ? .coloured : .plain)
  }
}
