import NPUSim

// MARK: Schedule

/// The pipelined rung of ``FlashAttention``: loads, matrix, vector unit and drain overlapped, several
/// query tiles in flight (`stages`), pieces of K and V kept in `l1` (`stages.kv` of each).
///
/// K and V in BF16 or FP8 are encoded once, on their way to `l1`; where `l1` does not hold a head, the
/// encoded pieces that come back are also kept in HBM. Tiles that no query of a job sees are left out,
/// and only scores at the edge of what is seen are masked.
struct FlashPipelined: FlashProgram {
  private let kernel: FlashAttention

  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule] {
    FlashTuning(shape, machine).candidates
  }

  /// The words depend on the kv tile: all have that of the cheapest.
  static func candidates(for problem: FlashSchedule.Problem) -> [FlashSchedule] {
    let plans = candidates(problem.shape, machine: problem.machine).filter { $0.fits(problem) }
    return Array(plans.filter { $0.tileKV == plans[0].tileKV }.prefix(10))
  }

  static func layout(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> any FlashLayout {
    FlashPipelinedLayout(plan, shape, machine)
  }

  init(_ kernel: FlashAttention) { self.kernel = kernel }

  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let machine = kernel.machine
    let layout = FlashPipelinedLayout(kernel.plan, kernel.form, machine)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let tiles = FlashQueryTile.share(
        kernel.form, tileQ: kernel.plan.tileQ, core: core, of: machine.cores)
      guard !tiles.isEmpty else { continue }
      let work = FlashWork(
        tiles, kernel.form, plan: kernel.plan, inFlight: layout.inFlight)
      var stream = try FlashPipelinedCore(
        kernel, layout, tensors: tensors, work: work, core: core, &p)
      stream.emit(&p)
    }
  }
}
