import NPUSim

/// Emits the jobs of one core. A job is a few query tiles of one kv head that go through the kv tiles
/// together, micro-op by micro-op in turn, so that the vector unit never waits for its own results;
/// every tile of K and V is fed once for all of them.
struct FlashPipelinedCore {
  let form: FlashShape
  let layout: FlashPipelinedLayout
  let tensors: FlashTensors
  let work: FlashWork
  /// The factor of the scores before exp2.
  let factor: Float

  private var keys: FlashPieces
  private var values: FlashPieces
  private let queryLane: FlashEncodeLane
  private var rings: FlashProductRings
  let accProducts: BufferHandle<Acc>
  let buffers: FlashVectorBuffers
  var results: FlashResults

  /// The queries of a job.
  private var leftQueries: [Tile<Left>] = []

  init(
    _ kernel: FlashAttention, _ layout: FlashPipelinedLayout, tensors: FlashTensors,
    work: FlashWork, core: Int, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    form = kernel.form
    self.layout = layout
    self.tensors = tensors
    self.work = work
    factor = kernel.form.scoreFactor
    let uses = work.steps.flatMap { step in
      step.pieces(of: layout.piece).map { columns in
        FlashPieces.Use(
          group: work.jobs[step.job].group,
          keys: step.keys.lowerBound + columns.lowerBound..<step.keys.lowerBound
            + columns.upperBound)
      }
    }
    let memory = try p.allocate(layout.buffers)
    (keys, values) = try FlashPieces.both(tensors, uses, core: core, memory, &p)
    queryLane = try FlashEncodeLane("q", memory)
    rings = try FlashProductRings(memory)
    accProducts = try memory.buffer("t_acc", in: Acc.self)
    buffers = try FlashVectorBuffers(memory)
    results = try FlashResults(tensors, memory)
  }

  mutating func emit(_ p: inout ProgramBuilder) {
    for tile in work.blind { results.finishBlind(tile, &p) }
    for (index, step) in work.steps.enumerated() where !p.hasOverflowed {
      p.pushScope("job", iteration: step.job)
      p.pushScope("kv", iteration: step.tile)
      if step.isFirst { feedQueries(step, &p) }
      let pieces = step.pieces(of: layout.piece)
      for piece in pieces { score(step, piece, &p) }
      topScores(step, &p)
      rescale(index, step, &p)
      for piece in pieces {
        for chunk in RowTile.pieces(piece, layout.chunk) { weigh(index, step, piece, chunk, &p) }
        multiply(step, piece, &p)
      }
      addSums(step, &p)
      addProducts(step, &p)
      if step.isLast { finish(index, step, &p) }
      p.popScope()
      p.popScope()
    }
  }

  /// The query tiles of a step's job.
  func tiles(_ step: FlashStep) -> [FlashQueryTile] { work.jobs[step.job].tiles }

  // MARK: Queries

  private mutating func feedQueries(_ step: FlashStep, _ p: inout ProgramBuilder) {
    leftQueries = []
    for tile in tiles(step) {
      let query = rings.query.next().tile(rows: tile.rows)
      let source = tensors.q.tile(row: tile.firstRow, rows: tile.rows)
      queryLane.bring(FlashEncodeLane.Rows(source: source, destination: query), &p)
      let left = rings.leftQuery.next().tile(rows: tile.rows)
      p.emit(FeedLeft(left, from: query))
      leftQueries.append(left)
    }
  }

  // MARK: Matrix side

  /// The scores of one piece of a step, for every tile in flight.
  private mutating func score(
    _ step: FlashStep, _ columns: Range<Int>, _ p: inout ProgramBuilder
  ) {
    let key = keys.next(&p).tile(rows: columns.count)
    let right = rings.rightKeys.next().tile(rows: form.headDim, columns: columns.count)
    p.emit(FeedRightTransposed(right, from: key))
    for (position, tile) in tiles(step).enumerated() {
      let acc = rings.accScores.next().tile(rows: tile.rows, columns: columns.count)
      p.emit(Matmul(acc, left: leftQueries[position], right: right, accumulate: false))
      p.emit(DrainUB(scoreTile(position, tile, columns), from: acc))
    }
  }

  /// Stores the weights of a piece and multiplies them with its values, for each query tile that
  /// touches some of them.
  private mutating func multiply(
    _ step: FlashStep, _ piece: Range<Int>, _ p: inout ProgramBuilder
  ) {
    let active = tiles(step).enumerated().compactMap { position, tile in
      let columns = step.touched(piece, by: position).count
      return columns > 0 ? (position: position, rows: tile.rows, columns: columns) : nil
    }
    let staged = active.map { tile in
      let slot = rings.weights.next().tile(rows: tile.rows, columns: tile.columns)
      p.emit(
        StoreL1(
          slot,
          from: buffers.encoded.tile(slot: tile.position, rows: tile.rows, columns: tile.columns)))
      return slot
    }
    let lefts = staged.map { weights in
      let left = rings.leftWeights.next().tile(rows: weights.rows, columns: weights.columns)
      p.emit(FeedLeft(left, from: weights))
      return left
    }
    let value = values.next(&p).tile(rows: piece.count)
    let right = rings.rightValues.next().tile(rows: piece.count, columns: form.headDim)
    p.emit(FeedRight(right, from: value))
    for (left, tile) in zip(lefts, active) {
      p.emit(
        Matmul(
          accProducts.tile(slot: tile.position, rows: tile.rows), left: left,
          right: right.rows(0..<tile.columns), accumulate: piece.lowerBound > 0))
    }
  }

  func scoreTile(_ position: Int, _ tile: FlashQueryTile, _ columns: Range<Int>) -> Tile<UB> {
    buffers.scores.tile(
      slot: position, column: columns.lowerBound, rows: tile.rows, columns: columns.count)
  }
}
