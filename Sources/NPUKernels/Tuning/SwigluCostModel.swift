import NPUSim

/// What a schedule of swiglu needs of each memory, and about how many cycles it takes: for choosing
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

  private var eventLimit: Int { machine.eventsPerPair ?? 8 }

  // MARK: Memories

  /// What does not fit, or `nil`.
  func overflow(_ plan: SwigluSchedule) -> String? {
    let events = max(plan.weightStages, plan.feedStages, plan.rowStages)
    if let limit = machine.eventsPerPair, events > limit {
      return "stages.weights, stages.rows and stages.feed need \(events) event IDs, "
        + "the machine has \(limit) for a pair of queues"
    }
    let deepest = max(hidden, ffn)
    let rows = min(plan.tileTokens, tokens)
    let columns = min(plan.tileColumns, deepest)
    let depth = min(plan.tileK, whole(deepest))
    let piece = min(plan.pieceColumns, whole(deepest))
    let accBytes = machine.matrix.accumulator == .bf16 ? 2 : 4
    let scales = (piece / 32 + 1) * rows + machine[.ub].alignment
    return excess(
      .l1, (plan.weightStages, columns, min(plan.chunkK, whole(deepest))),
      (plan.rowStages, rows, whole(deepest)))
      ?? excess(.left, (plan.feedStages, rows, depth))
      ?? excess(.right, (plan.feedStages, depth, columns))
      ?? excess(.acc, (SwigluSchedule.stages, rows, columns * accBytes))
      ?? excess(
        .ub, (SwigluSchedule.stages, rows, 2 * piece), (SwigluSchedule.stages, rows, piece),
        (SwigluSchedule.stages, 1, scales), (4 * SwigluSchedule.stages, rows, 2 * columns))
  }

  private func whole(_ extent: Int) -> Int { MXINT8.blocks(extent) * MXINT8.blockSize }

  /// Whether buffers of (slots, lines, bytes of a line) exceed a memory.
  private func excess(_ space: Space, _ parts: (Int, Int, Int)...) -> String? {
    guard let capacity = machine[space].bytes else { return nil }
    let unit = max(1, machine[space].alignment)
    var total = 0
    for (slots, lines, bytes) in parts {
      // Extents and stages are at most 2^30 each, so that the product of two fits.
      let pitch = (bytes + unit - 1) / unit * unit
      let (size, overflow) = (slots * lines).multipliedReportingOverflow(by: pitch)
      guard !overflow, size <= 1 << 60 else {
        return "\(space.name) holds \(capacity) bytes, needed more than 2^60"
      }
      total += size
    }
    return total <= capacity ? nil : "\(space.name) holds \(capacity) bytes, needed \(total)"
  }

  // MARK: Choice

  /// The cheapest of the schedules that fit.
  func best() -> SwigluSchedule? {
    var best: (plan: SwigluSchedule, cycles: Double)?
    let deepest = whole(max(hidden, ffn))
    var chunks = Set([32, 64, 128, 256, 512, 1024, 2048, 4096, 8192].filter { $0 < deepest })
    for extent in [hidden, ffn] {
      for parts in 1...4 { chunks.insert(whole((extent - 1) / parts + 1)) }
    }
    let rowSizes = Set([1, 2, 4, 8, 16, 32, 64, 128].filter { $0 < tokens } + [min(tokens, 128)])
    for rows in rowSizes.sorted() {
      for columns in [1, 4, 8, 16, 32, 64, 96, 128] {
        for chunk in chunks.sorted() {
          for depth in [32, 64, 128, 256, 512, 1024] where depth <= chunk {
            for kept in rows < tokens ? [2, 1] : [1] {
              consider(rows, columns, chunk, depth, kept, &best)
            }
          }
        }
      }
    }
    return best?.plan
  }

  /// The deepest rings that fit the sizes, at most six and three slots.
  private func consider(
    _ rows: Int, _ columns: Int, _ chunk: Int, _ depth: Int, _ kept: Int,
    _ best: inout (plan: SwigluSchedule, cycles: Double)?
  ) {
    for feed in [3, 2, 1] where feed <= eventLimit {
      for weights in [6, 5, 4, 3, 2, 1] where weights <= eventLimit {
        var piece = whole(max(hidden, ffn))
        while true {
          let plan = SwigluSchedule(
            tileTokens: rows, tileColumns: columns, tileK: depth, chunkK: chunk,
            weightStages: weights, rowStages: kept, feedStages: feed, pieceColumns: piece)
          if overflow(plan) == nil {
            let price = cycles(plan)
            if price < best?.cycles ?? .infinity { best = (plan, price) }
            return
          }
          if piece <= 32 { break }
          piece = whole(piece / 2)
        }
      }
    }
  }

  // MARK: Cycles

  /// About how long a core takes: the slowest of HBM, feeds, matrix unit and rings, and what comes
  /// before the first matmul.
  func cycles(_ plan: SwigluSchedule) -> Double {
    let passes = Double((tokens - 1) / plan.tileTokens + 1)
    let rows = min(plan.tileTokens, tokens)
    let up = cycles(plan, rows: rows, columns: 2 * share(ffn), depth: hidden)
    let down = cycles(plan, rows: rows, columns: share(hidden), depth: ffn)
    // Without a second slot each tile of tokens waits for its rows to be encoded.
    let exposed = plan.rowStages > 1 ? 1 : passes
    let encode = Double(rows * (hidden + ffn)) * 5 / Double(machine.vector.lanes)
    return passes * (up.total + down.total) + up.first + down.first + exposed * encode
  }

  private func share(_ extent: Int) -> Int { (extent - 1) / machine.cores + 1 }

  /// Columns of one matrix that a core makes, for one tile of tokens.
  private func cycles(_ plan: SwigluSchedule, rows: Int, columns: Int, depth: Int) -> (
    total: Double, first: Double
  ) {
    let chunk = min(plan.chunkK, whole(depth))
    let width = min(plan.tileColumns, columns)
    let tiles = Double((columns - 1) / width + 1)
    let chunks = tiles * Double((depth - 1) / chunk + 1)
    let steps = chunks * Double((chunk - 1) / plan.tileK + 1)
    let bursts = Double(columns) * lineBytes(depth: depth, chunk: chunk)
    let rate = min(
      machine[.hbmToL1].rate.approximate,
      machine.hbm.rate.approximate / Double(machine.cores))
    let burst = max(1, machine.hbm.burst)
    let results = tiles * Double(rows * ((2 * width - 1) / burst + 2) * burst)
    let load = (bursts + results) / rate
    let right = Double(columns * whole(depth)) * 33 / 32 / machine[.l1ToRight].rate.approximate
    let left =
      tiles * Double(rows * whole(depth)) * 33 / 32 / machine[.l1ToLeft].rate.approximate
    let feed = right + left + 4 * steps
    let unit = machine.matrix
    let turns =
      ((rows - 1) / unit.m0 + 1) * ((plan.tileK - 1) / unit.k0 + 1) * ((width - 1) / unit.n0 + 1)
    let matrix = steps * Double(Int64(turns) * unit.cyclesPerTile + unit.overhead)
    let hop = Double(machine.eventPropagation)
    let loadHead = Double(machine[.hbmToL1].latency) + 2 * hop
    let feedHead = Double(machine[.l1ToRight].latency + unit.latency) + 2 * hop
    let loadRing = (load + feed + chunks * loadHead) / Double(plan.weightStages)
    let feedRing = (feed + matrix + steps * feedHead) / Double(plan.feedStages)
    return (max(load, feed, matrix, loadRing, feedRing), load / chunks + loadHead)
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
