import NPUSim

/// Emits the two products of the unfused rung on one core, tile by tile: each operand in as many slots
/// as the schedule has stages, K and V through `stages.kv` slots.
struct FlashUnfusedProducts {
  private let form: FlashShape
  private let layout: FlashUnfusedLayout
  private let tensors: FlashTensors
  private let written: FlashTensors.Unfused
  private let tiles: [FlashQueryTile]

  private var keys: FlashPieces
  private var values: FlashPieces
  private var queryLane: FlashEncodeLane
  private var weightLane: FlashEncodeLane
  private var rings: FlashProductRings
  private var accProductRing: Ring<Acc>

  init(
    _ form: FlashShape, _ layout: FlashUnfusedLayout, tensors: FlashTensors,
    _ written: FlashTensors.Unfused, tiles: [FlashQueryTile], core: Int, _ memory: PlacedBuffers,
    _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.form = form
    self.layout = layout
    self.tensors = tensors
    self.written = written
    self.tiles = tiles
    let source = FlashPieces.Source(
      tensor: tensors.k, axis: .alongColumns, kv: form.kv, tileKV: layout.plan.tileKV,
      piece: layout.plan.tileKV, staged: layout.laneRows)
    var valueSource = source
    valueSource.tensor = tensors.v
    valueSource.axis = .alongRows
    let uses = tiles.flatMap { tile in
      (0..<source.perGroup).map { tile.group * source.perGroup + $0 }
    }
    let rows = uses.map { source.place($0).keys.count }
    keys = try FlashPieces("k", source, uses: uses, rows: rows, core: core, memory, &p)
    values = try FlashPieces("v", valueSource, uses: uses, rows: rows, core: core, memory, &p)
    queryLane = try FlashEncodeLane("q", memory)
    weightLane = try FlashEncodeLane("p", memory)
    rings = try FlashProductRings(memory)
    accProductRing = try memory.ring("t_acc", in: Acc.self)
  }

  /// The keys of each step through a head.
  private var steps: [Range<Int>] {
    stride(from: 0, to: form.kv, by: layout.plan.tileKV).map {
      $0..<min($0 + layout.plan.tileKV, form.kv)
    }
  }

  /// Brings BF16 rows through a lane to `left`.
  private static func feed(
    _ source: Tile<HBM>, _ lane: inout FlashEncodeLane, _ ring: inout Ring<L1>,
    _ leftRing: inout Ring<Left>, _ p: inout ProgramBuilder
  ) -> (slot: Ring<Left>.Slot, tile: Tile<Left>, fed: Token) {
    let slot = ring.acquire()
    let brought = lane.bring(
      FlashEncodeLane.Rows(
        source: source, destination: slot.tile(rows: source.rows, columns: source.columns),
        free: slot.free, copy: nil), &p)
    let left = leftRing.acquire()
    let tile = left.tile(rows: source.rows, columns: source.columns)
    let fed = p.emit(
      FeedLeft(tile, from: slot.tile(rows: source.rows, columns: source.columns)),
      after: brought.stored, and: left.free)
    ring.release(slot, after: fed)
    return (left, tile, fed)
  }

  /// S = q·kᵀ to HBM; returns the last drain.
  mutating func emitScores(_ p: inout ProgramBuilder) -> Token? {
    var last: Token?
    var use = 0
    for (index, tile) in tiles.enumerated() {
      p.pushScope("scores", iteration: index)
      let query = Self.feed(
        tensors.q.tile(row: tile.firstRow, rows: tile.rows), &queryLane, &rings.query,
        &rings.leftQuery, &p)
      var product = query.fed
      for step in steps {
        let key = keys.take(use, rows: step.count, columns: form.headDim, &p)
        let right = rings.rightKeys.acquire()
        let rightTile = right.tile(rows: form.headDim, columns: step.count)
        let fed = p.emit(
          FeedRightTransposed(rightTile, from: key.tile), after: key.ready, and: right.free)
        keys.release(use, after: fed)
        use += 1
        keys.advance(before: use, &p)
        let acc = rings.accScores.acquire()
        let target = acc.tile(rows: tile.rows, columns: step.count)
        product = p.emit(
          Matmul(target, left: query.tile, right: rightTile, accumulate: false),
          after: query.fed, fed, and: acc.free)
        rings.rightKeys.release(right, after: product)
        let drained = p.emit(
          DrainHBM(
            written.scores.tile(
              row: tile.firstRow, column: step.lowerBound, rows: tile.rows, columns: step.count),
            from: target), after: product)
        rings.accScores.release(acc, after: drained)
        last = drained
      }
      rings.leftQuery.release(query.slot, after: product)
      p.popScope()
    }
    return last
  }

  /// out = P·v from the probabilities in HBM, one chain over all keys.
  mutating func emitOutputs(after normalised: Token?, _ p: inout ProgramBuilder) {
    var use = 0
    for (index, tile) in tiles.enumerated() {
      p.pushScope("outputs", iteration: index)
      let acc = accProductRing.acquire()
      let target = acc.tile(rows: tile.rows)
      var product: Token?
      for (position, step) in steps.enumerated() {
        let source = written.probabilities.tile(
          row: tile.firstRow, column: step.lowerBound, rows: tile.rows, columns: step.count)
        weightLane.load(source, after: normalised, &p)
        let weights = Self.feed(source, &weightLane, &rings.weights, &rings.leftWeights, &p)
        if position + 1 < steps.count {
          let next = steps[position + 1]
          weightLane.load(
            written.probabilities.tile(
              row: tile.firstRow, column: next.lowerBound, rows: tile.rows, columns: next.count),
            after: normalised, &p)
        }
        let value = values.take(use, rows: step.count, columns: form.headDim, &p)
        let right = rings.rightValues.acquire()
        let rightTile = right.tile(rows: step.count, columns: form.headDim)
        let fed = p.emit(
          FeedRight(rightTile, from: value.tile), after: value.ready, and: right.free)
        values.release(use, after: fed)
        use += 1
        values.advance(before: use, &p)
        let made = p.emit(
          Matmul(target, left: weights.tile, right: rightTile, accumulate: position > 0),
          after: weights.fed, fed, and: position == 0 ? acc.free : [])
        rings.leftWeights.release(weights.slot, after: made)
        rings.rightValues.release(right, after: made)
        product = made
      }
      let drained = p.emit(
        DrainHBM(tensors.out.tile(row: tile.firstRow, rows: tile.rows), from: target),
        after: product)
      accProductRing.release(acc, after: drained)
      p.popScope()
    }
  }
}
