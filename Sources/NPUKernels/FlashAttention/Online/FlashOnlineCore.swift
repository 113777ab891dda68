import NPUSim

/// Emits the query tiles of one core, step by step as the definition states them.
struct FlashOnlineCore {
  private let form: FlashShape
  private let layout: FlashOnlineLayout
  private let tensors: FlashTensors
  private let tiles: ArraySlice<FlashQueryTile>
  private let factor: Float

  private var keys: FlashPieces
  private var values: FlashPieces
  private let lane: FlashEncodeLane
  private var results: FlashResults
  private var rings: FlashProductRings
  private var accProductRing: Ring<Acc>
  private var scoreRing: Ring<UB>
  private var encodedRing: Ring<UB>
  private var productRing: Ring<UB>
  private let weights: BufferHandle<UB>
  private let partials: BufferHandle<UB>
  private let outputs: BufferHandle<UB>
  /// The row maxima of S, and scaled with those before; m, α, the row sums of p, and l.
  private let top: BufferHandle<UB>
  private let limit: BufferHandle<UB>
  private let before: BufferHandle<UB>
  private let alpha: BufferHandle<UB>
  private let tileSum: BufferHandle<UB>
  private let sum: BufferHandle<UB>

  init(
    _ kernel: FlashAttention, _ layout: FlashOnlineLayout, tensors: FlashTensors,
    tiles: ArraySlice<FlashQueryTile>, core: Int, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    form = kernel.form
    self.layout = layout
    self.tensors = tensors
    self.tiles = tiles
    factor = kernel.form.scoreFactor
    let uses = tiles.flatMap { tile in
      Self.steps(tile, kernel.form, layout).flatMap { step in
        Self.pieces(step, layout).map { columns in
          FlashPieces.Use(
            group: tile.group,
            keys: step.lowerBound + columns.lowerBound..<step.lowerBound + columns.upperBound)
        }
      }
    }
    let memory = try p.allocate(layout.buffers)
    (keys, values) = try FlashPieces.both(tensors, uses, core: core, memory, &p)
    lane = try FlashEncodeLane("q", memory)
    results = try FlashResults(tensors, memory)
    rings = try FlashProductRings(memory)
    accProductRing = try memory.ring("t_acc", in: Acc.self)
    scoreRing = try memory.ring("s", in: UB.self)
    encodedRing = try memory.ring("p_mx", in: UB.self)
    productRing = try memory.ring("t", in: UB.self)
    weights = try memory.buffer("p_fp32", in: UB.self)
    partials = try memory.buffer("p_sum", in: UB.self)
    outputs = try memory.buffer("o", in: UB.self)
    top = try memory.buffer("top", in: UB.self)
    limit = try memory.buffer("limit", in: UB.self)
    before = try memory.buffer("m", in: UB.self)
    alpha = try memory.buffer("alpha", in: UB.self)
    tileSum = try memory.buffer("l_tile", in: UB.self)
    sum = try memory.buffer("l", in: UB.self)
  }

  /// The keys that a query tile touches of each kv tile.
  private static func steps(
    _ tile: FlashQueryTile, _ form: FlashShape, _ layout: FlashOnlineLayout
  ) -> [Range<Int>] {
    let width = layout.plan.tileKV
    return form.tiles(queries: tile.queries, tileKV: width).map {
      form.touched($0, queries: tile.queries, tileKV: width)
    }
  }

  /// The pieces of a kv tile, as columns.
  private static func pieces(_ step: Range<Int>, _ layout: FlashOnlineLayout) -> [Range<Int>] {
    stride(from: 0, to: step.count, by: layout.piece).map {
      $0..<min($0 + layout.piece, step.count)
    }
  }

  mutating func emit(_ p: inout ProgramBuilder) {
    for (index, tile) in tiles.enumerated() where !p.hasOverflowed {
      p.pushScope("tile", iteration: index)
      let steps = Self.steps(tile, form, layout)
      if steps.isEmpty {
        results.finishBlind(tile, &p)
      } else {
        attend(tile, steps, &p)
      }
      p.popScope()
    }
  }

  private mutating func attend(
    _ tile: FlashQueryTile, _ steps: [Range<Int>], _ p: inout ProgramBuilder
  ) {
    let rows = tile.rows
    let query = rings.query.next().tile(rows: rows)
    lane.bring(
      FlashEncodeLane.Rows(
        source: tensors.q.tile(row: tile.firstRow, rows: rows), destination: query), &p)
    let left = rings.leftQuery.next().tile(rows: rows)
    p.emit(FeedLeft(left, from: query))

    p.emit(Fill(before.tile(rows: rows), -.infinity))
    p.emit(Fill(sum.tile(rows: rows), 0))
    p.emit(Fill(outputs.tile(rows: rows), 0))
    for step in steps {
      p.pushScope("kv", iteration: step.lowerBound / layout.plan.tileKV)
      let scores = scoreRing.next().tile(rows: rows, columns: step.count)
      score(tile, step, left, into: scores, &p)
      addProduct(tile, step, softmax(tile, step, scores, &p), &p)
      p.popScope()
    }
    results.finish(
      [
        FlashResults.Row(
          tile: tile, sum: sum.tile(rows: rows), limit: before.tile(rows: rows),
          output: outputs.tile(rows: rows), blind: tile.blindRows(form))
      ], &p)
  }

  /// S = q·kᵀ, drained piece by piece.
  private mutating func score(
    _ tile: FlashQueryTile, _ step: Range<Int>, _ query: Tile<Left>, into scores: Tile<UB>,
    _ p: inout ProgramBuilder
  ) {
    for columns in Self.pieces(step, layout) {
      let key = keys.next(&p).tile(rows: columns.count)
      let right = rings.rightKeys.next().tile(rows: form.headDim, columns: columns.count)
      p.emit(FeedRightTransposed(right, from: key))
      let acc = rings.accScores.next().tile(rows: tile.rows, columns: columns.count)
      p.emit(Matmul(acc, left: query, right: right, accumulate: false))
      p.emit(DrainUB(scores.columns(columns), from: acc))
    }
  }

  /// m', p, α and l; returns p as MXINT8.
  private mutating func softmax(
    _ tile: FlashQueryTile, _ step: Range<Int>, _ scores: Tile<UB>, _ p: inout ProgramBuilder
  ) -> Tile<UB> {
    let rows = tile.rows
    let width = step.count
    for part in tile.masked(step, form, granule: width) {
      p.emit(tile.mask(scores, keys: part, form))
    }
    // max fl32(S·k) = fl32(max S · k), as k > 0 and rounding is monotonic.
    p.emit(RowMax(top.tile(rows: rows), scores, start: true))
    p.emit(WithScalar<MulRule>(limit.tile(rows: rows), top.tile(rows: rows), factor))
    p.emit(
      Elementwise<MaxRule>(
        limit.tile(rows: rows), before.tile(rows: rows), limit.tile(rows: rows)))
    let weight = weights.tile(rows: rows, columns: width)
    p.emit(Exp2Fused(weight, scores, limit.tile(rows: rows), k: factor))
    p.emit(
      Exp2Fused(
        alpha.tile(rows: rows), before.tile(rows: rows), limit.tile(rows: rows), k: 1, empty: .one))
    p.emit(CopyUB(before.tile(rows: rows), limit.tile(rows: rows)))
    let partial = partials.tile(rows: rows, columns: min(layout.lanes, width))
    p.emit(RowSum(partial, weight, start: true))
    p.emit(RowFinish(tileSum.tile(rows: rows), partial))
    p.emit(
      RescaleAdd(
        sum.tile(rows: rows), sum.tile(rows: rows), alpha.tile(rows: rows),
        tileSum.tile(rows: rows)))
    let encoded = encodedRing.next().tile(rows: rows, columns: width)
    p.emit(EncodeMX(encoded, weight))
    return encoded
  }

  /// T = p·v and O = O·α + T.
  private mutating func addProduct(
    _ tile: FlashQueryTile, _ step: Range<Int>, _ encoded: Tile<UB>, _ p: inout ProgramBuilder
  ) {
    let rows = tile.rows
    let staged = rings.weights.next().tile(rows: rows, columns: step.count)
    p.emit(StoreL1(staged, from: encoded))
    let left = rings.leftWeights.next().tile(rows: rows, columns: step.count)
    p.emit(FeedLeft(left, from: staged))
    let acc = accProductRing.next().tile(rows: rows)
    for (index, columns) in Self.pieces(step, layout).enumerated() {
      let value = values.next(&p).tile(rows: columns.count)
      let right = rings.rightValues.next().tile(rows: columns.count, columns: form.headDim)
      p.emit(FeedRight(right, from: value))
      p.emit(Matmul(acc, left: left.columns(columns), right: right, accumulate: index > 0))
    }
    let product = productRing.next().tile(rows: rows)
    p.emit(DrainUB(product, from: acc))
    let output = outputs.tile(rows: rows)
    p.emit(RescaleAdd(output, output, alpha.tile(rows: rows), product))
  }
}
