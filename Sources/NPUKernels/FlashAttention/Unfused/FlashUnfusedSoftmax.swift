import NPUSim

/// Emits the softmax of the unfused rung on one core: some whole rows of scores at a time.
struct FlashUnfusedSoftmax {
  private let form: FlashShape
  private let layout: FlashUnfusedLayout
  private let tensors: FlashTensors
  private let written: FlashTensors.Unfused
  private var scoreRing: Ring<UB>
  private var probabilityRing: Ring<UB>
  private var logSumRing: Ring<UB>
  private let weights: BufferHandle<UB>
  private let partials: BufferHandle<UB>
  private let top: BufferHandle<UB>
  private let limit: BufferHandle<UB>
  private let sum: BufferHandle<UB>
  private let inverse: BufferHandle<UB>
  private let logarithm: BufferHandle<UB>

  init(
    _ form: FlashShape, _ layout: FlashUnfusedLayout, tensors: FlashTensors,
    _ written: FlashTensors.Unfused, _ memory: PlacedBuffers
  ) throws(NPUError) {
    self.form = form
    self.layout = layout
    self.tensors = tensors
    self.written = written
    scoreRing = try memory.ring("s", in: UB.self)
    probabilityRing = try memory.ring("p_rows", in: UB.self)
    logSumRing = try memory.ring("lse_rows", in: UB.self)
    weights = try memory.buffer("p_fp32", in: UB.self)
    partials = try memory.buffer("p_sum", in: UB.self)
    top = try memory.buffer("top", in: UB.self)
    limit = try memory.buffer("limit", in: UB.self)
    sum = try memory.buffer("l", in: UB.self)
    inverse = try memory.buffer("inverse", in: UB.self)
    logarithm = try memory.buffer("log_l", in: UB.self)
  }

  /// Probabilities and lse of all rows of some tiles.
  mutating func emit(_ tiles: [FlashQueryTile], _ p: inout ProgramBuilder) {
    let parts = tiles.flatMap { tile in
      stride(from: 0, to: tile.rows, by: layout.softmaxRows).map { start in
        var part = tile
        part.firstRow += start
        let first = tile.queries.lowerBound + start
        part.queries = first..<min(first + layout.softmaxRows, tile.queries.upperBound)
        return part
      }
    }
    for (index, part) in parts.enumerated() {
      p.pushScope("softmax", iteration: index)
      let scores = written.scores.tile(row: part.firstRow, rows: part.rows)
      normalise(part, scoreRing.load(scores, &p), &p)
      p.popScope()
    }
  }

  private mutating func normalise(
    _ tile: FlashQueryTile, _ scores: Tile<UB>, _ p: inout ProgramBuilder
  ) {
    let rows = tile.rows
    let factor = form.scoreFactor
    for part in tile.masked(0..<form.kv, form, granule: form.kv) {
      p.emit(tile.mask(scores, keys: part, form))
    }
    p.emit(RowMax(top.tile(rows: rows), scores, start: true))
    p.emit(WithScalar<MulRule>(limit.tile(rows: rows), top.tile(rows: rows), factor))
    let weight = weights.tile(rows: rows)
    p.emit(Exp2Fused(weight, scores, limit.tile(rows: rows), k: factor))
    let partial = partials.tile(rows: rows)
    p.emit(RowSum(partial, weight, start: true))
    p.emit(RowFinish(sum.tile(rows: rows), partial))
    p.emit(Special<ReciprocalRule>(inverse.tile(rows: rows), sum.tile(rows: rows)))
    p.emit(
      SelectScalar(
        inverse.tile(rows: rows), where: sum.tile(rows: rows), inverse.tile(rows: rows), else: 0))
    let probabilities = probabilityRing.next().tile(rows: rows)
    p.emit(RowBroadcast<MulRule>(probabilities, weight, inverse.tile(rows: rows)))
    p.emit(
      StoreHBM(written.probabilities.tile(row: tile.firstRow, rows: rows), from: probabilities))
    p.emit(Special<LogRule>(logarithm.tile(rows: rows), sum.tile(rows: rows)))
    let logSum = logSumRing.next().tile(rows: rows)
    p.emit(WithScalar<MulRule>(logSum, limit.tile(rows: rows), FlashReference.ln2))
    p.emit(Elementwise<AddRule>(logSum, logSum, logarithm.tile(rows: rows)))
    p.emit(StoreHBM(tensors.lse.tile(row: tile.firstRow, rows: rows), from: logSum))
  }
}
