import NPUKernels
import NPUSim

/// How long a check of many values takes.
struct SweepBench {
  let samples: Int
  let machine: MachineConfiguration

  /// Some 300 micro-ops whose tiles change with the parameter.
  private static let text = """
    .param n = 1
    .let rows = 1 + n % 16
    .input x bf16 [432, 64]
    .output y bf16 [27 * rows, 64]
    .buf a ub bf16 [16, 64] {slots=2}
    .buf b ub bf16 [16, 64] {slots=2}
    .loop i 0..<27
      produce a: load.ub a[0 +: rows, :] <- x[i * rows +: rows, :]
      consume a
        produce b: vector.exp b[0 +: rows, :] <- a[0 +: rows, :]
      .end
      consume b: store.hbm y[i * rows +: rows, :] <- b[0 +: rows, :]
    .end
    """

  /// Wall time of 1,000 values, the text read once.
  func measure() throws(NPUError) -> Measurement {
    let source = TextSource(file: "bench.npu", text: Self.text)
    let program = try TextProgram.parse(source).get()
    let assembly = try program.assemble(machine: machine, catalogue: .standard).get()
    let values = try ValueProduct([ValueProduct.List("n", "1..1000", flag: "--param")])
    let request = RunRequest(kernel: "bench.npu", machine: machine)
    let sweep = try ValueSweep(.text(program), values, request)
    let rate = try Stopwatch.rate(amount: 1, samples: samples, clock: .wall) {
      () throws(NPUError) in
      _ = try sweep.run()
    }
    return Measurement(
      name: "\(values.count) values of a text, \(assembly.program.opCount) micro-ops",
      part: "check",
      value: 1e3 / rate, unit: "ms")
  }
}
