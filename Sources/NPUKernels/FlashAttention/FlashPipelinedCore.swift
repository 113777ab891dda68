import NPUSim

/// Emits the jobs of one core. A job is a few query tiles of one kv head that go through the kv tiles
/// together, micro-op by micro-op in turn, so that the vector unit never waits for its own results;
/// every tile of K and V is fed once for all of them.
///
/// While the vector unit exponentiates kv tile t, the matrix unit makes the scores of tile t + 1 piece
/// by piece, each as soon as its place is free, and multiplies the weights of tile t that are ready.
/// What the products add to O is added during tile t + 1.
struct FlashPipelinedCore {
  let form: FlashShape
  let layout: FlashPipelinedLayout
  let tensors: FlashTensors
  let work: FlashWork
  /// The factor of the scores before exp2.
  let factor: Float

  private var keys: FlashPieces
  private var values: FlashPieces
  private var queryLane: FlashEncodeLane
  private var rings: FlashProductRings
  private let accProducts: BufferHandle<Acc>
  let buffers: FlashVectorBuffers
  var results: FlashResults

  /// Query tiles in `l1`, and in `left`.
  private var queries: [Tile<L1>] = []
  /// The query tile that is brought next.
  private var bringing = (job: 0, position: 0)
  private var leftQueries: [Tile<Left>] = []
  private var fedJob = -1
  /// Uses of K and V that have been emitted.
  private var keyUse = 0
  private var valueUse = 0

  init(
    _ kernel: FlashAttention, _ layout: FlashPipelinedLayout, tensors: FlashTensors,
    work: FlashWork, core: Int, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    form = kernel.form
    self.layout = layout
    self.tensors = tensors
    self.work = work
    factor = kernel.form.scoreFactor
    let source = FlashPieces.Source(
      tensor: tensors.k, axis: .alongColumns, kv: form.kv, tileKV: layout.plan.tileKV,
      piece: layout.piece, staged: layout.laneRows)
    var valueSource = source
    valueSource.tensor = tensors.v
    valueSource.axis = .alongRows
    var keyUses: [Int] = []
    var valueUses: [Int] = []
    var keyRows: [Int] = []
    var valueRows: [Int] = []
    let size = layout.piece
    for (index, step) in work.steps.enumerated() {
      let first =
        work.jobs[step.job].group * source.perGroup + step.tile * source.perTile
      let before = index > 0 ? work.steps[index - 1].pieceCount(size) : 0
      let pieces = 0..<step.pieceCount(size)
      let order = Self.order(pieces.count, behind: before)
      keyUses += order.map { first + $0 }
      keyRows += order.map { step.piece($0, of: size).count }
      valueUses += pieces.map { first + $0 }
      valueRows += pieces.map { step.piece($0, of: size).count }
    }
    let memory = try p.allocate(layout.buffers)
    keys = try FlashPieces("k", source, uses: keyUses, rows: keyRows, core: core, memory, &p)
    values = try FlashPieces(
      "v", valueSource, uses: valueUses, rows: valueRows, core: core, memory, &p)
    queryLane = try FlashEncodeLane("q", memory)
    rings = try FlashProductRings(memory)
    accProducts = try memory.buffer("t_acc", in: Acc.self)
    buffers = try FlashVectorBuffers(memory)
    results = try FlashResults(tensors, memory)
  }

  /// The order in which the scores of a step of `count` pieces are made: first those whose place the
  /// step before, of `behind` pieces, does not need.
  private static func order(_ count: Int, behind: Int) -> [Int] {
    let shared = min(count, behind)
    return Array(shared..<count) + Array(0..<shared)
  }

  mutating func emit(_ p: inout ProgramBuilder) {
    for tile in work.blind { results.finishBlind(tile, &p) }
    guard let first = work.steps.first else { return }
    for index in 0..<first.pieceCount(layout.piece) { score(first, index, &p) }
    for (index, step) in work.steps.enumerated() where !p.hasOverflowed {
      p.pushScope("job", iteration: step.job)
      p.pushScope("kv", iteration: step.tile)
      let next = index + 1 < work.steps.count ? work.steps[index + 1] : nil
      if let next {
        let shared = step.pieceCount(layout.piece)
        let count = next.pieceCount(layout.piece)
        for piece in min(shared, count)..<count { score(next, piece, &p) }
      }
      topScores(step, &p)
      let previous = index > 0 ? work.steps[index - 1] : nil
      settle(previous, at: index, &p)
      exponentials(index, step, next, &p)
      addSums(index, step, &p)
      drainProducts(step, &p)
      p.popScope()
      p.popScope()
    }
    settle(work.steps.last, at: work.steps.count, &p)
  }

  /// The query tiles of a step's job.
  func tiles(_ step: FlashStep) -> [FlashQueryTile] { work.jobs[step.job].tiles }

  // MARK: Queries

  private func source(_ tile: FlashQueryTile) -> Tile<HBM> {
    tensors.q.tile(row: tile.firstRow, rows: tile.rows)
  }

  /// Brings the next query tile to `l1` if it belongs to a job up to `job`, and loads the one after
  /// it; false where there is none.
  @discardableResult
  private mutating func bringQueries(upTo job: Int, _ p: inout ProgramBuilder) -> Bool {
    guard bringing.job <= job, bringing.job < work.jobs.count else { return false }
    let tiles = work.jobs[bringing.job].tiles
    let tile = tiles[bringing.position]
    if bringing.position == 0 { queries = [] }
    let query = rings.query.next().tile(rows: tile.rows)
    queryLane.bring(FlashEncodeLane.Rows(source: source(tile), destination: query), &p)
    queries.append(query)
    bringing =
      bringing.position + 1 < tiles.count
      ? (bringing.job, bringing.position + 1) : (bringing.job + 1, 0)
    if bringing.job < work.jobs.count {
      queryLane.load(source(work.jobs[bringing.job].tiles[bringing.position]), &p)
    }
    return true
  }

  /// Feeds the queries of a job, once the last scores of the job before have been multiplied.
  private mutating func feedQueries(_ step: FlashStep, _ p: inout ProgramBuilder) {
    while bringQueries(upTo: step.job, &p) {}
    fedJob = step.job
    leftQueries = []
    for query in queries {
      let left = rings.leftQuery.next().tile(rows: query.rows)
      p.emit(FeedLeft(left, from: query))
      leftQueries.append(left)
    }
  }

  // MARK: Matrix side

  /// The scores of one piece of a step, for every tile in flight.
  private mutating func score(_ step: FlashStep, _ index: Int, _ p: inout ProgramBuilder) {
    let columns = step.piece(index, of: layout.piece)
    let key = keys.take(keyUse, rows: columns.count, columns: form.headDim, &p)
    if fedJob < step.job { feedQueries(step, &p) }
    let right = rings.rightKeys.next().tile(rows: form.headDim, columns: columns.count)
    p.emit(FeedRightTransposed(right, from: key))
    keyUse += 1
    for (position, tile) in tiles(step).enumerated() {
      let acc = rings.accScores.next().tile(rows: tile.rows, columns: columns.count)
      p.emit(Matmul(acc, left: leftQueries[position], right: right, accumulate: false))
      p.emit(DrainUB(scoreTile(position, tile, columns), from: acc))
    }
  }

  /// Stores the weights of a piece and multiplies them with its values, for each query tile that
  /// touches some of them.
  private mutating func multiply(_ step: FlashStep, _ index: Int, _ p: inout ProgramBuilder) {
    let piece = step.piece(index, of: layout.piece)
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
    let value = values.take(valueUse, rows: piece.count, columns: form.headDim, &p)
    let right = rings.rightValues.next().tile(rows: piece.count, columns: form.headDim)
    p.emit(FeedRight(right, from: value))
    valueUse += 1
    for (left, tile) in zip(lefts, active) {
      p.emit(
        Matmul(
          accProducts.tile(slot: tile.position, rows: tile.rows), left: left,
          right: right.rows(0..<tile.columns), accumulate: index > 0))
    }
  }

  private func drainProducts(_ step: FlashStep, _ p: inout ProgramBuilder) {
    for (position, tile) in tiles(step).enumerated() where step.touched[position] > 0 {
      p.emit(
        DrainUB(
          buffers.products.tile(slot: position, rows: tile.rows),
          from: accProducts.tile(slot: position, rows: tile.rows)))
    }
  }

  // MARK: Vector and matrix side in turn

  func scoreTile(_ position: Int, _ tile: FlashQueryTile, _ columns: Range<Int>) -> Tile<UB> {
    buffers.scores.tile(
      slot: position, column: columns.lowerBound, rows: tile.rows, columns: columns.count)
  }

  /// The weights of a step piece by piece; behind each piece the scores of the next step take its
  /// place, and the weights are multiplied.
  private mutating func exponentials(
    _ index: Int, _ step: FlashStep, _ next: FlashStep?, _ p: inout ProgramBuilder
  ) {
    for piece in 0..<step.pieceCount(layout.piece) {
      let columns = step.piece(piece, of: layout.piece)
      for start in stride(from: 0, to: columns.count, by: layout.chunk) {
        let end = min(start + layout.chunk, columns.count)
        weigh(index, step, columns: columns, chunk: start..<end, &p)
        bringQueries(upTo: step.job + 1, &p)
        keys.advance(before: keyUse, &p)
        values.advance(before: valueUse, &p)
      }
      if let next, piece < next.pieceCount(layout.piece) { score(next, piece, &p) }
      multiply(step, piece, &p)
    }
  }
}
