import NPUSim

extension FlashPipelinedCore {
  private func column(_ buffer: BufferHandle<UB>, _ slot: Int, _ tile: FlashQueryTile) -> Tile<UB> {
    buffer.tile(slot: slot, rows: tile.rows)
  }

  private func limit(_ step: Int, _ position: Int, _ tile: FlashQueryTile) -> Tile<UB> {
    column(buffers.limits, step % 2 * layout.inFlight + position, tile)
  }

  private func sum(_ step: FlashStep, _ position: Int, _ tile: FlashQueryTile) -> Tile<UB> {
    column(buffers.sums, step.job % 2 * layout.inFlight + position, tile)
  }

  // MARK: Maxima

  /// Masks the scores of a step where needed, and takes their row maxima.
  func topScores(_ step: FlashStep, _ p: inout ProgramBuilder) {
    let tiles = tiles(step)
    for (position, tile) in tiles.enumerated() {
      for part in tile.masked(step.keys, form, granule: layout.granule) {
        let columns =
          part.lowerBound - step.keys.lowerBound..<part.upperBound - step.keys.lowerBound
        p.emit(tile.mask(scoreTile(position, tile, columns), keys: part, form))
      }
    }
    let maxima = FlashRowMaxima(
      width: step.keys.count, folded: layout.chunkColumns, granule: layout.granule)
    for pass in maxima.passes {
      for (position, tile) in tiles.enumerated() {
        emit(pass, step, position, tile, &p)
      }
    }
  }

  private func emit(
    _ pass: FlashRowMaxima.Pass, _ step: FlashStep, _ position: Int, _ tile: FlashQueryTile,
    _ p: inout ProgramBuilder
  ) {
    func scores(_ start: Int, _ count: Int) -> Tile<UB> {
      scoreTile(position, tile, start..<start + count)
    }
    func folded(_ start: Int, _ count: Int) -> Tile<UB> {
      buffers.folded.tile(slot: position, column: start, rows: tile.rows, columns: count)
    }
    let top = column(buffers.tops, position, tile)
    switch pass {
    case .begin(let count, let second):
      p.emit(Elementwise<MaxRule>(folded(0, count), scores(0, count), scores(second, count)))
    case .scores(let count, let second):
      p.emit(Elementwise<MaxRule>(folded(0, count), folded(0, count), scores(second, count)))
    case .fold(let count, let second):
      p.emit(Elementwise<MaxRule>(folded(0, count), folded(0, count), folded(second, count)))
    case .reduceFolded(let count):
      p.emit(RowMax(top, folded(0, count), start: step.isFirst))
    case .reduceScores(let columns, let start):
      p.emit(RowMax(top, scores(columns.lowerBound, columns.count), start: start && step.isFirst))
    }
  }

  // MARK: Rescaling

  /// Makes the scaled maxima of a step, and brings O to them.
  func rescale(_ index: Int, _ step: FlashStep, _ p: inout ProgramBuilder) {
    let tiles = tiles(step)
    for (position, tile) in tiles.enumerated() {
      p.emit(
        WithScalar<MulRule>(
          limit(index, position, tile), column(buffers.tops, position, tile), factor))
    }
    guard !step.isFirst else { return }
    for (position, tile) in tiles.enumerated() {
      p.emit(
        Exp2Fused(
          column(buffers.factors, position, tile), limit(index - 1, position, tile),
          limit(index, position, tile), k: 1, empty: .one))
    }
    for (position, tile) in tiles.enumerated()
    where step.touched[position] > 0 && !step.isFirstProduct[position] {
      let output = column(buffers.outputs, position, tile)
      p.emit(RowBroadcast<MulRule>(output, output, column(buffers.factors, position, tile)))
    }
  }

  /// O + T, where the first T of a query tile takes the place of O. A step that a tile does not touch
  /// adds nothing to it: its rows' maxima stay, and α is 1.
  func addProducts(_ step: FlashStep, _ p: inout ProgramBuilder) {
    let touching = tiles(step).enumerated().filter { step.touched[$0.offset] > 0 }
    for (position, tile) in touching {
      p.emit(
        DrainUB(
          column(buffers.products, position, tile),
          from: accProducts.tile(slot: position, rows: tile.rows)))
    }
    for (position, tile) in touching {
      let output = column(buffers.outputs, position, tile)
      let product = column(buffers.products, position, tile)
      if step.isFirstProduct[position] {
        p.emit(WithScalar<AddRule>(output, product, 0))
      } else {
        p.emit(Elementwise<AddRule>(output, output, product))
      }
    }
  }

  /// The results of a job, at its last step.
  mutating func finish(_ index: Int, _ step: FlashStep, _ p: inout ProgramBuilder) {
    results.finish(
      tiles(step).enumerated().map { position, tile in
        FlashResults.Row(
          tile: tile, sum: sum(step, position, tile), limit: limit(index, position, tile),
          output: column(buffers.outputs, position, tile), blind: tile.blindRows(form))
      }, &p)
  }

  // MARK: Weights

  /// Exponentials, row sums and encode of one chunk of a piece, tile by tile in turn.
  func weigh(
    _ index: Int, _ step: FlashStep, _ piece: Range<Int>, _ chunk: Range<Int>,
    _ p: inout ProgramBuilder
  ) {
    let tiles = tiles(step)
    for (position, tile) in tiles.enumerated() {
      p.emit(
        Exp2Fused(
          weights(position, tile, 0..<chunk.count), scoreTile(position, tile, chunk),
          limit(index, position, tile), k: factor))
    }
    sum(tiles, columns: chunk, &p)
    for (position, tile) in tiles.enumerated() {
      let count = step.touched(chunk, by: position).count
      guard count > 0 else { continue }
      p.emit(
        EncodeMX(
          buffers.encoded.tile(
            slot: position, column: chunk.lowerBound - piece.lowerBound, rows: tile.rows,
            columns: count), weights(position, tile, 0..<count)))
    }
  }

  private func weights(_ position: Int, _ tile: FlashQueryTile, _ columns: Range<Int>) -> Tile<UB> {
    buffers.weights.tile(
      slot: position, column: columns.lowerBound, rows: tile.rows, columns: columns.count)
  }

  private func partials(_ position: Int, _ tile: FlashQueryTile, _ count: Int) -> Tile<UB> {
    buffers.partials.tile(slot: position, rows: tile.rows, columns: count)
  }

  /// Adds a chunk of weights to the lane partials of its rows, a group of lanes at a time: the
  /// additions of a row sum in their order, by the cheaper elementwise micro-op where the groups start
  /// on the alignment.
  private func sum(
    _ tiles: [FlashQueryTile], columns: Range<Int>, _ p: inout ProgramBuilder
  ) {
    let lanes = layout.lanes
    guard layout.lanesAreAligned else {
      let isFirst = columns.lowerBound == 0
      for (position, tile) in tiles.enumerated() {
        p.emit(
          RowSum(
            partials(position, tile, isFirst ? min(lanes, columns.count) : lanes),
            weights(position, tile, 0..<columns.count), start: isFirst))
      }
      return
    }
    var start = 0
    if columns.lowerBound == 0 {
      let isWhole = columns.count >= 2 * lanes && columns.count % lanes == 0
      for (position, tile) in tiles.enumerated() {
        if isWhole {
          p.emit(
            Elementwise<AddRule>(
              partials(position, tile, lanes), weights(position, tile, 0..<lanes),
              weights(position, tile, lanes..<2 * lanes)))
        } else {
          p.emit(
            RowSum(
              partials(position, tile, min(lanes, columns.count)),
              weights(position, tile, 0..<columns.count), start: true))
        }
      }
      start = isWhole ? 2 * lanes : columns.count
    }
    while start < columns.count {
      let count = min(lanes, columns.count - start)
      for (position, tile) in tiles.enumerated() {
        let target = partials(position, tile, count)
        p.emit(
          Elementwise<AddRule>(target, target, weights(position, tile, start..<start + count)))
      }
      start += count
    }
  }

  /// l of the job after a step.
  func addSums(_ step: FlashStep, _ p: inout ProgramBuilder) {
    let tiles = tiles(step)
    let lanes = min(layout.lanes, step.keys.count)
    for (position, tile) in tiles.enumerated() {
      let target =
        step.isFirst ? sum(step, position, tile) : column(buffers.tileSums, position, tile)
      p.emit(RowFinish(target, partials(position, tile, lanes)))
    }
    guard !step.isFirst else { return }
    for (position, tile) in tiles.enumerated() {
      let total = sum(step, position, tile)
      p.emit(
        RescaleAdd(
          total, total, column(buffers.factors, position, tile),
          column(buffers.tileSums, position, tile)))
    }
  }
}
