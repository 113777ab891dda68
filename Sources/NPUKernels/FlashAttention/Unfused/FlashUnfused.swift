import NPUSim

// MARK: Schedule

/// The unfused rung of ``FlashAttention``: three kernels in a row. S = q·kᵀ is written to HBM for every
/// key, the softmax of whole rows reads it and writes the probabilities in BF16, and P·v reads those:
/// `kv` scores a query cross HBM four times.
struct FlashUnfused: FlashProgram {
  private let kernel: FlashAttention

  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule] {
    let limit = (shape.kv + 31) / 32 * 32
    return [2, 1].flatMap { stages in
      [128, 64, 32].flatMap { width in
        [128, 64, 32, 16, 8, 4, 2, 1].flatMap { rows in
          [6, 4, 2, 1].map { slots in
            FlashSchedule(
              tileQ: min(rows, shape.queries), tileKV: min(width, limit), kvStages: slots,
              stages: stages)
          }
        }
      }
    }
  }

  static func layout(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> any FlashLayout {
    FlashUnfusedLayout(plan, shape, machine)
  }

  init(_ kernel: FlashAttention) { self.kernel = kernel }

  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let machine = kernel.machine
    let layout = FlashUnfusedLayout(kernel.plan, kernel.form, machine)
    guard let written = tensors.unfused else { return }
    for core in 0..<machine.cores {
      p.begin(core: core)
      let tiles = FlashQueryTile.share(
        kernel.form, tileQ: kernel.plan.tileQ, core: core, of: machine.cores)
      guard !tiles.isEmpty else { continue }
      let memory = try p.allocate(layout.buffers)
      var products = try FlashUnfusedProducts(
        kernel.form, layout, tensors: tensors, written, tiles: Array(tiles), core: core, memory,
        &p)
      products.emitScores(&p)
      var softmax = try FlashUnfusedSoftmax(
        kernel.form, layout, tensors: tensors, written, memory)
      softmax.emit(Array(tiles), &p)
      products.emitOutputs(&p)
    }
  }
}
