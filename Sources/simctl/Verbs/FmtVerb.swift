import NPUSim

/// `simctl fmt`: the canonical layout of text programs.
enum FmtVerb: Verb {
  static let description = VerbDescription(
    name: "fmt", summary: "the canonical layout of a text program, comments kept",
    examples: [
      .init("simctl fmt softmax.npu", "to standard output"),
      .init("simctl fmt --in-place *.npu", "rewrite the files"),
      .init("simctl fmt --check *.npu", "for CI: exit 1 if a file would change"),
    ],
    usage: ["fmt FILE.npu... [flags]"],
    groups: [
      FlagGroup(
        "Flags",
        [
          Flag("check", .none, "name the files that would change; exit 1 if there are any"),
          Flag("in-place", .none, "rewrite the files that change"),
        ])
    ],
    takesFiles: true, maximumWords: nil)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    guard !arguments.words.isEmpty else {
      throw NPUError(
        .usage, "simctl fmt needs a file",
        hint: "for example simctl fmt program.npu; - reads "
          + "standard input")
    }
    if arguments.has("check"), arguments.has("in-place") {
      throw NPUError(
        .usage, "--check and --in-place contradict each other", hint: "drop one of the two")
    }
    var code = ExitCode.clean
    for path in arguments.words {
      let source = try TextFile.source(path)
      let outcome = TextProgram.parse(source)
      guard let program = outcome.value else {
        code = TextFile.report(outcome.errors, source, console)
        continue
      }
      let text = program.formatted()
      if arguments.has("check") {
        guard text != source.bytes else { continue }
        console.line(ForeignText.visible(source.file))
        if code == .clean { code = .findings }
      } else if arguments.has("in-place"), path != "-" {
        guard text != source.bytes else { continue }
        try OutputFile.write(text, to: path, force: true, &console)
      } else {
        console.out(bytes: text)
      }
    }
    return code
  }
}
