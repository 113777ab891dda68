import NPUSim

/// Emits the query blocks of one core.
struct FlashScalarCore {
  private let form: FlashShape
  private let width: Int
  private let layout: FlashScalarLayout
  private let tensors: FlashTensors
  private var queryRing: Ring<UB>
  /// k and v in turn.
  private var numberRing: Ring<UB>
  private var results: FlashResults
  private let ones: BufferHandle<UB>
  private var hasOnes = false
  private let repeated: BufferHandle<UB>
  private let turned: BufferHandle<UB>
  private let scores: BufferHandle<UB>
  private let weights: BufferHandle<UB>
  private let partials: BufferHandle<UB>
  /// The maxima so far of the raw and of the scaled scores, α, the row sums of a block, l and O.
  private let top: BufferHandle<UB>
  private let limit: BufferHandle<UB>
  private let alpha: BufferHandle<UB>
  private let blockSum: BufferHandle<UB>
  private let sum: BufferHandle<UB>
  private let output: BufferHandle<UB>

  init(
    _ kernel: FlashAttention, _ layout: FlashScalarLayout, tensors: FlashTensors,
    _ p: inout ProgramBuilder
  ) throws(NPUError) {
    form = kernel.form
    width = kernel.plan.tileKV
    self.layout = layout
    self.tensors = tensors
    let memory = try p.allocate(layout.buffers)
    queryRing = try memory.ring("q", in: UB.self)
    numberRing = try memory.ring("kv", in: UB.self)
    results = try FlashResults(tensors, memory)
    ones = try memory.buffer("ones", in: UB.self)
    repeated = try memory.buffer("repeated", in: UB.self)
    turned = try memory.buffer("turned", in: UB.self)
    scores = try memory.buffer("s", in: UB.self)
    weights = try memory.buffer("p", in: UB.self)
    partials = try memory.buffer("partials", in: UB.self)
    top = try memory.buffer("top", in: UB.self)
    limit = try memory.buffer("m", in: UB.self)
    alpha = try memory.buffer("alpha", in: UB.self)
    blockSum = try memory.buffer("l_block", in: UB.self)
    sum = try memory.buffer("l", in: UB.self)
    output = try memory.buffer("o", in: UB.self)
  }

  /// One block of queries: the loop over the blocks of keys.
  mutating func emit(_ tile: FlashQueryTile, _ p: inout ProgramBuilder) {
    let blocks = form.tiles(queries: tile.queries, tileKV: width)
    guard !blocks.isEmpty else {
      results.finishBlind(tile, &p)
      return
    }
    if !hasOnes {
      p.emit(Fill(ones.tile(), 1))
      hasOnes = true
    }
    let rows = tile.rows
    let query = queryRing.load(tensors.q.tile(row: tile.firstRow, rows: rows), &p)
    p.emit(Fill(limit.tile(rows: rows), -.infinity))
    p.emit(Fill(sum.tile(rows: rows), 0))
    p.emit(Fill(output.tile(rows: rows), 0))
    for block in blocks {
      p.pushScope("keys", iteration: block)
      let keys = form.touched(block, queries: tile.queries, tileKV: width)
      let score = scores.tile(rows: rows, columns: keys.count)
      p.emit(RowBroadcast<MulRule>(score, spread(tensors.k, tile, keys, &p), query))
      for part in tile.masked(keys, form, granule: keys.count) {
        p.emit(tile.mask(score, keys: part, form))
      }
      carry(tile, keys, score, &p)
      p.popScope()
    }
    results.finish(
      [
        FlashResults.Row(
          tile: tile, sum: sum.tile(rows: rows), limit: limit.tile(rows: rows),
          output: output.tile(rows: rows), blind: tile.blindRows(form))
      ], &p)
  }

  /// The numbers of some keys as a row for each query: a column times ones, turned.
  private mutating func spread(
    _ tensor: BufferHandle<HBM>, _ tile: FlashQueryTile, _ keys: Range<Int>,
    _ p: inout ProgramBuilder
  ) -> Tile<UB> {
    let numbers = numberRing.load(
      tensor.tile(slot: tile.group, row: keys.lowerBound, rows: keys.count), &p)
    let wide = repeated.tile(rows: keys.count, columns: tile.rows)
    p.emit(RowBroadcast<MulRule>(wide, ones.tile(rows: keys.count, columns: tile.rows), numbers))
    let row = turned.tile(rows: tile.rows, columns: keys.count)
    p.emit(TransposeUB(row, wide))
    return row
  }

  /// m, l and O over one block of scores.
  private mutating func carry(
    _ tile: FlashQueryTile, _ keys: Range<Int>, _ score: Tile<UB>, _ p: inout ProgramBuilder
  ) {
    let rows = tile.rows
    let factor = form.scoreFactor
    let weight = weights.tile(rows: rows, columns: keys.count)
    let partial = partials.tile(rows: rows, columns: min(layout.lanes, keys.count))
    let (limit, alpha, blockSum) = (
      limit.tile(rows: rows), alpha.tile(rows: rows), blockSum.tile(rows: rows)
    )
    let top = top.tile(rows: rows)
    p.emit(RowMax(top, score, start: true))
    p.emit(WithScalar<MulRule>(top, top, factor))
    p.emit(Elementwise<MaxRule>(top, top, limit))
    p.emit(Exp2Fused(weight, score, top, k: factor))
    p.emit(Exp2Fused(alpha, limit, top, k: 1, empty: .one))
    p.emit(CopyUB(limit, top))
    p.emit(RowSum(partial, weight, start: true))
    p.emit(RowFinish(blockSum, partial))
    let sum = sum.tile(rows: rows)
    p.emit(RescaleAdd(sum, sum, alpha, blockSum))
    let values = spread(tensors.v, tile, keys, &p)
    p.emit(Elementwise<MulRule>(weight, weight, values))
    p.emit(RowSum(partial, weight, start: true))
    p.emit(RowFinish(blockSum, partial))
    let output = output.tile(rows: rows)
    p.emit(RescaleAdd(output, output, alpha, blockSum))
  }
}
