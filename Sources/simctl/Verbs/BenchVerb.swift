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
      .init("simctl bench --compare bench.json", "that comparison"),
    ],
    usage: ["bench [formats|matrix|engines|runs]... [flags]"],
    groups: [
      FlagGroup(
        "Flags",
        [
          Flag("samples", .text("N"), "samples of each line, whose median is shown", standard: "5"),
          Flag("json", .none, "as JSON"),
          Flag("compare", .text("FILE"), "also what a saved --json has, and the ratios"),
        ]),
      MachineFlags.group,
    ],
    notes: [
      """
      formats: loops of the vector unit, bytes read and written. matrix: the block MAC alone, and a
      gemm program executed. engines: building, checking and timing programs, printing one
      as text, and reading that, with loops and with a line for each micro-op, a check of 1,000
      values of a text, which counts wall time, and the search for an order. runs: whole runs.
      Formats are shown as a percentage of a copy in main memory, matrix of the processor's int8
      dot-product peak, both measured in the same run. Lines of one thread count its processor time,
      the others and runs wall time. Timings differ from run to run, and a debug build is many times
      slower than a release build. The environment variable NPUSIM_DATAPATH (scalar, portable, avx2,
      avx512, neon) forces the code of the datapath; every choice gives the same words.
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
    var saved: BenchComparison?
    if let path = arguments.value("compare") { saved = try BenchComparison(path) }
    let lines = try ProgressLine.during(on: console) { progress throws(NPUError) in
      progress("measuring peaks")
      let peaks = PeakBench(
        samples: samples, macs: chosen.contains("matrix"), copy: chosen.contains("formats"))
      var lines = peaks.lines
      for part in parts where chosen.contains(part) {
        progress("measuring \(part)")
        let engines = EngineBench(samples: samples, machine: machine)
        switch part {
        case "formats": lines += FormatBench(samples: samples, peaks: peaks).measure()
        case "matrix":
          lines += try MatrixBench(samples: samples, machine: machine, peaks: peaks).measure()
        case "engines": lines += try engines.measureParts()
        default: lines += try engines.measureRuns()
        }
      }
      return lines
    }
    if arguments.has("json") {
      var json = JSONWriter()
      json.value(.array(lines.map { value($0, saved) }))
      json.newline()
      console.out(bytes: json.takeBytes())
    } else {
      console.out(table(lines, saved))
    }
    return .clean
  }

  private static func table(_ lines: [Measurement], _ saved: BenchComparison?) -> String {
    var table = TextTable([.left, .left, .right, .left, .right, .right])
    for line in lines {
      var cells = [line.part, line.name, NumberText.significant(line.value), line.unit]
      cells.append(line.percentOfPeak.map { NumberText.fixed($0, places: 0) + " %" } ?? "")
      if let before = saved?.before(line) {
        let ratio = NumberText.fixed(before.ratio, places: 2)
        cells.append("\(ratio) × \(NumberText.significant(before.value))")
      }
      table.row(cells)
    }
    return table.text
  }

  private static func value(_ line: Measurement, _ saved: BenchComparison?) -> JSONValue {
    var members = [
      JSONMember("part", .string(line.part)), JSONMember("name", .string(line.name)),
      JSONMember("value", .double(line.value)), JSONMember("unit", .string(line.unit)),
    ]
    if let percent = line.percentOfPeak {
      members.append(JSONMember("percent_of_peak", .double(percent)))
    }
    if let before = saved?.before(line) {
      members.append(JSONMember("before", .double(before.value)))
      members.append(JSONMember("ratio", .double(before.ratio)))
    }
    return .object(members)
  }
}
