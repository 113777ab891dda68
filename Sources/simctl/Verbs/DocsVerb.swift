import NPUSim

/// `simctl docs`: the pages of docs/ that are generated. Not listed: it serves the project itself.
enum DocsVerb: Verb {
  static let pages = ["cli", "isa", "findings", "ladders"]

  static let description = VerbDescription(
    name: "docs", summary: "print a generated page of docs/",
    examples: [.init("simctl docs cli > docs/cli.md", "after a flag has changed")],
    usage: ["docs cli|isa|findings|ladders"], words: pages, maximumWords: 1, isHidden: true)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    let word = arguments.words.first ?? ""
    switch word {
    case "cli": console.out(try CLIPage.text(Verbs.all))
    case "isa": console.out(ISAPage.text(OpCatalogue.standard))
    case "findings": console.out(FindingsPage.text())
    case "ladders": console.out(try LaddersPage.text())
    default:
      throw NPUError(
        .usage, "there is no generated page '\(word)'",
        hint: DidYouMean.hint(for: word, among: pages))
    }
    return .clean
  }
}
