import NPUSim

/// `simctl report`: the page of a run that was saved.
enum ReportVerb: Verb {
  static let description = VerbDescription(
    name: "report", summary: "the page of a run that was saved with --json",
    examples: [
      .init("simctl run softmax_v --json run.json", "save a run"),
      .init("simctl report run.json", "its page, as the run printed it"),
      .init("simctl check gemm --json - | simctl report -", "from standard input"),
    ],
    usage: ["report RUN.json"],
    notes: [
      """
      Nothing is run again. The exit code is that of the run: 0 clean, 1 findings.
      """
    ],
    takesFiles: true, maximumWords: 1)

  /// Largest file that is read.
  private static let limit = 1 << 28

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    guard let path = arguments.words.first else {
      throw NPUError(
        .usage, "simctl report needs a saved run", hint: "for example simctl report run.json")
    }
    let (file, bytes) = try contents(of: path)
    let report: RunReport
    do throws(NPUError) {
      report = try RunReport(reading: try JSONValue.parse(bytes, file: file))
    } catch {
      console.error(
        Diagnostic.render(
          error, source: bytes, style: console.errorTakesColour ? .coloured : .plain))
      return ExitCode(error.category)
    }
    console.out(report.text(console.outTakesColour ? .ansi : .plain))
    return ExitCode(report.verdict)
  }

  private static func contents(of path: String) throws(NPUError) -> (file: String, bytes: [UInt8]) {
    guard path == "-" else { return (path, try FileReader.contents(of: path, limit: limit)) }
    var input = ByteStream.standardInput()
    return (input.path, try input.rest(limit: limit))
  }
}
