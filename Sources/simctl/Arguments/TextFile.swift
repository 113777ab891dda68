import NPUKernels
import NPUSim

/// Text programs that a command line names.
enum TextFile {
  static let parameters = FlagGroup(
    "Program of FILE.npu",
    [
      Flag(
        "param", .text("NAME=VALUE"), "the value of a .param of the text", isRepeatable: true,
        scope: .texts)
    ])

  /// Whether a word names a text program rather than a kernel: a path, or a file's name in `.npu` or
  /// `.rec`.
  static func isText(_ word: String) -> Bool {
    word == "-" || word.contains("/") || word.hasSuffix(".npu") || word.hasSuffix(".rec")
  }

  /// The bytes of a text, from standard input for `-`.
  static func source(_ path: String) throws(NPUError) -> TextSource {
    let limit = 1 << 28
    guard path == "-" else {
      return TextSource(file: path, bytes: try FileReader.contents(of: path, limit: limit))
    }
    var input = ByteStream.standardInput()
    return TextSource(file: input.path, bytes: try input.rest(limit: limit))
  }

  /// The values that `--param` gives, one for each name.
  static func parameters(_ arguments: ParsedArguments) throws(NPUError) -> [String: String] {
    var values: [String: String] = [:]
    for (name, text) in try NamedValues.of("param", arguments, example: "kv=256") {
      guard !ValueProduct.List.isList(text) else {
        throw NPUError(
          .usage, "--param \(name) takes one value here, found '\(text)'",
          hint: "simctl check tries each of several values")
      }
      values[name] = text
    }
    return values
  }

  /// Shows every error of a text with its line.
  static func report(
    _ errors: [NPUError], _ source: TextSource, _ console: borrowing Console
  ) -> ExitCode {
    let style: Diagnostic.Style = console.errorTakesColour ? .coloured : .plain
    for error in errors {
      console.error(Diagnostic.render(error, source: source.bytes, style: style))
    }
    return errors.first.map { ExitCode($0.category) } ?? .clean
  }

  /// The text of a command line, of a record the text that it stands for; errors are shown, and there
  /// is none then.
  static func text(
    _ path: String, _ machine: MachineConfiguration, _ console: borrowing Console
  ) throws(NPUError) -> (text: TextProgram?, code: ExitCode) {
    var source = try source(path)
    if RecordProgram.isRecord(source.bytes) {
      let record = RecordProgram.read(
        source, machine: machine, catalogue: .standard, marksLines: true)
      guard let program = record.value else {
        return (nil, report(record.errors, source, console))
      }
      source = TextSource(file: source.file, bytes: try program.text(rollsLoops: false))
    }
    let parsed = TextProgram.parse(source)
    return (parsed.value, report(parsed.errors, source, console))
  }

  /// The text program of a command line, assembled with its parameters and the index lists of the
  /// request's inputs; errors are shown, and there is none then.
  static func kernel(
    _ path: String, _ arguments: ParsedArguments, _ request: inout RunRequest,
    _ console: borrowing Console
  ) throws(NPUError) -> (kernel: TextKernel?, code: ExitCode) {
    let (parsed, code) = try text(path, request.machine, console)
    guard let text = parsed else { return (nil, code) }
    if let source = request.source {
      request.source = try TextKernel.rereadable(source, for: text)
    }
    let outcome = text.assemble(
      machine: request.machine, catalogue: .standard, parameters: try parameters(arguments),
      indices: try TextKernel.indices(of: text, from: request.source))
    guard let assembly = outcome.value else {
      return (nil, report(outcome.errors, text.source, console))
    }
    return (TextKernel(assembly), .clean)
  }
}
