import NPUSim

/// Query tiles of one group that are in flight together: they share every tile of K and V.
struct FlashJob: Sendable {
  var group: Int
  var tiles: [FlashQueryTile]
}

/// One kv tile of a job, cut to what its queries touch.
struct FlashStep: Sendable {
  var job: Int
  /// The kv tile.
  var tile: Int
  /// The keys of the tile that some query tile of the job touches: from its first one.
  var keys: Range<Int>
  var isFirst: Bool
  var isLast: Bool
  /// By query tile of the job: the keys that its product takes, counted from the first one; none
  /// where the tile touches none.
  var touched: [Int]
  /// By query tile of the job: whether its product is the first one.
  var isFirstProduct: [Bool]

  /// The keys of a range, counted from the first one, that the product of a query tile takes.
  func touched(_ columns: Range<Int>, by position: Int) -> Range<Int> {
    columns.clamped(to: 0..<touched[position])
  }

  /// The keys in pieces of `size`, as columns from the first key.
  func pieces(of size: Int) -> [Range<Int>] { RowTile.pieces(0..<keys.count, size) }
}

/// The work of one core in order.
struct FlashWork: Sendable {
  let jobs: [FlashJob]
  let steps: [FlashStep]
  /// Query tiles that see no key.
  let blind: [FlashQueryTile]

  init(
    _ tiles: ArraySlice<FlashQueryTile>, _ form: FlashShape, plan: FlashSchedule, inFlight: Int
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
      var hasProduct = Array(repeating: false, count: job.tiles.count)
      for tile in kvTiles {
        let touched = job.tiles.map {
          form.touched(tile, queries: $0.queries, tileKV: plan.tileKV).count
        }
        let start = tile * plan.tileKV
        let isFirstProduct = zip(touched, hasProduct).map { $0 > 0 && !$1 }
        for position in touched.indices where touched[position] > 0 { hasProduct[position] = true }
        steps.append(
          FlashStep(
            job: index, tile: tile, keys: start..<start + touched.reduce(0, max),
            isFirst: tile == kvTiles.lowerBound, isLast: tile == kvTiles.upperBound,
            touched: touched, isFirstProduct: isFirstProduct))
      }
    }
    self.jobs = jobs
    self.steps = steps
  }
}
