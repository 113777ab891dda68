import NPUSim

/// Puts a report where the command line wants it.
enum ReportOutput {
  /// The page goes to standard output, or to standard error where data goes there already; the JSON
  /// goes to its file.
  static func write(
    _ report: RunReport, _ arguments: ParsedArguments, since start: ContinuousClock.Instant,
    _ console: inout Console
  ) throws(NPUError) {
    try write(
      json: report.json(), page: { report.text($0 ? .ansi : .plain) }, arguments, since: start,
      &console)
  }

  /// As the other one, for any report: `page` makes its text, with colours or without.
  static func write(
    json: @autoclosure () -> JSONValue, page: (_ inColour: Bool) -> String,
    _ arguments: ParsedArguments, since start: ContinuousClock.Instant, _ console: inout Console
  ) throws(NPUError) {
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    let withMeta = arguments.has("meta")
    if let path = arguments.value("json") {
      var value = json()
      if withMeta { value = adding(elapsed, to: value) }
      var json = JSONWriter()
      json.value(value)
      json.newline()
      try OutputFile.write(
        json.takeBytes(), to: path, force: arguments.has("force"), &console)
      if path == "-" { return }
    }
    let isPiped = arguments.value("dump") == "-"
    var text = page(isPiped ? console.errorTakesColour : console.outTakesColour)
    if withMeta {
      text += "\nsimctl \(Version.text), \(NumberText.significant(elapsed)) s\n"
    }
    if isPiped { console.error(text) } else { console.out(text) }
  }

  private static func adding(_ elapsed: Double, to report: JSONValue) -> JSONValue {
    let meta = JSONValue.object([
      JSONMember("version", .string(Version.text)),
      JSONMember("elapsed_seconds", .double(elapsed)),
    ])
    return .object(report.members + [JSONMember("meta", meta)])
  }
}
