import NPUKernels
import NPUSim

/// `simctl list`: kernels, machines and models, one line each.
enum ListVerb: Verb {
  static let parts = ["kernels", "machines", "models"]

  static let description = VerbDescription(
    name: "list", summary: "kernels, machines and models, one line each",
    examples: [
      .init("simctl list", "everything"),
      .init("simctl list kernels", "what 'run' can run"),
      .init("simctl list --json", "for scripts"),
    ],
    usage: ["list [kernels|machines|models] [flags]"],
    groups: [FlagGroup("Flags", [Flag("json", .none, "as JSON")])],
    words: parts, maximumWords: 1)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    var shown = parts
    if let word = arguments.words.first {
      guard parts.contains(word) else {
        throw NPUError(
          .usage, "there is no list of '\(word)'", hint: DidYouMean.hint(for: word, among: parts))
      }
      shown = [word]
    }
    if arguments.has("json") {
      var json = JSONWriter()
      json.value(
        .object(try shown.map { part throws(NPUError) in JSONMember(part, try self.json(part)) }))
      json.newline()
      console.out(bytes: json.takeBytes())
    } else {
      for (index, part) in shown.enumerated() {
        if index > 0 { console.line() }
        console.line(part)
        console.out(try text(part))
      }
    }
    return .clean
  }

  private static func text(_ part: String) throws(NPUError) -> String {
    var table = TextTable([.left, .left], indent: "  ")
    switch part {
    case "kernels":
      for kernel in Catalog.kernels { KernelPage.rows(of: kernel).forEach { table.row($0) } }
    case "machines":
      for machine in try Presets.all() {
        let name = machine.configuration.name
        let mark = name == Presets.defaultName ? " (default)" : ""
        table.row([name + mark, machine.configuration.summary])
      }
    default:
      for model in Model.all { table.row([model.name, model.summary]) }
    }
    return table.text
  }

  private static func json(_ part: String) throws(NPUError) -> JSONValue {
    switch part {
    case "kernels":
      return .array(
        Catalog.kernels.map {
          .object([
            JSONMember("name", .string($0.name)),
            JSONMember("aliases", .array($0.aliases.map { .string($0) })),
            JSONMember("summary", .string($0.summary)),
          ])
        })
    case "machines":
      return .array(
        try Presets.all().map {
          .object([
            JSONMember("name", .string($0.configuration.name)),
            JSONMember("summary", .string($0.configuration.summary)),
          ])
        })
    default: return .array(Model.all.map(\.json))
    }
  }
}
