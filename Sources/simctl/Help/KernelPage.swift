import NPUKernels
import NPUSim

/// What the verbs that take a kernel share: its help, its name in messages, its being required.
enum KernelPage {
  /// The help of a verb, or of the kernel that follows it.
  static func page(
    _ verb: VerbDescription, _ tokens: [String]
  ) throws(NPUError) -> HelpPage {
    var page = HelpPage(verb)
    if verb.takesFiles, let path = KernelWord.text(of: tokens, flags: verb.groups) {
      return try TextPage.page(verb, path, tokens)
    }
    guard let kernel = try KernelWord.kernel(of: tokens, flags: verb.groups) else {
      var table = TextTable([.left, .left], indent: "  ")
      for kernel in Catalog.kernels { rows(of: kernel).forEach { table.row($0) } }
      page.sections = [("Kernels", table.text)]
      return page
    }
    page.title = "simctl \(verb.name) \(kernel.name): \(kernel.summary)"
    page.usage = ["\(verb.name) \(kernel.name) [flags]"]
    page.examples = examples(verb, kernel)
    page.sections = [
      ("Tensors, at the default shape", try KernelWord.tensors(kernel)),
      ("Fields of the schedule (* words depend on it)", KernelWord.scheduleFields(kernel)),
    ]
    page.groups = try KernelWord.groups(of: verb, for: tokens)
    return page
  }

  /// Name and summary of a kernel, and below them its other names.
  static func rows(of kernel: any Kernel.Type) -> [[String]] {
    [[kernel.name, kernel.summary]] + kernel.aliases.map { ["", "also \($0)"] }
  }

  /// What messages call a command line.
  static func command(_ verb: VerbDescription, _ tokens: [String]) -> String {
    let kernel = try? KernelWord.kernel(of: tokens, flags: verb.groups)
    return "simctl \(verb.name)" + (kernel.map { " \($0.name)" } ?? "")
  }

  /// The kernel that a command line must name.
  static func requireKernel(
    _ verb: VerbDescription, _ arguments: ParsedArguments
  ) throws(NPUError) -> any Kernel.Type {
    guard let word = arguments.words.first else {
      throw NPUError(
        .usage, "simctl \(verb.name) needs a kernel",
        hint: "for example simctl \(verb.name) softmax_v --kv 128; 'simctl list kernels' has all")
    }
    return try Catalog.kernel(named: word)
  }

  private static func examples(
    _ verb: VerbDescription, _ kernel: any Kernel.Type
  ) -> [VerbDescription.Example] {
    let start = "simctl \(verb.name) \(kernel.name)"
    var examples = [VerbDescription.Example(start, "the default shape on the default machine")]
    for option in kernel.options {
      if case .integer(let standard?, _) = option.kind {
        examples.append(.init("\(start) --\(option.name) \(standard * 4)", option.help))
        break
      }
    }
    if let choice = kernel.options.first(where: { $0.kind == .flag }) {
      examples.append(.init("\(start) --\(choice.name)", choice.help))
    }
    examples.append(.init("\(start) --config ascend-910b-like", "another machine"))
    return examples
  }
}
