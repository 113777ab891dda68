import NPUKernels
import NPUSim
import Testing

/// Slips in the schedules of every kernel: whatever can change a value under some timing is reported,
/// by the checker or by the numbers of the plain run.
@Suite struct KernelMutationTests {
  static let seed: UInt64 = 20_261
  /// Randomised timings under which an unreported mutant is executed.
  static let timings: UInt64 = 6

  /// What became of the mutants of a program.
  struct Outcome {
    var tried = 0
    var byChecker = 0
    var byNumbers = 0
    /// No word changes under any timing that was tried.
    var harmless = 0
    /// Words change under some timing only, and nothing says so.
    var survivors: [String] = []
  }

  @Test func `every kernel has small programs to mutate`() {
    let covered = Set(MutationSetup.all.map(\.kernel))
    #expect(covered == Set(Catalog.kernels.map { $0.name }))
  }

  @Test(arguments: MutationSetup.all)
  func `no slip that some timing shows goes unreported`(setup: MutationSetup) throws {
    let program = try setup.program()
    #expect(Checker.check(program).isClean, "\(setup)")
    #expect(Checker.redundantEvents(program).isEmpty, "\(setup)")
    #expect(Checker.redundantBarriers(program).isEmpty, "\(setup)")
    let bench = try MutationBench(program, inputs: setup.inputs())
    var random = SeededGenerator(seed: Self.seed)
    var outcome = Outcome()
    let all = ProgramMutation.all(of: program)
    for mutation in all
    where TestScale.isFull
      ? random.below(max(1, all.count / 1_500)) == 0
      : random.below(max(1, all.count / 120)) == 0
    {
      guard let mutant = mutation.apply(to: program) else { continue }
      try judge(mutation, mutant, bench, &outcome)
    }
    #expect(outcome.tried > 10, "\(setup)")
    // At least 99 % are asked for; nothing is known to survive.
    #expect(outcome.survivors.isEmpty, "\(setup), seed \(Self.seed): \(outcome.survivors)")
    // The slips are worth trying: most show.
    #expect(2 * (outcome.byChecker + outcome.byNumbers) > outcome.tried, "\(setup): \(outcome)")
  }

  private func judge(
    _ mutation: ProgramMutation, _ mutant: Program, _ bench: MutationBench,
    _ outcome: inout Outcome
  ) throws {
    outcome.tried += 1
    guard Checker.check(mutant).isClean else {
      outcome.byChecker += 1
      return
    }
    guard try bench.isUnchanged(mutant) else {
      outcome.byNumbers += 1
      return
    }
    for timing in 0..<Self.timings where try !bench.isUnchanged(mutant, timing: timing) {
      outcome.survivors.append("\(mutation), timing \(timing)")
      return
    }
    outcome.harmless += 1
  }
}

/// Executes variants of a program on the same inputs and compares what they leave in HBM.
struct MutationBench {
  private let inputs: TensorSet
  private let expected: [[UInt8]]

  init(_ program: Program, inputs: TensorSet) throws {
    self.inputs = inputs
    expected = try Self.outputs(program, inputs, timing: nil)
  }

  /// Whether a variant leaves the same words, executed plainly or in the order of a random timing.
  func isUnchanged(_ program: Program, timing: UInt64? = nil) throws -> Bool {
    try Self.outputs(program, inputs, timing: timing) == expected
  }

  private static func outputs(
    _ program: Program, _ inputs: TensorSet, timing: UInt64?
  ) throws -> [[UInt8]] {
    let state = MachineState(program)
    for (index, buffer) in program.buffers.enumerated()
    where buffer.space == .hbm && (buffer.role == .input || buffer.role == .inputOutput) {
      // What is updated in place starts from a pattern, as the dump has its final words.
      let words =
        buffer.role == .inputOutput
        ? [UInt8](repeating: 0x11, count: buffer.payloadExtent)
        : inputs[buffer.name]?.storage ?? []
      let scales = inputs[buffer.name + ".scale"]?.storage ?? []
      try words.withUnsafeBytes {
        try state.writeTensor(
          UInt32(index), payload: $0,
          scales: buffer.format == .mxint8 ? scales : [])
      }
    }
    if let timing {
      // Far from the program's own durations, to bring out what only some timing shows.
      let options = TimingOptions(
        jitter: .init(seed: timing, percent: timing % 2 == 0 ? 90 : 1_000), timeline: true)
      let timeline = try TimingEngine.run(program, options).timeline ?? []
      let order = OrderStep.order(program) { core, op in
        (timeline[core][op].start, timeline[core][op].visible)
      }
      _ = try FunctionalEngine.run(program, state: state, order: order)
    } else {
      _ = try FunctionalEngine.run(program, state: state)
    }
    return program.buffers.indices.filter { program.buffers[$0].space == .hbm }.map {
      let words = state.readTensor(UInt32($0))
      return words.payload + words.scales
    }
  }
}
