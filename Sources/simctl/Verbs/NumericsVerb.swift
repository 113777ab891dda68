import NPUSim

/// `simctl numerics`: what values are in the formats of the datapath.
enum NumericsVerb: Verb {
  static let formatNames = ScalarFormat.allCases.map(\.rawValue) + ["mxint8"]

  static let description = VerbDescription(
    name: "numerics", summary: "look at values in the formats of the datapath",
    examples: [
      .init("simctl numerics 0.1", "word, value and rounding error in every format"),
      .init("simctl numerics 0.1 --as bf16,e4m3fn,mxint8", "in some of them"),
      .init("simctl numerics 0x3dcc --from bf16", "what a word stands for"),
      .init("simctl numerics 1 0.25 -3 --as mxint8", "several values share blocks of 32"),
      .init("simctl numerics 500 --as e4m3fn --saturate", "with saturation"),
    ],
    usage: ["numerics VALUE... [flags]"],
    groups: [
      FlagGroup(
        "Flags",
        [
          Flag("as", .text("FORMATS"), "formats, separated by commas", standard: "all"),
          Flag(
            "from",
            .words(ScalarFormat.allCases.map(\.rawValue), placeholder: "FORMAT", open: false),
            "VALUE is a hexadecimal word of this format"),
          Flag("saturate", .none, "FP8 overflow gives the largest finite value"),
          Flag("json", .none, "as JSON"),
        ])
    ],
    notes: [
      """
      Formats: \(formatNames.joined(separator: ", ")).
      A decimal is rounded to FP32 first and from there to each format, as the datapath does.
      The error is the format's value minus the FP32 value. e8m0 takes the power of two below.
      """
    ],
    maximumWords: nil)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    guard !arguments.words.isEmpty else {
      throw NPUError(
        .usage, "simctl numerics needs a value", hint: "for example simctl numerics 0.1")
    }
    let formats = try self.formats(arguments.value("as"))
    var source: ScalarFormat?
    if let name = arguments.value("from") { source = try scalar(name, flag: "from") }
    let reader = NumberReader(format: source)
    var values: [Float] = []
    for word in arguments.words { values.append(try reader.value(word)) }
    let saturating = arguments.has("saturate")
    if arguments.has("json") {
      var json = JSONWriter()
      json.value(NumericsPage.json(values, arguments.words, formats, saturating: saturating))
      json.newline()
      console.out(bytes: json.takeBytes())
    } else {
      console.out(NumericsPage.text(values, arguments.words, formats, saturating: saturating))
    }
    return .clean
  }

  /// The formats of `--as`: scalar ones, and `nil` for MXINT8.
  private static func formats(_ text: String?) throws(NPUError) -> [ScalarFormat?] {
    guard let text else { return ScalarFormat.allCases + [nil] }
    var formats: [ScalarFormat?] = []
    for part in text.split(separator: ",") {
      formats.append(part.lowercased() == "mxint8" ? nil : try scalar(String(part), flag: "as"))
    }
    return formats
  }

  private static func scalar(_ name: String, flag: String) throws(NPUError) -> ScalarFormat {
    if let format = ScalarFormat(name: name) { return format }
    let known = flag == "as" ? formatNames : ScalarFormat.allCases.map(\.rawValue)
    throw NPUError(
      .usage, "--\(flag) does not know the format '\(name)'",
      hint: DidYouMean.hint(for: name, among: known))
  }
}
