import NPUSim

/// `simctl config`: machine descriptions, with the provenance of each value.
enum ConfigVerb: Verb {
  static let actions = ["list", "show", "validate"]

  static let description = VerbDescription(
    name: "config", summary: "machine descriptions, with the provenance of each value",
    examples: [
      .init("simctl config list", "the built-in machines"),
      .init("simctl config show edge", "every value, and where it comes from"),
      .init("simctl config show edge --json > mine.json", "a description to start one's own from"),
      .init("simctl config show edge --set vector.lanes=64 --json > mine.json", "another machine"),
      .init("simctl config validate mine.json", "all that is wrong with it"),
    ],
    usage: [
      "config list", "config show [NAME|FILE] [flags]", "config validate FILE",
    ],
    groups: [
      FlagGroup(
        "Flags of show",
        [
          Flag("json", .none, "the description file itself; with --set, the effective values"),
          Flag(
            "set", .text("PATH=VALUE"), "change one parameter before showing", isRepeatable: true),
        ])
    ],
    notes: ["FILE may be - for standard input."],
    words: actions, takesFiles: true, maximumWords: 2)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    guard let action = arguments.words.first else {
      throw NPUError(
        .usage, "simctl config needs something to do",
        hint: "write simctl config list, show NAME or validate FILE")
    }
    let word = arguments.words.count > 1 ? arguments.words[1] : nil
    if action != "show", let flag = ["json", "set"].first(where: { arguments.has($0) }) {
      throw NPUError(.usage, "--\(flag) belongs to 'simctl config show'")
    }
    switch action {
    case "list":
      if let word {
        throw NPUError(
          .usage, "simctl config list takes no word, found '\(word)'",
          hint: "write simctl config show \(word)")
      }
      return try list(&console)
    case "show": return try show(word ?? Presets.defaultName, arguments, &console)
    case "validate":
      guard let word else {
        throw NPUError(
          .usage, "simctl config validate needs a file",
          hint: "write simctl config validate FILE, or - for standard input")
      }
      return try validate(word, &console)
    default:
      throw NPUError(
        .usage, "simctl config cannot '\(action)'",
        hint: DidYouMean.hint(for: action, among: actions))
    }
  }

  private static func list(_ console: inout Console) throws(NPUError) -> ExitCode {
    var table = TextTable([.left, .right, .right, .left])
    table.row(["name", "cores", "clock", "summary"])
    for machine in try Presets.all() {
      let configuration = machine.configuration
      table.row([
        configuration.name, "\(configuration.cores)",
        "\(NumberText.shortest(Double(configuration.clockHz) / 1e9)) GHz", configuration.summary,
      ])
    }
    console.out(table.text)
    return .clean
  }

  private static func show(
    _ name: String, _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    let sets = arguments.all("set")
    if arguments.has("json"), sets.isEmpty, let text = Presets.text(named: name) {
      console.out(text)
      return .clean
    }
    var machine = try MachineFlags.named(name)
    if !sets.isEmpty { machine = try machine.applying(sets: sets) }
    if arguments.has("json") {
      var json = JSONWriter()
      json.value(machine.configuration.json)
      json.newline()
      console.out(bytes: json.takeBytes())
      return .clean
    }
    console.line(
      ForeignText.visible("\(machine.configuration.name): \(machine.configuration.summary)"))
    console.line()
    var table = TextTable([.left, .right, .left, .left, .left])
    table.row(["parameter", "value", "unit", "provenance", "source"])
    var long: [MachineDescription.Row] = []
    for row in machine.rows {
      let isLong = row.value.count > longestCell
      if isLong { long.append(row) }
      table.row([
        row.path, isLong ? "below" : row.value, row.unit, row.provenance.kind.rawValue,
        row.provenance.source,
      ])
    }
    console.out(table.text)
    for row in long { console.line("\n\(row.path)=\(ForeignText.visible(row.value))") }
    return .clean
  }

  /// Characters of a value above which it stands behind the table.
  private static let longestCell = 40

  private static func validate(
    _ path: String, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    let (json, file) = try MachineFlags.source(path)
    let problems = MachineDescription.problems(json: json, file: file)
    guard problems.isEmpty else {
      let style: Diagnostic.Style = console.errorTakesColour ? .coloured : .plain
      for problem in problems {
        console.error(Diagnostic.render(problem, source: json, style: style))
      }
      return .usage
    }
    let machine = try MachineDescription.parse(json: json, file: file)
    let set = machine.settings == 0 ? "" : ", \(machine.settings) of them set here"
    console.line("\(ForeignText.visible(file)): valid, \(machine.rows.count) parameters\(set)")
    return .clean
  }
}
