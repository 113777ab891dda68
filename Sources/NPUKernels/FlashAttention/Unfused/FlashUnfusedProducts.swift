import NPUSim

/// Emits the two products of the unfused rung on one core, tile by tile: each operand in as many slots
/// as the schedule has stages, K and V through `stages.kv` slots.
struct FlashUnfusedProducts {
  private let form: FlashShape
  private let layout: FlashUnfusedLayout
  private let tensors: FlashTensors
  private let written: FlashTensors.Unfused
  private let tiles: [FlashQueryTile]
  /// The keys of each step through a head.
  private let steps: [Range<Int>]

  private var keys: FlashPieces
  private var values: FlashPieces
  private let queryLane: FlashEncodeLane
  private let weightLane: FlashEncodeLane
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
    let steps = RowTile.pieces(0..<form.kv, layout.plan.tileKV)
    self.steps = steps
    let uses = tiles.flatMap { tile in
      steps.map { FlashPieces.Use(group: tile.group, keys: $0) }
    }
    (keys, values) = try FlashPieces.both(tensors, uses, core: core, memory, &p)
    queryLane = try FlashEncodeLane("q", memory)
    weightLane = try FlashEncodeLane("p", memory)
    rings = try FlashProductRings(memory)
    accProductRing = try memory.ring("t_acc", in: Acc.self)
  }

  /// Brings BF16 rows through a lane to `left`.
  private static func feed(
    _ source: Tile<HBM>, _ lane: FlashEncodeLane, _ ring: inout Ring<L1>,
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
    for (index, tile) in tiles.enumerated() {
      p.pushScope("scores", iteration: index)
      let query = Self.feed(
        tensors.q.tile(row: tile.firstRow, rows: tile.rows), queryLane, &rings.query,
        &rings.leftQuery, &p)
      for step in steps {
        let key = keys.next(&p).tile(rows: step.count)
        let right = rings.rightKeys.next().tile(rows: form.headDim, columns: step.count)
        p.emit(FeedRightTransposed(right, from: key))
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
    for (index, tile) in tiles.enumerated() {
      p.pushScope("outputs", iteration: index)
      let acc = accProductRing.next().tile(rows: tile.rows)
      for (position, step) in steps.enumerated() {
        let source = written.probabilities.tile(
          row: tile.firstRow, column: step.lowerBound, rows: tile.rows, columns: step.count)
        let weights = Self.feed(source, weightLane, &rings.weights, &rings.leftWeights, &p)
        let value = values.next(&p).tile(rows: step.count)
        let right = rings.rightValues.next().tile(rows: step.count, columns: form.headDim)
        p.emit(FeedRight(right, from: value))
        p.emit(Matmul(acc, left: weights, right: right, accumulate: position > 0))
      }
      p.emit(DrainHBM(tensors.out.tile(row: tile.firstRow, rows: tile.rows), from: acc))
      p.popScope()
    }
  }
}
