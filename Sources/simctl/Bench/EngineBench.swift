import NPUKernels
import NPUSim

/// The speed of the parts of a run, and of whole runs.
struct EngineBench {
  let samples: Int
  let machine: MachineConfiguration

  /// Programs whose parts are measured: kernel and options.
  private static let programs: [(kernel: String, options: [String: String])] = [
    (SoftmaxV.name, ["kv": "16384"]),
    (Gemm.name, ["m": "2048", "n": "2048", "k": "2048"]),
    (FlashAttention.name, ["q": "1024", "kv": "1024"]),
  ]

  /// Whole runs with everything on, and where only checking and timing is wanted, without values.
  private static let runs: [(kernel: String, options: [String: String], withValues: Bool)] = [
    (SoftmaxV.name, ["kv": "128"], true),
    (SoftmaxV.name, ["kv": "4096"], true),
    (Gemm.name, ["m": "1024", "n": "1024", "k": "1024"], true),
    (Gemm.name, ["m": "4096", "n": "4096", "k": "4096"], true),
    (Gemm.name, ["m": "2048", "n": "11008", "k": "4096"], false),
  ]

  /// Reads and expands a text.
  private func assemble(_ text: [UInt8]) throws(NPUError) {
    let source = TextSource(file: "bench.npu", bytes: text)
    _ = try TextProgram.parse(source).get().assemble(machine: machine, catalogue: .standard).get()
  }

  /// Emission, checker, timing and the text form over some programs, in micro-ops a second.
  func measureParts() throws(NPUError) -> [Measurement] {
    var lines: [Measurement] = []
    for (name, options) in Self.programs {
      let type = try Catalog.kernel(named: name)
      let arguments = try KernelArguments(kernel: name, options: type.options, values: options)
      let kernel = try type.init(arguments, machine: machine, schedule: nil)
      let program = try kernel.program()
      let amount = Double(program.opCount)
      let label = "\(Self.label(name, options)), \(program.opCount) micro-ops"
      func line(_ part: String, _ body: () throws(NPUError) -> Void) throws(NPUError) {
        let rate = try Stopwatch.rate(amount: amount, samples: samples, body)
        lines.append(
          Measurement(name: label, part: part, value: rate / 1e6, unit: "M micro-ops/s"))
      }
      try line("emission") { () throws(NPUError) in _ = try kernel.program() }
      try line("checker") { () throws(NPUError) in _ = Checker.check(program) }
      try line("timing") { () throws(NPUError) in _ = try TimingEngine.run(program) }
      var written = ProgramText.Options()
      written.rollsLoops = false
      let flat = try ProgramText.print(program, written)
      try line("assembly, flat") { () throws(NPUError) in try assemble(flat) }
      guard name == SoftmaxV.name else { continue }
      let rolled = try ProgramText.print(program)
      try line("text") { () throws(NPUError) in _ = try ProgramText.print(program) }
      try line("assembly, loops") { () throws(NPUError) in try assemble(rolled) }
    }
    lines.append(try SweepBench(samples: samples, machine: machine).measure())
    lines += try OrderBench(samples: samples, machine: machine).measure()
    return lines + (try MemoryBench().measure())
  }

  /// Whole runs in milliseconds of wall time.
  func measureRuns() throws(NPUError) -> [Measurement] {
    var lines: [Measurement] = []
    for (name, options, withValues) in Self.runs {
      var request = RunRequest(kernel: name, machine: machine)
      request.arguments = options
      request.plan = withValues ? .values : .timing
      let ready = request
      let rate = try Stopwatch.rate(amount: 1, samples: samples, clock: .wall) {
        () throws(NPUError) in
        _ = try Runner.run(ready)
      }
      lines.append(
        Measurement(
          name: Self.label(name, options) + (withValues ? "" : " --no-values"), part: "run",
          value: 1e3 / rate, unit: "ms"))
    }
    return lines
  }

  private static func label(_ kernel: String, _ options: [String: String]) -> String {
    options.sorted { $0.key < $1.key }.reduce(kernel) { "\($0) --\($1.key) \($1.value)" }
  }
}
