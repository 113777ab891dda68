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
  private var queries: [Ring<L1>.Slot] = []
  private var queriesReady: Token?
  /// The query tile that is brought next.
  private var bringing = (job: 0, position: 0)
  private var leftQueries: [(slot: Ring<Left>.Slot, ready: Token)] = []
  private var fedJob = -1
  /// Uses of K and V that have been emitted.
  private var keyUse = 0
  private var valueUse = 0
  /// By piece: the drain of the scores, where they have been made.
  private var scoresReady: [Token?]
  /// By chunk: the exponential that read the scores last.
  private var scoresRead: [Token?]
  /// The stores of `encoded`, by tile in flight.
  private var encodedRead: [Token?]
  /// By tile in flight: the last matmul into the products, their drain, and what read that.
  private var multiplied: [Token?]
  private var accRead: [Token?]
  var productsReady: [Token?]
  var productsRead: [Token?]

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
    scoresReady = Array(repeating: nil, count: (layout.width - 1) / layout.piece + 1)
    scoresRead = Array(repeating: nil, count: (layout.width - 1) / layout.chunk + 1)
    encodedRead = Array(repeating: nil, count: layout.inFlight)
    multiplied = Array(repeating: nil, count: layout.inFlight)
    accRead = Array(repeating: nil, count: layout.inFlight)
    productsReady = Array(repeating: nil, count: layout.inFlight)
    productsRead = Array(repeating: nil, count: layout.inFlight)
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
      let ready = scoresReady
      scoresReady = Array(repeating: nil, count: ready.count)
      if let next {
        let shared = step.pieceCount(layout.piece)
        let count = next.pieceCount(layout.piece)
        for piece in min(shared, count)..<count { score(next, piece, &p) }
      }
      topScores(step, ready, &p)
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
    let slot = rings.query.acquire()
    let brought = queryLane.bring(
      FlashEncodeLane.Rows(
        source: source(tile), destination: slot.tile(rows: tile.rows), free: slot.free,
        copy: nil), &p)
    queries.append(slot)
    queriesReady = brought.stored
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
    for (tile, query) in zip(tiles(step), queries) {
      let left = rings.leftQuery.acquire()
      let fed = p.emit(
        FeedLeft(left.tile(rows: tile.rows), from: query.tile(rows: tile.rows)),
        after: queriesReady, and: left.free)
      rings.query.release(query, after: fed)
      leftQueries.append((left, fed))
    }
  }

  // MARK: Matrix side

  /// The scores of one piece of a step, for every tile in flight.
  private mutating func score(_ step: FlashStep, _ index: Int, _ p: inout ProgramBuilder) {
    let columns = step.piece(index, of: layout.piece)
    let made = scoresReady.reduce(0) { $0 + ($1 == nil ? 0 : 1) }
    let isLastPiece = made + 1 == step.pieceCount(layout.piece)
    let chunks = columns.lowerBound / layout.chunk...(columns.upperBound - 1) / layout.chunk
    let key = keys.take(keyUse, rows: columns.count, columns: form.headDim, &p)
    if fedJob < step.job { feedQueries(step, &p) }
    let right = rings.rightKeys.acquire()
    let rightTile = right.tile(rows: form.headDim, columns: columns.count)
    let fed = p.emit(
      FeedRightTransposed(rightTile, from: key.tile), after: key.ready, and: right.free)
    keys.release(keyUse, after: fed)
    keyUse += 1
    var product = fed
    var drained = fed
    for (position, tile) in tiles(step).enumerated() {
      let left = leftQueries[position]
      let acc = rings.accScores.acquire()
      let accTile = acc.tile(rows: tile.rows, columns: columns.count)
      product = p.emit(
        Matmul(
          accTile, left: left.slot.tile(rows: tile.rows), right: rightTile, accumulate: false),
        after: fed, left.ready, and: acc.free)
      if isLastPiece && step.isLast { rings.leftQuery.release(left.slot, after: product) }
      drained = p.emit(
        DrainUB(scoreTile(position, tile, columns), from: accTile),
        after: product, and: chunks.compactMap { scoresRead[$0] })
      rings.accScores.release(acc, after: drained)
    }
    rings.rightKeys.release(right, after: product)
    scoresReady[index] = drained
  }

  /// Stores the weights of a piece and multiplies them with its values, for each query tile that
  /// touches some of them.
  private mutating func multiply(
    _ step: FlashStep, _ index: Int, encoded: [Token?], _ p: inout ProgramBuilder
  ) {
    let piece = step.piece(index, of: layout.piece)
    let tiles = tiles(step)
    let active = tiles.indices.filter { !step.touched(piece, by: $0).isEmpty }
    func count(_ position: Int) -> Int { step.touched(piece, by: position).count }
    var slots: [Ring<L1>.Slot] = []
    var stored: Token?
    for position in active {
      let (rows, columns) = (tiles[position].rows, count(position))
      let slot = rings.weights.acquire()
      stored = p.emit(
        StoreL1(
          slot.tile(rows: rows, columns: columns),
          from: buffers.encoded.tile(slot: position, rows: rows, columns: columns)),
        after: encoded[position], and: slot.free)
      encodedRead[position] = stored
      slots.append(slot)
    }
    // One event for all tiles: the last store follows the others.
    var lefts: [(slot: Ring<Left>.Slot, ready: Token)] = []
    for (slot, position) in zip(slots, active) {
      let (rows, columns) = (tiles[position].rows, count(position))
      let left = rings.leftWeights.acquire()
      let fed = p.emit(
        FeedLeft(
          left.tile(rows: rows, columns: columns), from: slot.tile(rows: rows, columns: columns)),
        after: stored, and: left.free)
      rings.weights.release(slot, after: fed)
      lefts.append((left, fed))
    }
    let value = values.take(valueUse, rows: piece.count, columns: form.headDim, &p)
    let right = rings.rightValues.acquire()
    let rightTile = right.tile(rows: piece.count, columns: form.headDim)
    let fed = p.emit(FeedRight(rightTile, from: value.tile), after: value.ready, and: right.free)
    values.release(valueUse, after: fed)
    valueUse += 1
    var products: [Token] = []
    for (left, position) in zip(lefts, active) {
      let (rows, columns) = (tiles[position].rows, count(position))
      let product = p.emit(
        Matmul(
          accProducts.tile(slot: position, rows: rows),
          left: left.slot.tile(rows: rows, columns: columns),
          right: right.tile(rows: columns, columns: form.headDim), accumulate: index > 0),
        after: left.ready, fed, and: index == 0 ? accRead[position].map { [$0] } ?? [] : [])
      rings.leftWeights.release(left.slot, after: product)
      multiplied[position] = product
      products.append(product)
    }
    rings.rightValues.release(right, after: products)
  }

  private mutating func drainProducts(_ step: FlashStep, _ p: inout ProgramBuilder) {
    for (position, tile) in tiles(step).enumerated() where step.touched[position] > 0 {
      let drained = p.emit(
        DrainUB(
          buffers.products.tile(slot: position, rows: tile.rows),
          from: accProducts.tile(slot: position, rows: tile.rows)),
        after: productsRead[position], and: multiplied[position].map { [$0] } ?? [])
      accRead[position] = drained
      productsReady[position] = drained
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
      var encoded = [Token?](repeating: nil, count: tiles(step).count)
      for start in stride(from: 0, to: columns.count, by: layout.chunk) {
        let end = min(start + layout.chunk, columns.count)
        let read = weigh(
          index, step, columns: columns, chunk: start..<end,
          free: start == 0 ? encodedRead : [], &p)
        scoresRead[(columns.lowerBound + start) / layout.chunk] = read.scores
        encoded = zip(read.encoded, encoded).map { $0 ?? $1 }
        bringQueries(upTo: step.job + 1, &p)
        keys.advance(before: keyUse, &p)
        values.advance(before: valueUse, &p)
      }
      if let next, piece < next.pieceCount(layout.piece) { score(next, piece, &p) }
      multiply(step, piece, encoded: encoded, &p)
    }
  }
}
