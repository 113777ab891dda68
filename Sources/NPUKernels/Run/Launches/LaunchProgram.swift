import NPUSim

/// What a launch is for whatever tensors it runs on: its program, the proof of it, and its cycles.
struct LaunchProgram: Sendable {
  /// What decides it.
  struct Key: Sendable, Hashable {
    var call: KernelCall
    var bindings: TensorBindings
    var indices: IndexTensors
  }

  let kernel: any Kernel
  let program: Program
  let proof: Proof
  /// Bytes that cross HBM, in whole bursts.
  let hbmBytes: Int64
  /// Whether it was timed.
  private(set) var timing: RunReport.Timing?
  private let work: CompulsoryWork?

  /// Builds and proves. Throws `.program` for one that is not clean, with its first finding.
  init(_ kernel: any Kernel, _ key: Key) throws(NPUError) {
    self.kernel = kernel
    let sequence = try kernel.wholeSequence(
      key.indices, on: kernel.machine, bindings: key.bindings)
    program = kernel.ordered(sequence).program
    work = kernel.statedWork(key.indices)
    let traffic = TrafficSummary(program)
    hbmBytes = traffic.hbmReadBursts.addedClamped(to: traffic.hbmWrittenBursts)
    let check = Checker.check(program)
    proof = check.proof
    if let finding = check.findings.first(where: { $0.severity == .error }) {
      throw NPUError(
        .program, "\(finding.code.rawValue): \(finding.message)", hint: finding.fix)
    }
  }

  /// Times it, once.
  mutating func time() throws(NPUError) {
    if timing != nil { return }
    timing = try RunTiming(program, work: work).timing(of: kernel)
  }
}
