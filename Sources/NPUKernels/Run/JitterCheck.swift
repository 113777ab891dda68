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
      let state = MachineState(program)
      try Runner.load(inputs, program, state)
      _ = try FunctionalEngine.run(
        program, state: state, order: order(timing.timeline ?? [], program))
      if !isEqual(state, expected, program) { changed += 1 }
    }
    return RunReport.Jitter(runs: runs, percent: percent, changed: changed)
  }

  /// Sources are read at `start`, results written at `visible`; at one instant the results of
  /// earlier starts come first, then each micro-op that starts, by index.
  static func order(_ timeline: [[OpInstants]], _ program: Program) -> [OrderStep] {
    var steps: [(time: Int64, phase: Int, step: OrderStep)] = []
    for (core, instants) in timeline.enumerated() {
      for (op, instant) in instants.enumerated() {
        // A micro-op that takes no time writes right after it reads.
        let phase = instant.visible > instant.start ? 0 : 1
        steps.append((instant.start, 1, OrderStep(core: core, op: op, kind: .read)))
        steps.append((instant.visible, phase, OrderStep(core: core, op: op, kind: .write)))
      }
    }
    steps.sort { a, b in
      (a.time, a.phase, a.step.core, a.step.op, a.step.kind == .read ? 0 : 1)
        < (b.time, b.phase, b.step.core, b.step.op, b.step.kind == .read ? 0 : 1)
    }
    return steps.map(\.step)
  }

  private static func isEqual(_ a: MachineState, _ b: MachineState, _ program: Program) -> Bool {
    program.buffers.indices.allSatisfy { index in
      guard program.buffers[index].space == .hbm else { return true }
      return a.readTensor(UInt32(index)) == b.readTensor(UInt32(index))
    }
  }
}
