import NPUSim

/// Executes values in the order of randomised timings and compares HBM afterwards.
enum JitterCheck {
  /// On a proved program no word changes.
  static func run(
    _ program: Program, inputs: RunInputs, expected: MachineState, runs: Int, percent: Int,
    seed: UInt64
  ) throws(NPUError) -> RunReport.Jitter {
    var changed = 0
    for run in 0..<runs {
      let options = TimingOptions(
        jitter: TimingOptions.Jitter(seed: seed &+ UInt64(run), percent: percent), timeline: true)
      let timing = try TimingEngine.run(program, options)
      let state = MachineState(program, lending: inputs.lent)
      try Runner.load(inputs, program, state)
      _ = try FunctionalEngine.run(
        program, state: state, order: order(timing.timeline ?? [], program))
      if !isEqual(state, expected, program) { changed += 1 }
    }
    return RunReport.Jitter(runs: runs, percent: percent, changed: changed)
  }

  private static func order(_ timeline: [[OpInstants]], _ program: Program) -> [OrderStep] {
    OrderStep.order(program) { core, op in
      (timeline[core][op].start, timeline[core][op].visible)
    }
  }

  private static func isEqual(_ a: MachineState, _ b: MachineState, _ program: Program) -> Bool {
    program.buffers.indices.allSatisfy { index in
      guard program.buffers[index].space == .hbm else { return true }
      return a.readTensor(UInt32(index)) == b.readTensor(UInt32(index))
    }
  }
}
