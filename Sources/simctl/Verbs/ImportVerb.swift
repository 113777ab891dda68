import NPUKernels
import NPUSim

/// `simctl import`: the record of a kernel as a text program.
enum ImportVerb: Verb {
  static let description = VerbDescription(
    name: "import", summary: "the record of a kernel as a text program, loops rolled up",
    examples: [
      .init("simctl import add.rec", "to standard output"),
      .init("simctl import add.rec --config ascend-910b-like > add.npu", "for another machine"),
      .init("./add | simctl import -", "straight from the kernel that records itself"),
      .init("simctl check add.rec", "no import is needed to check a record"),
    ],
    usage: ["import FILE.rec [flags]"],
    groups: [
      MachineFlags.group,
      FlagGroup(
        "Text", [Flag("unrolled", .none, "one line for each micro-op, without loops")]),
    ],
    notes: [
      """
      A program of more than \(Quantity.grouped(RecordProgram.mostRolled)) micro-ops is printed
      without loops. docs/import.md has the form of records, and a C++ header that writes them.
      """
    ],
    takesFiles: true, maximumWords: 1)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    guard let path = arguments.words.first else {
      throw NPUError(
        .usage, "simctl import needs a record", hint: "for example simctl import add.rec")
    }
    let machine = try MachineFlags.machine(arguments).configuration
    let source = try TextFile.source(path)
    let record = RecordProgram.read(source, machine: machine, catalogue: .standard)
    guard let program = record.value else {
      return TextFile.report(record.errors, source, console)
    }
    console.out(bytes: try program.text(rollsLoops: !arguments.has("unrolled")))
    return .clean
  }
}
