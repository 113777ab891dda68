import NPUSim

/// `simctl explain`: what the code of a finding means, with an example and the fix.
enum ExplainVerb: Verb {
  static let description = VerbDescription(
    name: "explain", summary: "what a finding means, with an example and the fix",
    examples: [
      .init("simctl explain H002", "one code"),
      .init("simctl explain", "all codes, one line each"),
    ],
    usage: ["explain [CODE]"], words: FindingCode.allCases.map(\.rawValue), maximumWords: 1)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    guard let word = arguments.words.first else {
      var table = TextTable([.left, .left, .left])
      for code in FindingCode.allCases {
        table.row([code.rawValue, code.severity.rawValue, code.title])
      }
      console.out(table.text)
      return .clean
    }
    guard let code = FindingCode(rawValue: word.uppercased()) else {
      throw NPUError(
        .usage, "there is no finding '\(word)'",
        hint: DidYouMean.suggest(word, among: FindingCode.allCases.map(\.rawValue))
          .map { "did you mean \($0)? 'simctl explain' lists all" }
          ?? "'simctl explain' lists all")
    }
    let kind = code.kind
    console.line("\(code.rawValue) \(code.title) (\(code.severity.rawValue))")
    console.line()
    console.line(kind.meaning)
    console.line()
    console.line("Example:")
    for line in kind.example.split(separator: "\n", omittingEmptySubsequences: false) {
      console.line("  \(line)")
    }
    console.line()
    console.line("Fix:")
    for line in kind.fix.split(separator: "\n", omittingEmptySubsequences: false) {
      console.line("  \(line)")
    }
    return .clean
  }
}
