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
  ) -> Tile<Left> {
    let staged = ring.next().tile(rows: source.rows, columns: source.columns)
    lane.bring(FlashEncodeLane.Rows(source: source, destination: staged), &p)
    let left = leftRing.next().tile(rows: source.rows, columns: source.columns)
    p.emit(FeedLeft(left, from: staged))
    return left
  }

  /// S = q·kᵀ to HBM.
  mutating func emitScores(_ p: inout ProgramBuilder) {
    var use = 0
    for (index, tile) in tiles.enumerated() {
      p.pushScope("scores", iteration: index)
      let query = Self.feed(
        tensors.q.tile(row: tile.firstRow, rows: tile.rows), &queryLane, &rings.query,
        &rings.leftQuery, &p)
      for step in steps {
        let key = keys.take(use, rows: step.count, columns: form.headDim, &p)
        let right = rings.rightKeys.next().tile(rows: form.headDim, columns: step.count)
        p.emit(FeedRightTransposed(right, from: key))
        use += 1
        keys.advance(before: use, &p)
        let acc = rings.accScores.next().tile(rows: tile.rows, columns: step.count)
        p.emit(Matmul(acc, left: query, right: right, accumulate: false))
        p.emit(
          DrainHBM(
            written.scores.tile(
              row: tile.firstRow, column: step.lowerBound, rows: tile.rows, columns: step.count),
            from: acc))
      }
      p.popScope()
    }
  }

  /// out = P·v from the probabilities in HBM, one chain over all keys.
  mutating func emitOutputs(_ p: inout ProgramBuilder) {
    var use = 0
    for (index, tile) in tiles.enumerated() {
      p.pushScope("outputs", iteration: index)
      let acc = accProductRing.next().tile(rows: tile.rows)
      for (position, step) in steps.enumerated() {
        let source = written.probabilities.tile(
          row: tile.firstRow, column: step.lowerBound, rows: tile.rows, columns: step.count)
        let weights = Self.feed(source, &weightLane, &rings.weights, &rings.leftWeights, &p)
        if position + 1 < steps.count {
          let next = steps[position + 1]
          weightLane.load(
            written.probabilities.tile(
              row: tile.firstRow, column: next.lowerBound, rows: tile.rows, columns: next.count),
            &p)
        }
        let value = values.take(use, rows: step.count, columns: form.headDim, &p)
        let right = rings.rightValues.next().tile(rows: step.count, columns: form.headDim)
        p.emit(FeedRight(right, from: value))
        use += 1
        values.advance(before: use, &p)
        p.emit(Matmul(acc, left: weights, right: right, accumulate: position > 0))
      }
      p.emit(DrainHBM(tensors.out.tile(row: tile.firstRow, rows: tile.rows), from: acc))
      p.popScope()
    }
  }
}
