import NPUKernels
import NPUSim

#if os(Linux)
  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif
#endif

/// What programs, and whole runs without values, take in memory for each micro-op.
struct MemoryBench {
  /// A kernel in two sizes: what the larger one takes more is what its micro-ops take.
  private struct Pair {
    var kernel: String
    var small: [String: String]
    var large: [String: String]
  }

  private static let pairs = [
    Pair(
      kernel: Gemm.name, small: ["m": "512", "n": "2752", "k": "4096"],
      large: ["m": "2048", "n": "11008", "k": "4096"]),
    Pair(
      kernel: CompressEpilog.name, small: ["tokens": "8192"], large: ["tokens": "65536"]),
    Pair(
      kernel: FlashAttention.name, small: ["kv": "8192", "heads": "8", "q": "1"],
      large: ["kv": "65536", "heads": "8", "q": "1"]),
  ]

  /// The bytes of each larger program itself; and where the system tells them, the bytes by which a
  /// process that builds, checks and times it peaks higher than one for the smaller program.
  ///
  /// On the default machine, as the processes are.
  func measure() throws(NPUError) -> [Measurement] {
    var lines: [Measurement] = []
    for pair in Self.pairs {
      let label = pair.large.sorted { $0.key < $1.key }
        .reduce(pair.kernel) { "\($0) --\($1.key) \($1.value)" }
      let small = try Self.program(pair.kernel, pair.small)
      let large = try Self.program(pair.kernel, pair.large)
      lines.append(
        Self.line("program memory", label, bytes: large.storageBytes, ops: large.opCount))
      if let before = Self.peak(pair.kernel, pair.small),
        let after = Self.peak(pair.kernel, pair.large), large.opCount > small.opCount
      {
        lines.append(
          Self.line(
            "run memory", label + " --no-values", bytes: after - before,
            ops: large.opCount - small.opCount))
      }
    }
    return lines
  }

  private static func line(_ part: String, _ name: String, bytes: Int, ops: Int) -> Measurement {
    Measurement(
      name: "\(name), \(ops) micro-ops", part: part, value: Double(bytes) / Double(max(1, ops)),
      unit: "B/micro-op")
  }

  private static func program(_ kernel: String, _ options: [String: String]) throws(NPUError)
    -> (storageBytes: Int, opCount: Int)
  {
    let type = try Catalog.kernel(named: kernel)
    let arguments = try KernelArguments(kernel: kernel, options: type.options, values: options)
    let machine = try Presets.named(Presets.defaultName).configuration
    let program = try type.init(arguments, machine: machine, schedule: nil).program()
    return (program.storageBytes, program.opCount)
  }

  /// The largest resident size of a run without values in a process of its own; `nil` where that
  /// cannot be measured.
  private static func peak(_ kernel: String, _ options: [String: String]) -> Int? {
    #if os(Linux)
      var words = ["simctl", "run", kernel, "--no-values"]
      for (name, value) in options { words += ["--\(name)", value] }
      var arguments = words.map { strdup($0) } + [nil]
      defer { for argument in arguments { free(argument) } }
      var actions = posix_spawn_file_actions_t()
      guard posix_spawn_file_actions_init(&actions) == 0 else { return nil }
      defer { posix_spawn_file_actions_destroy(&actions) }
      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
      var child = pid_t()
      guard posix_spawn(&child, "/proc/self/exe", &actions, nil, &arguments, environ) == 0 else {
        return nil
      }
      var status: Int32 = 0
      var usage = rusage()
      guard wait4(child, &status, 0, &usage) == child, status == 0 else { return nil }
      // In units of 1,024 bytes.
      return Int(usage.ru_maxrss) * 1024
    #else
      return nil
    #endif
  }
}
