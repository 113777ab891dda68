import NPUSim

// MARK: Schedule

/// The scalar rung of ``FlashAttention``: q, k and v are numbers, one for each position, and all of it
/// happens on the vector unit. One loop over blocks of B0 = `tile.q` queries, and in it one over blocks
/// of B1 = `tile.kv` keys, carries m, l and O on; nothing else is remembered of the keys that passed.
struct FlashScalar: FlashProgram {
  private let kernel: FlashAttention

  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule] {
    [128, 64, 32, 16, 8, 4, 2, 1].map {
      FlashSchedule(tileQ: min($0, shape.queries), tileKV: min($0, shape.kv))
    }
  }

  static func layout(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> any FlashLayout {
    FlashScalarLayout(plan, shape, machine)
  }

  init(_ kernel: FlashAttention) { self.kernel = kernel }

  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let cores = kernel.machine.cores
    let layout = FlashScalarLayout(kernel.plan, kernel.form, kernel.machine)
    for core in 0..<cores {
      p.begin(core: core)
      let tiles = FlashQueryTile.share(
        kernel.form, tileQ: kernel.plan.tileQ, core: core, of: cores)
      guard !tiles.isEmpty else { continue }
      var stream = try FlashScalarCore(kernel, layout, tensors: tensors, &p)
      for (index, tile) in tiles.enumerated() {
        p.pushScope("queries", iteration: index)
        stream.emit(tile, &p)
        p.popScope()
      }
    }
  }
}
