import NPUSim

/// What happens to m, l and O of some rows at the end: the outputs are made and stored, or with
/// splits the three are stored for the combine step.
struct FlashEpilogue {
  /// Partial results in HBM, split after split.
  struct Partials {
    let m: BufferHandle<HBM>
    let l: BufferHandle<HBM>
    let o: BufferHandle<HBM>
  }

  private let form: FlashShape
  private let tensors: FlashTensors
  private let partials: Partials?
  private let columns: BufferHandle<UB>
  private let logSums: BufferHandle<UB>
  private let outputs: BufferHandle<UB>

  init(
    _ form: FlashShape, _ tensors: FlashTensors, partials: Partials?, _ memory: PlacedBuffers
  ) throws(NPUError) {
    self.form = form
    self.tensors = tensors
    self.partials = partials
    columns = try memory.buffer("column", in: UB.self)
    logSums = try memory.buffer("lse", in: UB.self)
    outputs = try memory.buffer("out", in: UB.self)
  }

  /// The rings for tiles of `rows` rows.
  static func buffers(_ form: FlashShape, rows: Int) -> [PlannedBuffer] {
    func ring(_ name: String, _ format: ElementFormat, columns: Int) -> PlannedBuffer {
      PlannedBuffer(name, .ub, format, slots: 1, rows: rows, columns: columns)
    }
    return [
      ring("column", .f32, columns: 1), ring("lse", .f32, columns: 1),
      ring("out", .bf16, columns: form.headDim),
    ]
  }

  /// Emits the end of a job.
  func emit(
    _ job: FlashDecodeJob, l: Tile<UB>, o: Tile<UB>, m: Tile<UB>, _ p: inout ProgramBuilder
  ) {
    if let partials {
      store(job, l: l, o: o, m: m, to: partials, &p)
    } else {
      emit(runs: job.runs(form), l: l, o: o, m: m, &p)
    }
  }

  /// out = bf16(fl32(O · fl32(1/l))) and lse = fl32(fl32(m·ln2) + ln l), 0 for 1/l where l = 0.
  func emit(
    runs: [FlashDecodeJob.Run], l: Tile<UB>, o: Tile<UB>, m: Tile<UB>, _ p: inout ProgramBuilder
  ) {
    let column = columns.tile(rows: l.rows)
    let lse = logSums.tile(rows: l.rows)
    let out = outputs.tile(rows: l.rows)
    p.emit(Special<ReciprocalRule>(column, l))
    p.emit(WithScalar<MulRule>(lse, m, FlashReference.ln2))
    let hasBlind = form.blindQueries > 0
    if hasBlind { p.emit(SelectScalar(column, where: l, column, else: 0)) }
    p.emit(RowBroadcast<MulRule>(out, o, column))
    p.emit(Special<LogRule>(column, l))
    if hasBlind {
      // NaN that reached a row that sees no key is not its result.
      for row in blindRows(of: runs) {
        p.emit(Fill(out.rows(row), 0))
      }
    } else {
      // Where l = 0 so are all weights, and O · 0 is O: 0, or NaN that reached it.
      p.emit(Select(out, where: l, out, else: o))
    }
    p.emit(Elementwise<AddRule>(lse, lse, column))
    for run in runs {
      for (target, source) in [(tensors.out, out), (tensors.lse, lse)] {
        p.emit(
          StoreHBM(
            target.tile(row: run.tensorRow, rows: run.count), from: source.rows(run.rows)))
      }
    }
  }

  /// The rows of some runs whose query sees no key, as contiguous parts.
  private func blindRows(of runs: [FlashDecodeJob.Run]) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    for run in runs {
      var row = 0
      while row < run.count {
        let query = (run.tensorRow + row) % form.queries
        let count = min(form.blindQueries - query, run.count - row)
        if count > 0 { parts.append(run.row + row..<run.row + row + count) }
        row += form.queries - query
      }
    }
    return parts
  }

  private func store(
    _ job: FlashDecodeJob, l: Tile<UB>, o: Tile<UB>, m: Tile<UB>, to partials: Partials,
    _ p: inout ProgramBuilder
  ) {
    let row = job.split * form.rows
    for run in job.runs(form) {
      for (target, source) in [(partials.m, m), (partials.l, l), (partials.o, o)] {
        p.emit(
          StoreHBM(
            target.tile(row: row + run.tensorRow, rows: run.count), from: source.rows(run.rows)))
      }
    }
  }
}
