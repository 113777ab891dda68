import NPUSim

/// Query tiles of one group that are in flight together: they share every tile of K and V.
struct FlashJob: Sendable {
  var group: Int
  var tiles: [FlashQueryTile]
}

/// One kv tile of a job, cut to what its queries see.
struct FlashStep: Sendable {
  var job: Int
  /// The kv tile.
  var tile: Int
  /// Its first key.
  var tileStart: Int
  /// The keys of the tile that are worked on: from a whole piece on, to a whole block or the end of
  /// the tile. Keys that are left out weigh nothing for every query of the job.
  var keys: Range<Int>
  var isFirst: Bool
  var isLast: Bool

  /// Whole pieces left out before the first key.
  func firstPiece(_ size: Int) -> Int { (keys.lowerBound - tileStart) / size }

  /// Pieces of `size` keys.
  func pieceCount(_ size: Int) -> Int { (keys.count + size - 1) / size }

  /// The keys of a piece of `size`, as columns from the first key.
  func piece(_ index: Int, of size: Int) -> Range<Int> {
    index * size..<min(index * size + size, keys.count)
  }
}

/// The work of one core in order.
struct FlashWork: Sendable {
  let jobs: [FlashJob]
  let steps: [FlashStep]
  /// Query tiles that see no key.
  let blind: [FlashQueryTile]

  /// - Parameters:
  ///   - piece: keys that are fed together; a multiple of 32 and of the lanes, or the whole kv tile.
  init(
    _ tiles: ArraySlice<FlashQueryTile>, _ form: FlashShape, plan: FlashSchedule, inFlight: Int,
    piece: Int
  ) {
    var jobs: [FlashJob] = []
    for tile in tiles where !tile.keys(form).isEmpty {
      if let last = jobs.last, last.group == tile.group, last.tiles.count < inFlight {
        jobs[jobs.count - 1].tiles.append(tile)
      } else {
        jobs.append(FlashJob(group: tile.group, tiles: [tile]))
      }
    }
    blind = tiles.filter { $0.keys(form).isEmpty }
    var steps: [FlashStep] = []
    for (index, job) in jobs.enumerated() {
      let starts = job.tiles.map { $0.keys(form).lowerBound }
      let ends = job.tiles.map { $0.keys(form).upperBound }
      let seen = starts.reduce(form.kv, min)..<ends.reduce(0, max)
      let kvTiles = seen.lowerBound / plan.tileKV...(seen.upperBound - 1) / plan.tileKV
      for tile in kvTiles {
        let start = tile * plan.tileKV
        let end = min(form.kv, start + plan.tileKV)
        let left = max(0, seen.lowerBound - start) / piece * piece
        let right = (min(end, seen.upperBound) - start + 31) / 32 * 32
        steps.append(
          FlashStep(
            job: index, tile: tile, tileStart: start, keys: start + left..<min(end, start + right),
            isFirst: tile == kvTiles.lowerBound, isLast: tile == kvTiles.upperBound))
      }
    }
    self.jobs = jobs
    self.steps = steps
  }
}
