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
  private var use = 0
  private var lane: FlashEncodeLane
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
    let source = FlashPieces.Source(
      tensor: tensors.k, axis: .alongColumns, kv: form.kv, tileKV: layout.plan.tileKV,
      piece: layout.piece, staged: layout.laneRows)
    var valueSource = source
    valueSource.tensor = tensors.v
    valueSource.axis = .alongRows
    var uses: [Int] = []
    var rows: [Int] = []
    for tile in tiles {
      for step in Self.steps(tile, kernel.form, layout) {
        let first = tile.group * source.perGroup + step.lowerBound / source.tileKV * source.perTile
        let pieces = Self.pieces(step, layout)
        uses += pieces.indices.map { first + $0 }
        rows += pieces.map(\.count)
      }
    }
    let memory = try p.allocate(layout.buffers)
    keys = try FlashPieces("k", source, uses: uses, rows: rows, core: core, memory, &p)
    values = try FlashPieces("v", valueSource, uses: uses, rows: rows, core: core, memory, &p)
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
    let query = rings.query.acquire()
    let brought = lane.bring(
      FlashEncodeLane.Rows(
        source: tensors.q.tile(row: tile.firstRow, rows: rows),
        destination: query.tile(rows: rows), free: query.free, copy: nil), &p)
    let left = rings.leftQuery.acquire()
    let fed = p.emit(
      FeedLeft(left.tile(rows: rows), from: query.tile(rows: rows)),
      after: [brought.stored] + left.free)
    rings.query.release(query, after: fed)

    p.emit(Fill(before.tile(rows: rows), -.infinity))
    p.emit(Fill(sum.tile(rows: rows), 0))
    p.emit(Fill(outputs.tile(rows: rows), 0))
    var last = fed
    for step in steps {
      p.pushScope("kv", iteration: step.lowerBound / layout.plan.tileKV)
      let scores = scoreRing.acquire()
      let (multiplied, drained) = score(tile, step, left.tile(rows: rows), fed, into: scores, &p)
      last = multiplied
      let encoded = softmax(tile, step, scores, drained, &p)
      addProduct(tile, step, encoded, &p)
      use += Self.pieces(step, layout).count
      p.popScope()
    }
    rings.leftQuery.release(left, after: last)
    results.finish(
      [
        FlashResults.Row(
          tile: tile, sum: sum.tile(rows: rows), limit: before.tile(rows: rows),
          output: outputs.tile(rows: rows), blind: tile.blindRows(form))
      ], &p)
  }

  /// S = q·kᵀ, drained piece by piece; returns the last matmul and the last drain.
  private mutating func score(
    _ tile: FlashQueryTile, _ step: Range<Int>, _ query: Tile<Left>, _ fedQuery: Token,
    into scores: Ring<UB>.Slot, _ p: inout ProgramBuilder
  ) -> (multiplied: Token, drained: Token) {
    var last = (multiplied: fedQuery, drained: fedQuery)
    for (index, columns) in Self.pieces(step, layout).enumerated() {
      let key = keys.take(use + index, rows: columns.count, columns: form.headDim, &p)
      let right = rings.rightKeys.acquire()
      let rightTile = right.tile(rows: form.headDim, columns: columns.count)
      let fed = p.emit(
        FeedRightTransposed(rightTile, from: key.tile), after: key.ready, and: right.free)
      keys.release(use + index, after: fed)
      let acc = rings.accScores.acquire()
      let target = acc.tile(rows: tile.rows, columns: columns.count)
      let product = p.emit(
        Matmul(target, left: query, right: rightTile, accumulate: false),
        after: fedQuery, fed, and: acc.free)
      rings.rightKeys.release(right, after: product)
      let drained = p.emit(
        DrainUB(
          scores.tile(column: columns.lowerBound, rows: tile.rows, columns: columns.count),
          from: target), after: product, and: scores.free)
      rings.accScores.release(acc, after: drained)
      last = (product, drained)
    }
    return last
  }

  /// m', p, α and l; returns p as MXINT8 and its encode.
  private mutating func softmax(
    _ tile: FlashQueryTile, _ step: Range<Int>, _ scores: Ring<UB>.Slot, _ drained: Token,
    _ p: inout ProgramBuilder
  ) -> (slot: Ring<UB>.Slot, made: Token) {
    let rows = tile.rows
    let width = step.count
    let score = scores.tile(rows: rows, columns: width)
    for part in tile.masked(step, form, granule: width) {
      p.emit(tile.mask(score, keys: part, form), after: drained)
    }
    // max fl32(S·k) = fl32(max S · k), as k > 0 and rounding is monotonic.
    p.emit(RowMax(top.tile(rows: rows), score, start: true), after: drained)
    p.emit(WithScalar<MulRule>(limit.tile(rows: rows), top.tile(rows: rows), factor))
    p.emit(
      Elementwise<MaxRule>(
        limit.tile(rows: rows), before.tile(rows: rows), limit.tile(rows: rows)))
    let weight = weights.tile(rows: rows, columns: width)
    let read = p.emit(Exp2Fused(weight, score, limit.tile(rows: rows), k: factor))
    scoreRing.release(scores, after: read)
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
    let encoded = encodedRing.acquire()
    let made = p.emit(
      EncodeMX(encoded.tile(rows: rows, columns: width), weight), after: encoded.free)
    return (encoded, made)
  }

  /// T = p·v and O = O·α + T.
  private mutating func addProduct(
    _ tile: FlashQueryTile, _ step: Range<Int>, _ encoded: (slot: Ring<UB>.Slot, made: Token),
    _ p: inout ProgramBuilder
  ) {
    let rows = tile.rows
    let width = step.count
    let slot = rings.weights.acquire()
    let stored = p.emit(
      StoreL1(
        slot.tile(rows: rows, columns: width),
        from: encoded.slot.tile(rows: rows, columns: width)), after: encoded.made, and: slot.free)
    encodedRing.release(encoded.slot, after: stored)
    let left = rings.leftWeights.acquire()
    let fedLeft = p.emit(
      FeedLeft(
        left.tile(rows: rows, columns: width), from: slot.tile(rows: rows, columns: width)),
      after: stored, and: left.free)
    rings.weights.release(slot, after: fedLeft)
    let acc = accProductRing.acquire()
    var product = fedLeft
    for (index, columns) in Self.pieces(step, layout).enumerated() {
      let value = values.take(use + index, rows: columns.count, columns: form.headDim, &p)
      let right = rings.rightValues.acquire()
      let rightTile = right.tile(rows: columns.count, columns: form.headDim)
      let fed = p.emit(FeedRight(rightTile, from: value.tile), after: value.ready, and: right.free)
      values.release(use + index, after: fed)
      product = p.emit(
        Matmul(
          acc.tile(rows: rows),
          left: left.tile(column: columns.lowerBound, rows: rows, columns: columns.count),
          right: rightTile, accumulate: index > 0), after: fedLeft, fed, and: acc.free)
      rings.rightValues.release(right, after: product)
    }
    rings.leftWeights.release(left, after: product)
    let drainedProduct = productRing.acquire()
    let drained = p.emit(
      DrainUB(drainedProduct.tile(rows: rows), from: acc.tile(rows: rows)),
      after: product, and: drainedProduct.free)
    accProductRing.release(acc, after: drained)
    let output = outputs.tile(rows: rows)
    let added = p.emit(
      RescaleAdd(output, output, alpha.tile(rows: rows), drainedProduct.tile(rows: rows)),
      after: drained)
    productRing.release(drainedProduct, after: added)
  }
}
