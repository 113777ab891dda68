import NPUSim

/// `simctl completion`: scripts that complete verbs, kernels, flags and their values.
enum CompletionVerb: Verb {
  static let shells = ["bash", "zsh", "fish"]

  static let description = VerbDescription(
    name: "completion", summary: "shell completions",
    examples: [
      .init("source <(simctl completion bash)", "in ~/.bashrc"),
      .init("source <(simctl completion zsh)", "in ~/.zshrc, after compinit"),
      .init("simctl completion fish > ~/.config/fish/completions/simctl.fish", ""),
    ],
    usage: ["completion bash|zsh|fish"], words: shells, maximumWords: 1)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    let word = arguments.words.first ?? ""
    let table = try CompletionTable(Verbs.all)
    switch word {
    case "bash": console.out(BashCompletion.script(table))
    case "zsh": console.out(ZshCompletion.script(table))
    case "fish": console.out(FishCompletion.script(table))
    case "":
      throw NPUError(
        .usage, "simctl completion needs a shell", hint: "write bash, zsh or fish after it")
    default:
      throw NPUError(
        .usage, "there are no completions for '\(word)'",
        hint: DidYouMean.hint(for: word, among: shells))
    }
    return .clean
  }
}
