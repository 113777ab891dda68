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
  /// Rows of a tile.
  let tileRows: Int
  private var columnRing: Ring<UB>
  private var lseRing: Ring<UB>
  private var outRing: Ring<UB>

  init(
    _ form: FlashShape, _ tensors: FlashTensors, partials: Partials?, _ memory: PlacedBuffers
  ) throws(NPUError) {
    self.form = form
    self.tensors = tensors
    self.partials = partials
    columnRing = try memory.ring("column", in: UB.self)
    lseRing = try memory.ring("lse", in: UB.self)
    outRing = try memory.ring("out", in: UB.self)
    tileRows = outRing.buffer.rows
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

  /// Emits the end of a job, after the micro-op that wrote O last; returns what has read l, O and m.
  mutating func emit(
    _ job: FlashDecodeJob, l: Tile<UB>, o: Tile<UB>, m: Tile<UB>, after: Token,
    _ p: inout ProgramBuilder
  ) -> Token {
    guard let partials else {
      return emit(rows: job.rows, runs: job.runs(form), l: l, o: o, m: m, &p)
    }
    return store(job, l: l, o: o, m: m, to: partials, after: after, &p)
  }

  /// out = bf16(fl32(O · fl32(1/l))) and lse = fl32(fl32(m·ln2) + ln l), 0 for 1/l where l = 0; returns
  /// what has read l, O and m.
  mutating func emit(
    rows: Int, runs: [FlashDecodeJob.Run], l: Tile<UB>, o: Tile<UB>, m: Tile<UB>,
    _ p: inout ProgramBuilder
  ) -> Token {
    let column = columnRing.acquire().tile(rows: rows)
    let lseSlot = lseRing.acquire()
    let lse = lseSlot.tile(rows: rows)
    let outSlot = outRing.acquire()
    let out = outSlot.tile(rows: rows)
    p.emit(Special<ReciprocalRule>(column, l), after: [])
    p.emit(WithScalar<MulRule>(lse, m, FlashReference.ln2), after: lseSlot.free)
    let hasBlind = form.blindQueries > 0
    if hasBlind { p.emit(SelectScalar(column, where: l, column, else: 0), after: []) }
    p.emit(RowBroadcast<MulRule>(out, o, column), after: outSlot.free)
    p.emit(Special<LogRule>(column, l), after: [])
    if hasBlind {
      // NaN that reached a row that sees no key is not its result.
      for row in blindRows(of: runs) {
        p.emit(Fill(outSlot.tile(row: row.lowerBound, rows: row.count), 0), after: [])
      }
    } else {
      // Where l = 0 so are all weights, and O · 0 is O: 0, or NaN that reached it.
      p.emit(Select(out, where: l, out, else: o), after: [])
    }
    let made = p.emit(Elementwise<AddRule>(lse, lse, column), after: [])
    var stored = made
    for run in runs {
      p.emit(
        StoreHBM(
          tensors.out.tile(row: run.tensorRow, rows: run.count),
          from: outSlot.tile(row: run.row, rows: run.count)), after: made)
      stored = p.emit(
        StoreHBM(
          tensors.lse.tile(row: run.tensorRow, rows: run.count),
          from: lseSlot.tile(row: run.row, rows: run.count)), after: made)
    }
    outRing.release(outSlot, after: stored)
    lseRing.release(lseSlot, after: stored)
    return made
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
    after: Token, _ p: inout ProgramBuilder
  ) -> Token {
    let row = job.split * form.rows
    var stored: Token?
    for run in job.runs(form) {
      let parts = [(partials.m, m), (partials.l, l), (partials.o, o)]
      for (target, source) in parts {
        stored = p.emit(
          StoreHBM(
            target.tile(row: row + run.tensorRow, rows: run.count), from: rowsOf(source, run)),
          after: after)
      }
    }
    return stored ?? after
  }

  /// Some rows of a tile.
  private func rowsOf(_ tile: Tile<UB>, _ run: FlashDecodeJob.Run) -> Tile<UB> {
    var part = tile
    part.ref.row += Int32(clamping: run.row)
    part.ref.rows = Int32(clamping: run.count)
    return part
  }
}
