import NPUKernels
import NPUSim

/// The flags of `run` and `check` that do not depend on the kernel.
enum RunFlags {
  static let scheduleName = "schedule"

  static let schedule = FlagGroup(
    "Schedule",
    [
      Flag(
        scheduleName, .pairs([], placeholder: "FIELD=N,..."),
        "replace fields of the schedule, as the report has them",
        scope: .kernels)
    ])

  static let data = FlagGroup(
    "Data",
    [
      Flag("seed", .text("N"), "inputs that no file gives come from this seed", standard: "0"),
      Flag("inputs", .input("FILE|DIR"), "tensors by name: .safetensors, or .npy with a manifest"),
      Flag(
        "map", .text("NAME=FILE_NAME"), "the tensor NAME is what files call FILE_NAME",
        isRepeatable: true),
      Flag("cast", .none, "round FP64, FP32, FP16 and BF16 of files to the declared type, once"),
      Flag("strict", .none, "refuse files with tensors that nothing asks for"),
      Flag("dump", .output("FILE|DIR"), "write every input, intermediate and output"),
      Flag("expect", .input("FILE|DIR"), "compare with another dump"),
      Flag(
        "tolerance", .text("X"), "largest difference to --expect that is no mismatch",
        standard: "0"),
      Flag("rtol", .text("X"), "and this part of the expected value besides", standard: "0"),
      Flag("ulp", .text("N"), "or this many units in the last place, after rounding to the format"),
      Flag("bits", .none, "compare words bit for bit, NaNs and zeros too"),
    ])

  /// The flags of ``data`` that concern inputs alone.
  static let inputs = FlagGroup(
    data.title,
    data.flags.filter { ["seed", "inputs", "map", "cast", "strict"].contains($0.name) })

  static let checks = FlagGroup(
    "Checks",
    [
      Flag(
        "verify", .words(["full", "sample", "none"], placeholder: "full|sample|none", open: false),
        "how much to compare with the reference",
        standard: "full; sample above 2^27 MACs", scope: .kernels),
      Flag("no-values", .none, "check and time only"),
      Flag("jitter", .text("PERCENT"), "execute again in the order of randomised timings"),
      Flag("runs", .text("N"), "how many of those", standard: "10"),
      Flag("lint", .none, "also report what is correct but wasteful"),
      Flag(
        "fail-on", .words(["lint"], placeholder: "lint", open: false),
        "exit with 1 for lint, too; implies --lint"),
      Flag("allow-hazards", .none, "execute and time in spite of findings"),
      Flag(
        "max-memory", .text("BYTES"), "refuse what needs more memory, such as 2GB",
        standard: "3/4 of what the process may have"),
    ])

  static let report = FlagGroup(
    "Report",
    [
      Flag("json", .output("FILE"), "write the whole report as JSON; - for standard output"),
      Flag("meta", .none, "add version and elapsed time, which differ from run to run"),
      Flag("force", .none, "overwrite files"),
    ])

  /// The request that a command line makes for a kernel, without its files; of a verb that compares, or
  /// of one that only has inputs.
  static func request(
    _ kernel: any Kernel.Type, _ arguments: ParsedArguments, compares: Bool = false
  ) throws(NPUError) -> RunRequest {
    var request = try request(named: kernel.name, arguments, compares: compares)
    request.arguments = KernelWord.values(kernel, arguments)
    return request
  }

  /// The request that a command line makes, without its files and the flags of a kernel.
  static func request(
    named name: String, _ arguments: ParsedArguments, compares: Bool = false
  ) throws(NPUError) -> RunRequest {
    var request = RunRequest(
      kernel: name, machine: try MachineFlags.machine(arguments).configuration)
    request.schedule = arguments.value(scheduleName)
    request.seed = try arguments.seed("seed", otherwise: 0)
    request.closeness = try closeness(arguments)
    if let word = arguments.value("verify") {
      request.verification = RunRequest.Verification(rawValue: word) ?? .standard
    }
    if arguments.has("no-values") { request.plan = .timing }
    request.allowHazards = arguments.has("allow-hazards")
    request.lints = arguments.has("lint") || arguments.has("fail-on")
    if arguments.has("fail-on") { request.failing.insert(.lint) }
    if let text = arguments.value("jitter") {
      request.jitterPercent = try percent(text)
      request.jitterRuns = try arguments.integer("runs", minimum: 1, otherwise: 10)
    }
    if let text = arguments.value("max-memory") {
      do throws(NPUError) {
        request.memoryLimit = try MemoryLimit(parsing: text)
      } catch {
        throw NPUError(.usage, "--max-memory: \(error.message)", hint: error.hint)
      }
    }
    try refuseContradictions(arguments, files: compares ? ["inputs", "expect"] : ["inputs"])
    return request
  }

  /// When an element counts as the expected one.
  private static func closeness(_ arguments: ParsedArguments) throws(NPUError) -> Closeness {
    let steps =
      arguments.has("ulp") ? try arguments.integer("ulp", minimum: 0, otherwise: 0) : nil
    let value = Closeness.value(
      absolute: try arguments.real("tolerance", otherwise: 0),
      relative: try arguments.real("rtol", otherwise: 0), steps: steps)
    return arguments.has("bits") ? .bits : value
  }

  /// The file that a flag of a command line names, judged by the headers alone; `nil` without the flag.
  static func source(
    _ flag: String, _ arguments: ParsedArguments
  ) throws(NPUError) -> TensorSource? {
    guard let path = arguments.value(flag) else { return nil }
    var source = TensorSource(
      path == "-" ? try TensorArchive(stream: .standardInput()) : try TensorArchive(path))
    source.isStrict = arguments.has("strict")
    source.casts = arguments.has("cast")
    for text in arguments.all("map") {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex,
        text.index(after: equals) != text.endIndex
      else {
        throw NPUError(
          .usage, "--map needs a name of the kernel and one of the file, found '\(text)'",
          hint: "for example --map x=hidden_states")
      }
      source.renames.append(
        .init(String(text[..<equals]), from: String(text[text.index(after: equals)...])))
    }
    return source
  }

  /// A whole percentage, with or without its sign.
  private static func percent(_ text: String) throws(NPUError) -> Int {
    let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let number = Int(digits), (1...100).contains(number) else {
      throw NPUError(
        .usage, "--jitter needs a percentage from 1 to 100, found '\(text)'",
        hint: "for example --jitter 20%")
    }
    return number
  }

  private static func refuseContradictions(
    _ arguments: ParsedArguments, files: [String]
  ) throws(NPUError) {
    if arguments.has("no-values") {
      for name in ["inputs", "dump", "expect", "verify", "jitter"] where arguments.has(name) {
        throw NPUError(
          .usage, "--\(name) needs values, which --no-values leaves out",
          hint: "drop one of the two")
      }
    }
    for name in ["tolerance", "rtol", "ulp"] where arguments.has("bits") && arguments.has(name) {
      throw NPUError(
        .usage, "--\(name) allows differences, and --bits allows none",
        hint: "drop one of the two")
    }
    let needs =
      [("runs", ["jitter"])] + ["tolerance", "rtol", "ulp", "bits"].map { ($0, ["expect"]) }
      + ["map", "cast", "strict"].map { ($0, files) }
    for (name, needed) in needs
    where arguments.has(name) && !needed.contains(where: arguments.has) {
      let all = needed.map { "--\($0)" }.joined(separator: " or ")
      throw NPUError(
        .usage, "--\(name) means nothing without \(all)", hint: "add \(all), or drop it")
    }
  }
}
