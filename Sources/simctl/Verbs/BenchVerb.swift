import NPUSim

/// `simctl bench`: the simulator's own speed.
enum BenchVerb: Verb {
  static let parts = ["formats", "matrix", "engines", "runs"]

  static let description = VerbDescription(
    name: "bench", summary: "the simulator's own speed on this machine",
    examples: [
      .init("simctl bench", "everything"),
      .init("simctl bench formats matrix", "some of it"),
      .init("simctl bench --json > bench.json", "to compare with another day"),
    ],
    usage: ["bench [formats|matrix|engines|runs]... [flags]"],
    groups: [
      FlagGroup(
        "Flags",
        [
          Flag("samples", .text("N"), "samples of each line, whose median is shown", standard: "5"),
          Flag("json", .none, "as JSON"),
        ]),
      MachineFlags.group,
    ],
    notes: [
      """
      formats: conversions on one thread, bytes read and written. matrix: the block MAC on one
      thread. engines: building, checking and timing a program, printing it as text, and reading
      that, with loops and with a line for each micro-op. runs: whole runs.
      Timings differ from run to run, and a debug build is many times slower than a release build.
      """
    ],
    words: parts, maximumWords: parts.count)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    for word in arguments.words where !parts.contains(word) {
      throw NPUError(
        .usage, "there is no benchmark '\(word)'", hint: DidYouMean.hint(for: word, among: parts))
    }
    let chosen = arguments.words.isEmpty ? parts : arguments.words
    let samples = try arguments.integer("samples", minimum: 1, otherwise: 5)
    let machine = try MachineFlags.machine(arguments).configuration
    let lines = try ProgressLine.during(on: console) { progress throws(NPUError) in
      var lines: [Measurement] = []
      for part in parts where chosen.contains(part) {
        progress("measuring \(part)")
        let engines = EngineBench(samples: samples, machine: machine)
        switch part {
        case "formats": lines += FormatBench(samples: samples).measure()
        case "matrix": lines += MatrixBench(samples: samples).measure()
        case "engines": lines += try engines.measureParts()
        default: lines += try engines.measureRuns()
        }
      }
      return lines
    }
    if arguments.has("json") {
      var json = JSONWriter()
      json.value(.array(lines.map(value)))
      json.newline()
      console.out(bytes: json.takeBytes())
    } else {
      var table = TextTable([.left, .left, .right, .left])
      for line in lines {
        table.row([line.part, line.name, NumberText.significant(line.value), line.unit])
      }
      console.out(table.text)
    }
    return .clean
  }

  private static func value(_ line: Measurement) -> JSONValue {
    .object([
      JSONMember("part", .string(line.part)), JSONMember("name", .string(line.name)),
      JSONMember("value", .double(line.value)), JSONMember("unit", .string(line.unit)),
    ])
  }
}
