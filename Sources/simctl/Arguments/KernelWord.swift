import NPUKernels
import NPUSim

/// The kernel that a command line names, and its flags.
enum KernelWord {
  /// The kernel of the first word; `nil` without a word.
  ///
  /// - Parameter flags: the flags that do not depend on the kernel.
  /// - Throws: `.usage` when there is no kernel of that name.
  static func kernel(
    of tokens: [String], flags: [FlagGroup]
  ) throws(NPUError) -> (any Kernel.Type)? {
    guard let word = word(of: tokens, flags: flags) else { return nil }
    return try Catalog.kernel(named: word)
  }

  /// The text program that the first word names, if it names one.
  static func text(of tokens: [String], flags: [FlagGroup]) -> String? {
    word(of: tokens, flags: flags).flatMap { TextFile.isText($0) ? $0 : nil }
  }

  /// The flags of a verb for what its first word names: a text, a kernel, or nothing yet.
  static func groups(
    of verb: VerbDescription, for tokens: [String]
  ) throws(NPUError) -> [FlagGroup] {
    if text(of: tokens, flags: verb.groups) != nil { return verb.groups.map { $0.only(.texts) } }
    guard let kernel = try kernel(of: tokens, flags: verb.groups) else { return verb.groups }
    return [group(kernel)] + verb.groups.map { naming(kernel, in: $0.only(.kernels)) }
  }

  /// A group whose flag of the schedule knows the fields of a kernel.
  static func naming(_ kernel: any Kernel.Type, in group: FlagGroup) -> FlagGroup {
    var seen: Set<String> = []
    let names = kernel.scheduleDeclaration.map { "\($0.name)=" }.filter { seen.insert($0).inserted }
    var group = group
    for (index, flag) in group.flags.enumerated() where flag.name == RunFlags.scheduleName {
      group.flags[index].value = .pairs(names, placeholder: flag.value.placeholder ?? "")
    }
    return group
  }

  /// The first word. Which flags take a value decides which token that is.
  private static func word(of tokens: [String], flags: [FlagGroup]) -> String? {
    let known = flags.flatMap(\.flags) + Catalog.kernels.flatMap { $0.options.map(flag) }
    return ArgumentParser.firstWord(of: tokens, flags: known)
  }

  /// The flags of a kernel under their own heading.
  static func group(_ kernel: any Kernel.Type) -> FlagGroup {
    FlagGroup("Shape and options of \(kernel.name)", kernel.options.map(flag))
  }

  /// The values that a command line gives to a kernel's flags; a switch is `true`.
  static func values(_ kernel: any Kernel.Type, _ arguments: ParsedArguments) -> [String: String] {
    var values: [String: String] = [:]
    for option in kernel.options {
      guard let value = arguments.value(option.name) else { continue }
      values[option.name] = option.kind == .flag ? "true" : value
    }
    return values
  }

  /// Its inputs, intermediates and outputs at the default shape, one a line.
  static func tensors(_ kernel: any Kernel.Type) throws(NPUError) -> String {
    let arguments = try KernelArguments(kernel: kernel.name, options: kernel.options, values: [:])
    let machine = try Presets.named(Presets.defaultName).configuration
    return tensors(of: try kernel.init(arguments, machine: machine, schedule: nil))
  }

  /// The fields of its schedule, one a line: those that words depend on with a star.
  static func scheduleFields(_ kernel: any Kernel.Type) -> String {
    var table = TextTable([.left, .left, .left], indent: "  ")
    for field in kernel.scheduleDeclaration {
      let place = field.condition.map { "; \($0)" } ?? ""
      table.row([
        field.name + (field.affectsValues ? " *" : ""), field.legal,
        "\(field.summary)\(place) [\(field.standard)]",
      ])
    }
    table.row(["lanes *", "the machine's", "as reports print it; --set vector.lanes=N changes it"])
    return table.text
  }

  /// The tensors of a kernel or a text of one shape, one a line.
  static func tensors(of kernel: any Kernel) -> String {
    var table = TextTable([.left, .left, .left, .left], indent: "  ")
    for tensor in kernel.tensors {
      let axis = tensor.format == .mxint8 ? ", blocks along axis \(tensor.fileAxis)" : ""
      table.row([tensor.name, tensor.role.label, "\(tensor.shape)", "\(tensor.format)\(axis)"])
    }
    return table.text
  }

  private static func flag(_ option: KernelOption) -> Flag {
    switch option.kind {
    case .integer(let standard, _):
      Flag(
        option.name, .text("N"), option.help,
        standard: standard.map(String.init) ?? option.standardText)
    case .choice(let words):
      Flag(
        option.name, .words(words, placeholder: words.joined(separator: "|"), open: false),
        option.help, standard: words.first)
    case .flag: Flag(option.name, .none, option.help)
    case .real(let standard):
      Flag(option.name, .text("X"), option.help, standard: NumberText.shortest(standard))
    }
  }
}
