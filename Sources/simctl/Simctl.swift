import NPUSim

/// The command: finds the verb, runs it, and reports what went wrong.
enum Simctl {
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
      console.error(Overview.text(Verbs.all))
      return .usage
    }
    switch first {
    case "--help", "-h":
      console.out(Overview.text(Verbs.all))
      return .clean
    case "--version":
      console.line("simctl \(Version.text)")
      return .clean
    default: break
    }
    let verb = try Verbs.named(first)
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
