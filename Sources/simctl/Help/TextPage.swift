import NPUKernels
import NPUSim

/// The help of a verb for a text program: what the file can be given.
enum TextPage {
  /// The page with the file's parameters and tensors, for the machine and the parameters among `tokens`;
  /// without them for standard input, which help does not read.
  ///
  /// - Throws: `.io` for a file that cannot be read, `.parse` or `.usage` for the first error in it.
  static func page(
    _ verb: VerbDescription, _ path: String, _ tokens: [String]
  ) throws(NPUError) -> HelpPage {
    var page = HelpPage(verb)
    page.groups = try KernelWord.groups(of: verb, for: tokens)
    guard path != "-" else { return page }
    let parser = ArgumentParser(
      command: "simctl \(verb.name)", flags: page.groups.flatMap(\.flags) + [Flag.help],
      maximumWords: verb.maximumWords)
    // What cannot be used is no reason to refuse help.
    let arguments = (try? parser.parse(tokens)) ?? ParsedArguments()
    let kernel = try kernel(path, arguments)
    let start = "simctl \(verb.name) \(path)"
    page.title = "\(start): \(TextKernel.summary)"
    page.usage = ["\(verb.name) \(path) [flags]"]
    page.examples = [.init(start, "the program as it stands")]
    let parameters = kernel.assembly.parameters
    if let first = parameters.first {
      page.examples.append(
        .init("\(start) --param \(first.name)=\(first.text)", "the same, with a value given"))
      var table = TextTable([.left, .left], indent: "  ")
      for parameter in parameters { table.row([parameter.name, "[\(parameter.text)]"]) }
      page.sections.append(("Parameters, for --param", table.text))
    }
    page.examples.append(.init("\(start) --config ascend-910b-like", "another machine"))
    page.sections.append(("Tensors", KernelWord.tensors(of: kernel)))
    return page
  }

  private static func kernel(
    _ path: String, _ arguments: ParsedArguments
  ) throws(NPUError) -> TextKernel {
    let text = try TextProgram.parse(try TextFile.source(path)).get()
    let assembly = try text.assemble(
      machine: try MachineFlags.machine(arguments).configuration, catalogue: .standard,
      // Several values are as good as none here.
      parameters: (try? TextFile.parameters(arguments)) ?? [:]
    ).get()
    return TextKernel(assembly)
  }
}
