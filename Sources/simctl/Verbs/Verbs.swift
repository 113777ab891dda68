import NPUSim

/// The verbs of the command.
enum Verbs {
  /// In the order of the help.
  static let all: [any Verb.Type] = [
    RunVerb.self, CheckVerb.self, ReportVerb.self, LlamaVerb.self, AsmVerb.self, DisasmVerb.self,
    ImportVerb.self, FmtVerb.self, ListVerb.self, ConfigVerb.self, ExplainVerb.self,
    NumericsVerb.self, BenchVerb.self, CompletionVerb.self, HelpVerb.self, DocsVerb.self,
  ]

  /// The verb of a name.
  ///
  /// - Throws: `.usage` with the closest name when there is none.
  static func named(_ name: String) throws(NPUError) -> any Verb.Type {
    if let verb = all.first(where: { $0.description.name == name }) { return verb }
    let known = all.filter { !$0.description.isHidden }.map { $0.description.name }
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
}
