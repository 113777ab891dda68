import NPUSim

/// What a schedule of swiglu keeps in each memory, and about how many cycles it takes: for choosing
/// one.
struct SwigluCostModel: Sendable {
  let tokens: Int
  let hidden: Int
  let ffn: Int
  let machine: MachineConfiguration

  /// What needs the least of every memory.
  static let smallest = SwigluSchedule(
    tileTokens: 1, tileColumns: 1, tileK: 32, chunkK: 32, weightStages: 1, rowStages: 1,
    feedStages: 1, pieceColumns: 32)

  // MARK: Memories

  func buffers(_ plan: SwigluSchedule) -> BufferPlan {
    let deepest = max(hidden, ffn)
    let rows = min(plan.tileTokens, tokens)
    let columns = min(plan.tileColumns, deepest)
    let depth = min(plan.tileK, deepest)
    let piece = min(plan.pieceColumns, deepest)
    let stages = SwigluSchedule.stages
    return BufferPlan([
      PlannedBuffer(
        "weights", .l1, .mxint8, slots: plan.weightStages, rows: columns,
        columns: min(plan.chunkK, deepest)),
      PlannedBuffer("rows", .l1, .mxint8, slots: plan.rowStages, rows: rows, columns: deepest),
      PlannedBuffer("left", .left, .mxint8, slots: plan.feedStages, rows: rows, columns: depth),
      PlannedBuffer(
        "right", .right, .mxint8, slots: plan.feedStages, rows: depth, columns: columns,
        axis: .alongRows),
      PlannedBuffer(
        "acc", .acc, machine.matrix.accumulator.format, slots: stages,
        rows: rows, columns: columns),
      PlannedBuffer("values", .ub, .bf16, slots: stages, rows: rows, columns: piece),
      PlannedBuffer("encoded", .ub, .mxint8, slots: stages, rows: rows, columns: piece),
      PlannedBuffer("a", .ub, .bf16, slots: stages, rows: rows, columns: columns),
      PlannedBuffer("u", .ub, .bf16, slots: stages, rows: rows, columns: columns),
      PlannedBuffer("g", .ub, .bf16, slots: stages, rows: rows, columns: columns),
      PlannedBuffer("gated", .ub, .bf16, slots: stages, rows: rows, columns: columns),
    ])
  }

  private func whole(_ extent: Int) -> Int { MXINT8.blocks(extent) * MXINT8.blockSize }

  // MARK: Choice

  /// The schedules that fit: the one whose slowest part is fastest, then the cheapest for each size of
  /// a tile where what is hidden behind the slowest part counts a little, the cheapest one first.
  func ranked() -> [SwigluSchedule] {
    var ranked: [(plan: SwigluSchedule, cycles: Double)] = []
    var first: (plan: SwigluSchedule, cycles: Double)?
    let deepest = whole(max(hidden, ffn))
    var chunks = Set([32, 64, 128, 256, 512, 1024, 2048, 4096, 8192].filter { $0 < deepest })
    for extent in [hidden, ffn] {
      for parts in 1...4 { chunks.insert(whole((extent - 1) / parts + 1)) }
    }
    let rowSizes = Set([1, 2, 4, 8, 16, 32, 64, 128].filter { $0 < tokens } + [min(tokens, 128)])
    for rows in rowSizes.sorted() {
      for columns in [1, 4, 8, 16, 32, 64, 96, 128] {
        var best: (plan: SwigluSchedule, cycles: Double)?
        for chunk in chunks.sorted() {
          for depth in [32, 64, 128, 256, 512, 1024] where depth <= chunk {
            for kept in rows < tokens ? [2, 1] : [1] {
              var plan = Self.smallest
              plan.tileTokens = rows
              plan.tileColumns = columns
              plan.tileK = depth
              plan.chunkK = chunk
              plan.rowStages = kept
              guard let plan = fitted(plan) else { continue }
              let bare = cycles(plan, hidden: 0)
              if bare < first?.cycles ?? .infinity { first = (plan, bare) }
              let price = cycles(plan, hidden: 0.05)
              if price < best?.cycles ?? .infinity { best = (plan, price) }
            }
          }
        }
        if let best { ranked.append(best) }
      }
    }
    let others = ranked.indices.sorted { (ranked[$0].cycles, $0) < (ranked[$1].cycles, $1) }
      .map { ranked[$0].plan }
    return first.map { first in [first.plan] + others.filter { $0 != first.plan } } ?? []
  }

  /// The deepest rings that fit the sizes, at most six and three slots, then the widest pieces.
  func fitted(_ plan: SwigluSchedule) -> SwigluSchedule? {
    var (weights, feeds, piece) = (6, 3, whole(max(hidden, ffn)))
    while true {
      // A fresh value each turn: Swift 6.3.1 loses one of several fields that a loop updates in place.
      let fitted = SwigluSchedule(
        tileTokens: plan.tileTokens, tileColumns: plan.tileColumns, tileK: plan.tileK,
        chunkK: plan.chunkK, weightStages: weights, rowStages: plan.rowStages, feedStages: feeds,
        pieceColumns: piece)
      guard let overflow = buffers(fitted).overflow(on: machine) else { return fitted }
      // Each memory has a size of its own that makes room in it.
      switch overflow.space {
      case .l1 where weights > 1: weights -= 1
      case .left where feeds > 1, .right where feeds > 1: feeds -= 1
      case .ub where piece > 32: piece = whole(piece / 2)
      default: return nil
      }
    }
  }

  // MARK: Cycles

  /// About how long a core takes: the slowest of HBM, feeds, matrix unit and rings, and what comes
  /// before the first matmul.
  ///
  /// - Parameter share: of what is hidden behind the slowest.
  private func cycles(_ plan: SwigluSchedule, hidden share: Double) -> Double {
    let passes = Double((tokens - 1) / plan.tileTokens + 1)
    let rows = min(plan.tileTokens, tokens)
    let up = cycles(plan, rows: rows, columns: 2 * self.share(ffn), depth: hidden, share)
    let down = cycles(plan, rows: rows, columns: self.share(hidden), depth: ffn, share)
    // Without a second slot each tile of tokens waits for its rows to be encoded.
    let exposed = plan.rowStages > 1 ? 1 : passes
    let encode = Double(rows * (hidden + ffn)) * 5 / Double(machine.vector.wordElements)
    return passes * (up.total + down.total) + up.first + down.first + exposed * encode
  }

  /// Matmuls of a schedule.
  func steps(_ plan: SwigluSchedule) -> Double {
    func count(_ columns: Int, _ depth: Int) -> Double {
      let chunks = Double(columns) / Double(plan.tileColumns) * Double(depth) / Double(plan.chunkK)
      return max(1, chunks) * max(1, Double(min(plan.chunkK, depth)) / Double(plan.tileK))
    }
    let passes = Double((tokens - 1) / plan.tileTokens + 1)
    return passes * (2 * count(ffn, hidden) + count(hidden, ffn))
  }

  private func share(_ extent: Int) -> Int { (extent - 1) / machine.cores + 1 }

  /// Columns of one matrix that a core makes, for one tile of tokens.
  private func cycles(
    _ plan: SwigluSchedule, rows: Int, columns: Int, depth: Int, _ hidden: Double
  ) -> (total: Double, first: Double) {
    let chunk = min(plan.chunkK, whole(depth))
    let width = min(plan.tileColumns, columns)
    let tiles = Double((columns - 1) / width + 1)
    let chunks = tiles * Double((depth - 1) / chunk + 1)
    let steps = chunks * Double((chunk - 1) / plan.tileK + 1)
    let bursts = Double(columns) * lineBytes(depth: depth, chunk: chunk)
    let rate = min(
      machine[.hbmToL1].rate.approximate,
      machine.hbm.readRate.approximate / Double(machine.cores))
    let burst = max(1, machine.hbm.burst)
    let results = tiles * Double(rows * ((2 * width - 1) / burst + 2) * burst)
    let load = (bursts + results) / rate
    let right = Double(columns * whole(depth)) * 33 / 32 / machine[.l1ToRight].rate.approximate
    let left =
      tiles * Double(rows * whole(depth)) * 33 / 32 / machine[.l1ToLeft].rate.approximate
    let feed = right + left + 4 * steps
    let product = machine.matrix.pricing.occupancy(
      m: Int64(rows), k: Int64(plan.tileK), n: Int64(width))
    let matrix = steps * (product.map(Double.init) ?? .infinity)
    let hop = Double(machine.eventPropagation)
    let loadHead = Double(machine[.hbmToL1].latency) + 2 * hop
    let feedHead = Double(machine[.l1ToRight].latency + machine.matrix.latency) + 2 * hop
    let loadRing = (load + feed + chunks * loadHead) / Double(plan.weightStages)
    let feedRing = (feed + matrix + steps * feedHead) / Double(plan.feedStages)
    let costs = [load, feed, matrix, loadRing, feedRing]
    return (costs.reduce(0, max) + hidden * costs.reduce(0, +), load / chunks + loadHead)
  }

  /// Bytes that the burst-wise loads of one line of weights move.
  private func lineBytes(depth: Int, chunk: Int) -> Double {
    bursts(pitch: depth, run: min(chunk, depth))
      + bursts(pitch: MXINT8.blocks(depth), run: MXINT8.blocks(min(chunk, depth)))
  }

  private func bursts(pitch: Int, run: Int) -> Double {
    if run >= pitch { return Double(pitch) }
    let burst = max(1, machine.hbm.burst)
    let isAligned = pitch % burst == 0 && run % burst == 0
    let runs = (pitch - 1) / run + 1
    return Double(pitch) + (isAligned ? 0 : Double(runs * burst))
  }
}
