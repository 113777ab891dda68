import NPUSim

// MARK: Schedule

/// The online rung of ``FlashAttention``: the definition as a program. One query tile at a time goes
/// through the kv tiles that it sees, with one slot in every memory, one step after the other; the
/// scores never leave the chip. K and V in BF16 or FP8 are encoded where they are first read, and kept
/// in HBM as MXINT8.
struct FlashOnline: FlashProgram {
  private let kernel: FlashAttention

  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule] {
    let limit = (shape.kv + 31) / 32 * 32
    // Many queries first: K and V are read again for each tile of them.
    return [[256, 192, 128], [96, 64, 32]].flatMap { widths in
      [128, 64, 48, 32, 16, 8, 4, 2, 1].flatMap { rows in
        widths.map { FlashSchedule(tileQ: min(rows, shape.queries), tileKV: min($0, limit)) }
      }
    }
  }

  static func layout(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> any FlashLayout {
    FlashOnlineLayout(plan, shape, machine)
  }

  init(_ kernel: FlashAttention) { self.kernel = kernel }

  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let machine = kernel.machine
    let layout = FlashOnlineLayout(kernel.plan, kernel.form, machine)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let tiles = FlashQueryTile.share(
        kernel.form, tileQ: kernel.plan.tileQ, core: core, of: machine.cores)
      guard !tiles.isEmpty else { continue }
      var stream = try FlashOnlineCore(
        kernel, layout, tensors: tensors, tiles: tiles, core: core, &p)
      stream.emit(&p)
    }
  }
}
