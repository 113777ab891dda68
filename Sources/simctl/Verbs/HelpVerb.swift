import NPUSim

/// `simctl help`: the help of a verb.
enum HelpVerb: Verb {
  static let description = VerbDescription(
    name: "help", summary: "the help of a verb, or of all",
    examples: [
      .init("simctl help run", "the same as 'simctl run --help'"),
      .init("simctl help run softmax_v", "the flags of a kernel"),
    ],
    usage: ["help [VERB] [KERNEL]"], maximumWords: 2)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    if let name = arguments.words.first {
      let verb = try Verbs.named(name)
      console.out(try verb.help(for: Array(arguments.words.dropFirst())).text)
    } else {
      console.out(Overview.text(Verbs.all))
    }
    return .clean
  }
}
