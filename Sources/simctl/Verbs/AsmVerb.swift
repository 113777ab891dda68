import NPUKernels
import NPUSim

/// `simctl asm`: checks a text program, expands it, and reports its sizes.
enum AsmVerb: Verb {
  static let description = VerbDescription(
    name: "asm", summary: "check and expand a text program; report its sizes",
    examples: [
      .init("simctl asm softmax.npu", "micro-ops, events and memory"),
      .init("simctl asm softmax.npu --param kv=256", "with another value of .param kv"),
      .init("simctl asm softmax.npu --expand", "the same program with rings as events"),
    ],
    usage: ["asm FILE.npu [flags]"],
    groups: [
      TextFile.parameters, MachineFlags.group,
      FlagGroup(
        "Text",
        [
          Flag("expand", .none, "print the program with its events, every parameter resolved"),
          Flag("unrolled", .none, "with --expand: one line for each micro-op"),
        ]),
    ],
    takesFiles: true, maximumWords: 1)

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    guard let path = arguments.words.first else {
      throw NPUError(
        .usage, "simctl asm needs a file", hint: "for example simctl asm program.npu")
    }
    if arguments.has("unrolled"), !arguments.has("expand") {
      throw NPUError(
        .usage, "--unrolled means nothing without --expand", hint: "add --expand or drop it")
    }
    let machine = try MachineFlags.machine(arguments).configuration
    let (parsed, code) = try TextFile.text(path, machine, console)
    guard let text = parsed else { return code }
    let source = text.source
    let outcome = text.assemble(
      machine: machine, catalogue: .standard, parameters: try TextFile.parameters(arguments))
    guard let assembly = outcome.value else {
      return TextFile.report(outcome.errors, source, console)
    }
    if arguments.has("expand") {
      var options = ProgramText.Options()
      options.rollsLoops = !arguments.has("unrolled")
      options.forms = TextKernel(assembly).fileForms
      options.origins = assembly.origins
      console.out(bytes: try ProgramText.print(assembly.program, options))
    } else {
      console.out(sizes(assembly.program, source))
    }
    let defects = assembly.program.defects
    let shown = defects.prefix(mostShown).map { defect in
      NPUError(
        .program, defect.message, at: assembly.location(of: defect), hint: defect.fix)
    }
    _ = TextFile.report(shown, source, console)
    if shown.count < defects.count {
      console.error("\(defects.count - shown.count) more; correct these first\n")
    }
    return defects.isEmpty ? .clean : .findings
  }

  /// Most defects of a program that are shown: one mistake may be one in each turn of a loop.
  private static let mostShown = 20

  /// Lines, micro-ops by queue, and the bytes of each memory.
  private static func sizes(_ program: Program, _ source: TextSource) -> String {
    var text =
      "\(ForeignText.visible(source.file))  \(Quantity.grouped(source.lineCount)) lines, "
      + "\(Quantity.grouped(program.opCount)) micro-ops, "
      + "\(program.cores.count.counted("core"))\n\n"
    var table = TextTable([.left, .right, .right, .right, .right])
    table.row(["queue", "micro-ops", "sets", "waits", "barriers"])
    for queue in Queue.allCases {
      var counts = [0, 0, 0, 0]
      for record in program.cores.joined() where record.queue == queue {
        switch record.kind {
        case .data: counts[0] += 1
        case .set, .sequencerSet, .coreSet: counts[1] += 1
        case .wait, .sequencerWait, .coreWait: counts[2] += 1
        case .barrierQueue, .barrierAll, .barrierCores: counts[3] += 1
        }
      }
      table.row([queue.name] + counts.map { Quantity.grouped($0) })
    }
    text += table.text + "\n"
    var memories = TextTable([.left, .right, .right, .left])
    memories.row(["memory", "buffers", "bytes", ""])
    for space in Space.allCases {
      // The fullest core stands for all.
      var fullest = (buffers: 0, bytes: 0)
      for core in -1..<max(1, program.cores.count) {
        let own = program.buffers.filter { $0.space == space && Int($0.core) == core }
        let end = own.map { $0.base + $0.payloadExtent }.max() ?? 0
        if end > fullest.bytes { fullest = (own.count, end) }
      }
      guard fullest.buffers > 0 else { continue }
      let capacity = program.machine[space].bytes.map { "of \(Quantity.grouped($0))" } ?? ""
      memories.row([
        space.name, "\(fullest.buffers)", Quantity.grouped(fullest.bytes), capacity,
      ])
    }
    return text + memories.text
  }
}
