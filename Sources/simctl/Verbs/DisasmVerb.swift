import NPUKernels
import NPUSim

/// `simctl disasm`: the program of a kernel as text.
enum DisasmVerb: Verb {
  static let description = VerbDescription(
    name: "disasm", summary: "the program of a kernel as text, loops rolled up",
    examples: [
      .init("simctl disasm softmax_v --kv 1024", "its micro-ops and buffers, one after another"),
      .init("simctl disasm softmax_v --expand", "what runs: in its order, with every event"),
      .init("simctl disasm gemm > gemm.npu", "to edit, and to run with simctl run gemm.npu"),
      .init("simctl disasm gemm --unrolled", "one line for each micro-op"),
      .init("simctl disasm embedding --inputs ids.safetensors", "with index lists from a file"),
    ],
    usage: ["disasm KERNEL [flags]"],
    groups: [
      MachineFlags.group, RunFlags.schedule, RunFlags.inputs,
      FlagGroup(
        "Text",
        [
          Flag("expand", .none, "the micro-ops in the order in which they run, with every event"),
          Flag("unrolled", .none, "one line for each micro-op, without loops"),
          Flag("no-taps", .none, "leave out the copies that dumps of intermediates take"),
        ]),
    ],
    notes: [
      """
      Index tensors are part of a program. They come from --seed, or from --inputs, of which nothing
      else is read: give what the run was given whose program it shall be.
      """
    ],
    words: Catalog.names, maximumWords: 1)

  static func groups(for tokens: [String]) throws(NPUError) -> [FlagGroup] {
    guard let kernel = try KernelWord.kernel(of: tokens, flags: description.groups) else {
      return description.groups
    }
    return [KernelWord.group(kernel)] + description.groups.map { KernelWord.naming(kernel, in: $0) }
  }

  static func command(for tokens: [String]) -> String {
    KernelPage.command(description, tokens)
  }

  static func help(for tokens: [String]) throws(NPUError) -> HelpPage {
    try KernelPage.page(description, tokens)
  }

  static func run(
    _ arguments: ParsedArguments, _ console: inout Console
  ) throws(NPUError) -> ExitCode {
    let type = try KernelPage.requireKernel(description, arguments)
    var request = try RunFlags.request(type, arguments)
    request.source = try RunFlags.source("inputs", arguments)
    let machine = request.machine
    let kernel = try type.init(
      try KernelArguments(kernel: type.name, options: type.options, values: request.arguments),
      machine: machine, schedule: request.schedule)
    let plan = try request.inputPlan(kernel)
    let seed = request.seed
    let text = try ProgressLine.during(on: console) { progress throws(NPUError) in
      progress("building the program")
      let indices = try IndexTensors(kernel, seed: seed, plan: plan)
      let options = options(kernel, type, machine, arguments)
      guard arguments.has("expand") else {
        let program = try kernel.wholeSequence(indices, on: machine)
        progress("printing the micro-ops")
        return try ProgramText.print(program, order: kernel.queueOrder, options)
      }
      let program = try kernel.wholeProgram(indices, on: machine).program
      progress("printing \(program.opCount) micro-ops")
      return try ProgramText.print(program, options)
    }
    for line in plan?.notes.ignored.lines ?? [] { console.error(line + "\n") }
    console.out(bytes: text)
    return .clean
  }

  private static func options(
    _ kernel: any Kernel, _ type: any Kernel.Type, _ machine: MachineConfiguration,
    _ arguments: ParsedArguments
  ) -> ProgramText.Options {
    var options = ProgramText.Options()
    options.rollsLoops = !arguments.has("unrolled")
    options.hasTaps = !arguments.has("no-taps")
    options.forms = kernel.fileForms
    let shape = kernel.shape.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    let schedule = kernel.scheduleFields.text
    options.comments = ["\(type.name): \(shape)"]
    if !schedule.isEmpty { options.comments.append("schedule: \(schedule)") }
    let cores = machine.cores.counted("core")
    options.comments.append("for \(machine.name), \(cores)")
    return options
  }
}
