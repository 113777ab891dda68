import NPUSim

/// The flags that choose and change the machine.
enum MachineFlags {
  static let group = FlagGroup(
    "Machine",
    [
      Flag(
        "config", .words(Presets.names, placeholder: "NAME|FILE", open: true),
        "a built-in machine, or a description file", standard: Presets.defaultName),
      Flag(
        "set", .text("PATH=VALUE"), "change one parameter, such as matrix.accumulator=fp32",
        isRepeatable: true),
      Flag("cores", .text("N"), "the number of cores; the same as --set cores=N"),
    ])

  /// The machine that a command line asks for.
  static func machine(_ arguments: ParsedArguments) throws(NPUError) -> MachineDescription {
    let base = try named(arguments.value("config") ?? Presets.defaultName)
    var sets = arguments.all("set")
    if arguments.has("cores") {
      sets.append("cores=\(try arguments.integer("cores", minimum: 1, otherwise: 1))")
    }
    return sets.isEmpty ? base : try base.applying(sets: sets)
  }

  /// A built-in machine, a description file, or with `-` a description on standard input.
  static func named(_ name: String) throws(NPUError) -> MachineDescription {
    if Presets.text(named: name) != nil { return try Presets.named(name) }
    if isFile(name) {
      let (json, file) = try source(name)
      return try MachineDescription.parse(json: json, file: file)
    }
    do throws(NPUError) { return try Presets.named(name) } catch { throw withFileHint(error) }
  }

  /// The text of a description file, and what messages call it.
  static func source(_ path: String) throws(NPUError) -> (json: [UInt8], file: String) {
    let limit = 1 << 26
    guard path == "-" else { return (try FileReader.contents(of: path, limit: limit), path) }
    var input = ByteStream.standardInput()
    return (try input.rest(limit: limit), input.path)
  }

  private static func isFile(_ name: String) -> Bool {
    name == "-" || name.contains("/") || name.hasSuffix(".json")
  }

  private static func withFileHint(_ error: NPUError) -> NPUError {
    var error = error
    let hint = error.hint.map { $0.hasSuffix("?") ? "\($0) " : "\($0); " } ?? ""
    error.hint = hint + "a file's name ends in .json or has a / in it"
    return error
  }
}
