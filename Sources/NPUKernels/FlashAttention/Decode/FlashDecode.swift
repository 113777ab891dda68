import NPUSim

// MARK: Schedule

/// The decode rung of ``FlashAttention``, and with `isComposed` the composed one.
///
/// Few queries leave the matrix and vector units mostly idle, and k and v are what moves. So the rows
/// of many heads are one score tile, which the vector unit works on as a whole; each head's k and v
/// stream through `l1`, k of the next kv tile before v of this one, so that the softmax of a tile
/// takes place while the other operand streams.
struct FlashDecode: FlashProgram {
  private let kernel: FlashAttention

  init(_ kernel: FlashAttention) { self.kernel = kernel }

  /// Large kv tiles and two stages come first, then rows that are encoded many at a time, loaded far
  /// ahead; then many heads. A cache that is encoded on chip takes few heads, so that no pass of the
  /// softmax holds the encodes up for long.
  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule] {
    let longest = MXINT8.blocks(shape.kv) * MXINT8.blockSize
    let isEncoded = shape.kvFormat != .mxint8
    var result: [FlashSchedule] = []
    for tileKV in [128, 64, 32] where tileKV == 32 || tileKV < longest + tileKV / 2 {
      for stages in [2, 1] {
        let window = stages == 1 ? [1] : isEncoded ? [3, 2, 1] : [4, 2, 1]
        for tileQ in halves(of: min(shape.queries, 64)) {
          for heads in headTiles(shape, rows: 128 / tileQ, groups: isEncoded ? 8 : .max) {
            for (staged, rowStages) in isEncoded
              ? [(128, 5), (64, 5), (64, 3), (32, stages)] : [(32, 1)]
            where staged <= tileKV {
              for kvStages in window {
                result.append(
                  FlashSchedule(
                    tileQ: tileQ, tileKV: tileKV, tileHeads: heads, stagedRows: staged,
                    kvStages: kvStages, rowStages: rowStages, stages: stages))
              }
            }
          }
        }
      }
    }
    return result
  }

  /// Heads of a job: several kv heads with all of theirs, one, or a part of one.
  private static func headTiles(_ shape: FlashShape, rows: Int, groups: Int) -> [Int] {
    let perGroup = shape.headsPerGroup
    let most = max(1, min(shape.groups, groups, rows / perGroup))
    return halves(of: most).map { $0 * perGroup } + halves(of: perGroup).dropFirst()
  }

  /// A number, half of it rounded down, and so on to 1.
  private static func halves(of number: Int) -> [Int] {
    var result: [Int] = []
    var value = max(1, number)
    while value > 1 {
      result.append(value)
      value /= 2
    }
    return result + [1]
  }

  static func layout(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> any FlashLayout {
    FlashDecodeLayout(plan, shape, machine, isComposed: false)
  }

  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let form = kernel.form
    let plan = kernel.plan
    let cores = kernel.machine.cores
    var partials: FlashEpilogue.Partials?
    if form.splits > 1 {
      let (rows, overflow) = form.rows.multipliedReportingOverflow(by: form.splits)
      guard !overflow else {
        throw NPUError(.program, "the partial results of \(form.splits) splits cannot be counted")
      }
      partials = FlashEpilogue.Partials(
        m: try p.tensor("partial.m", .f32, rows: rows, columns: 1, role: .scratch),
        l: try p.tensor("partial.l", .f32, rows: rows, columns: 1, role: .scratch),
        o: try p.tensor("partial.o", .f32, rows: rows, columns: form.headDim, role: .scratch))
    }
    let layout = FlashDecodeLayout(
      plan, form, kernel.machine, isComposed: kernel.rung == .composed)
    for core in 0..<cores {
      p.begin(core: core)
      let jobs = FlashDecodeJob.all(form, plan, core: core, of: cores)
      // A core without work still joins the others where there are splits.
      if jobs.isEmpty && partials == nil { continue }
      let memory = try p.allocate(layout.buffers)
      let epilogue = try FlashEpilogue(form, tensors, partials: partials, memory)
      if !jobs.isEmpty {
        var stream = try FlashDecodeCore(
          kernel, tensors, jobs: jobs, memory, epilogue, &p)
        stream.emit(&p)
      }
      if let partials {
        var combine = try FlashCombine(form, partials, memory, epilogue)
        combine.emit(WorkSplit.range(form.rows, core: core, of: cores), &p)
      }
    }
  }
}

/// The composed rung: ``FlashDecode`` with an FP8 cache whose rows are decoded, scaled and encoded by
/// three micro-ops instead of one.
struct FlashComposed: FlashProgram {
  private let program: FlashDecode

  init(_ kernel: FlashAttention) { program = FlashDecode(kernel) }

  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule] {
    FlashDecode.candidates(shape, machine: machine)
  }

  static func layout(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> any FlashLayout {
    FlashDecodeLayout(plan, shape, machine, isComposed: true)
  }

  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError) {
    try program.emit(tensors, into: &p)
  }
}
