import NPUKernels
import NPUSim

/// The speed of the parts of a run, and of whole runs.
struct EngineBench {
  let samples: Int
  let machine: MachineConfiguration

  /// Emission, checker, timing and the text form over one program, in micro-ops a second.
  func measureParts() throws(NPUError) -> [Measurement] {
    let type = SoftmaxV.self
    let arguments = try KernelArguments(
      kernel: type.name, options: type.options, values: ["kv": "16384"])
    let kernel = try type.init(arguments, machine: machine, schedule: nil)
    let program = try kernel.program()
    let amount = Double(program.opCount)
    let name = "softmax_v --kv 16384, \(program.opCount) micro-ops"
    func line(_ part: String, _ body: () throws(NPUError) -> Void) throws(NPUError) -> Measurement {
      let rate = try Stopwatch.rate(amount: amount, samples: samples, body)
      return Measurement(name: name, part: part, value: rate / 1e6, unit: "M micro-ops/s")
    }
    let rolled = try ProgramText.print(program)
    var options = ProgramText.Options()
    options.rollsLoops = false
    let flat = try ProgramText.print(program, options)
    return [
      try line("emission") { () throws(NPUError) in _ = try kernel.program() },
      try line("checker") { () throws(NPUError) in _ = Checker.check(program) },
      try line("timing") { () throws(NPUError) in _ = try TimingEngine.run(program) },
      try line("text") { () throws(NPUError) in _ = try ProgramText.print(program) },
      try line("assembly, loops") { () throws(NPUError) in try assemble(rolled) },
      try line("assembly, flat") { () throws(NPUError) in try assemble(flat) },
    ]
  }

  /// Reads and expands a text.
  private func assemble(_ text: [UInt8]) throws(NPUError) {
    let source = TextSource(file: "bench.npu", bytes: text)
    _ = try TextProgram.parse(source).get().assemble(machine: machine, catalogue: .standard).get()
  }

  /// Whole runs, everything on, in milliseconds.
  func measureRuns() throws(NPUError) -> [Measurement] {
    var lines: [Measurement] = []
    for kv in ["128", "1024", "4096"] {
      var request = RunRequest(kernel: SoftmaxV.name, machine: machine)
      request.arguments = ["kv": kv]
      let ready = request
      let rate = try Stopwatch.rate(amount: 1, samples: samples) { () throws(NPUError) in
        _ = try Runner.run(ready)
      }
      lines.append(
        Measurement(name: "softmax_v --kv \(kv)", part: "run", value: 1e3 / rate, unit: "ms"))
    }
    return lines
  }
}
