import NPUSim

/// One verb of the command, such as `run`.
protocol Verb: SendableMetatype {
  /// Name, help and words.
  static var description: VerbDescription { get }

  /// The flags for a command line: those of the verb, or more where a word decides.
  static func groups(for tokens: [String]) throws(NPUError) -> [FlagGroup]

  /// The help page for a command line that asks for one.
  static func help(for tokens: [String]) throws(NPUError) -> HelpPage

  /// What messages call the command.
  static func command(for tokens: [String]) -> String

  /// Does what the verb is for.
  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode
}

extension Verb {
  static func groups(for tokens: [String]) throws(NPUError) -> [FlagGroup] { description.groups }

  static func help(for tokens: [String]) throws(NPUError) -> HelpPage { HelpPage(description) }

  static func command(for tokens: [String]) -> String { "simctl \(description.name)" }
}
