import NPUKernels
import NPUSim

/// The speed of the parts of a run, and of whole runs.
struct EngineBench {
  let samples: Int
  let machine: MachineConfiguration

  /// Programs whose parts are measured.
  private static let programs = [
    BenchKernel(SoftmaxV.name, ["kv": "16384"]),
    BenchKernel(Gemm.name, ["m": "2048", "n": "2048", "k": "2048"]),
    BenchKernel(FlashAttention.name, ["q": "1024", "kv": "1024"]),
  ]

  /// Whole runs with everything on, and where only checking and timing is wanted, without values.
  private static let runs: [(kernel: BenchKernel, withValues: Bool)] = [
    (BenchKernel(SoftmaxV.name, ["kv": "128"]), true),
    (BenchKernel(SoftmaxV.name, ["kv": "4096"]), true),
    (BenchKernel(Gemm.name, ["m": "1024", "n": "1024", "k": "1024"]), true),
    (BenchKernel(Gemm.name, ["m": "4096", "n": "4096", "k": "4096"]), true),
    (BenchKernel(Gemm.name, ["m": "2048", "n": "11008", "k": "4096"]), false),
  ]

  /// Reads and expands a text.
  private func assemble(_ text: [UInt8]) throws(NPUError) {
    let source = TextSource(file: "bench.npu", bytes: text)
    _ = try TextProgram.parse(source).get().assemble(machine: machine, catalogue: .standard).get()
  }

  /// Emission, checker, timing and the text form over some programs, in micro-ops a second.
  func measureParts() throws(NPUError) -> [Measurement] {
    var lines: [Measurement] = []
    for one in Self.programs {
      let kernel = try one.make(on: machine)
      let program = try kernel.program()
      let amount = Double(program.opCount)
      let label = "\(one.label), \(program.opCount) micro-ops"
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
      guard one.name == SoftmaxV.name else { continue }
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
    for (one, withValues) in Self.runs {
      var request = RunRequest(kernel: one.name, machine: machine)
      request.arguments = one.options
      request.plan = withValues ? .values : .timing
      let ready = request
      let rate = try Stopwatch.rate(amount: 1, samples: samples, clock: .wall) {
        () throws(NPUError) in
        _ = try Runner.run(ready)
      }
      lines.append(
        Measurement(
          name: one.label + (withValues ? "" : " --no-values"), part: "run",
          value: 1e3 / rate, unit: "ms"))
    }
    return lines
  }
}
