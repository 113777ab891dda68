import NPUSim

/// The schedules that are worth a trial: every combination of a few sizes that fits, priced by the cost
/// model.
struct GemmSearch {
  private let model: GemmCostModel

  init(_ model: GemmCostModel) { self.model = model }

  /// What needs the least of every memory.
  static let smallest = GemmSchedule(
    rung: 1, tileM: 1, tileN: 1, tileK: 32, chunkK: 32, inputStages: 1, otherStages: 1,
    feedStages: 1, accStages: 1, slabs: 0, kept: 1, otherSide: 1)

  /// The schedules of a rung that are cheapest, or of any; none where nothing fits.
  func candidates(rung: Int?) -> [GemmSchedule] {
    switch rung {
    case nil:
      let plans = ranked(rungs: 3...4)
      if let first = plans.first {
        // What encodes ahead is timed against the others, unless it seems far from them.
        let ahead = GemmAheadSearch(model).candidates(below: 2 * model.cycles(first))
        return Array(ahead.prefix(1)) + [first] + ahead.dropFirst() + plans.dropFirst()
      }
      let tiled = candidates(rung: 2)
      return tiled.isEmpty ? candidates(rung: 1) : tiled
    case 1: return direct().map { [$0] } ?? []
    case 2:
      guard var plan = ranked(rungs: 3...3).first else { return direct().map { [tiled($0)] } ?? [] }
      plan.chunkK = plan.tileK
      return [tiled(plan)]
    case .some(let rung): return ranked(rungs: rung...rung)
    }
  }

  /// The buffers of a schedule with the pieces that go with it.
  func buffers(_ plan: GemmSchedule) -> BufferPlan {
    var plan = plan
    // Here, and not by the rules of the fields: this is asked some ten thousand times.
    if model.form.usesVectorUnit {
      (plan.inputPiece, plan.otherPiece, plan.partnerPiece) = model.largestPieces(plan)
    }
    return model.buffers(plan)
  }

  /// 32 × 32 × 32, or less where that does not fit.
  private func direct() -> GemmSchedule? {
    var rows = min(32, model.m)
    var columns = min(32, model.n)
    while true {
      // A fresh value each turn: a loop that updated two fields of one in place kept the second
      // unchanged when it was built with optimisation by Swift 6.3.1.
      let plan = GemmSchedule(
        rung: 1, tileM: rows, tileN: columns, tileK: 32, chunkK: 32, inputStages: 1,
        otherStages: 1, feedStages: 1, accStages: 1, slabs: 0, kept: 1, otherSide: 1)
      if buffers(plan).overflow(on: model.machine) == nil { return plan }
      if rows == 1 && columns == 1 { return nil }
      rows = max(1, rows / 2)
      columns = max(1, columns / 2)
    }
  }

  /// The same tiles without a second slot anywhere.
  private func tiled(_ plan: GemmSchedule) -> GemmSchedule {
    var plan = plan
    plan.rung = 2
    plan.inputStages = 1
    plan.otherStages = 1
    plan.feedStages = 1
    plan.accStages = 1
    return plan
  }

  /// Sizes below `extent`, and `extent` itself unless it is larger than all; largest first, as large
  /// tiles are mostly good, and what is worse is then left out soon.
  func sizes(_ all: [Int], upTo extent: Int) -> [Int] {
    let below = all.filter { $0 < extent }
    return ((all.last ?? 0) >= extent ? below + [extent] : below).reversed()
  }

  /// Schedules of the third rung, of the fourth, which has slabs or long loads of the first operand, or
  /// of both, the cheapest first.
  private func ranked(rungs: ClosedRange<Int>) -> [GemmSchedule] {
    let depth = MXINT8.blocks(model.k) * 32
    let mSizes = sizes([4, 8, 16, 32, 64, 96, 128, 192, 256], upTo: model.m)
    let nSizes = sizes([4, 8, 16, 32, 64, 96, 128, 192, 256, 512], upTo: model.n)
    let sides = model.m == 1 && model.n > 1 ? [1, 2] : [1]
    var ranking = GemmRanking()
    for side in sides {
      for tileM in mSizes {
        for tileN in nSizes {
          for tileK in sizes([32, 64, 128, 256, 512], upTo: depth) {
            guard let plan = operandRings(tileM, tileN, tileK, side),
              ranking.mayRank(model.floor(plan))
            else { continue }
            for slabs in 0...4 {
              for kept in slabs > 0 ? [1, 2] : [1] {
                if slabs > 1 && slabs > tileCount(plan, kept: kept) { continue }
                var candidate = plan
                candidate.slabs = slabs
                candidate.kept = kept
                considerChunks(candidate, depth: depth, rungs, &ranking)
              }
            }
          }
        }
      }
    }
    let cheapest = ranking.cheapest.prefix(10)
    // What is loaded first may be in the way of what is needed first: few slots leave little to run
    // ahead.
    return cheapest + cheapest.prefix(4).compactMap { loadRings($0, slots: 4) }
  }

  private func tileCount(_ plan: GemmSchedule, kept: Int) -> Int {
    kept == 1
      ? GemmCostModel.tiles(model.m, plan.tileM) : GemmCostModel.tiles(model.n, plan.tileN)
  }

  /// The deepest rings of `left`, `right` and `acc` that fit, at least two in the operand memories.
  func operandRings(_ tileM: Int, _ tileN: Int, _ tileK: Int, _ side: Int)
    -> GemmSchedule?
  {
    var (feeds, products) = (4, 2)
    while feeds >= 2 {
      // A fresh value each turn, as above.
      let plan = GemmSchedule(
        rung: 1, tileM: tileM, tileN: tileN, tileK: tileK, chunkK: tileK, inputStages: 1,
        otherStages: 1, feedStages: feeds, accStages: products, slabs: 0, kept: 1, otherSide: side)
      guard let overflow = buffers(plan).overflow(on: model.machine) else { return plan }
      // Each memory has a ring of its own.
      switch overflow.space {
      case .left, .right: feeds -= 1
      case .acc where products > 1: products -= 1
      default: return nil
      }
    }
    return nil
  }

  /// Each length of the loads with the rings that `l1` allows.
  private func considerChunks(
    _ plan: GemmSchedule, depth: Int, _ rungs: ClosedRange<Int>, _ ranking: inout GemmRanking
  ) {
    var candidate = plan
    var chunk = plan.tileK
    while true {
      candidate.chunkK = chunk
      candidate.inputChunks = 1
      candidate.rung = plan.slabs > 0 ? 4 : 3
      if rungs.contains(candidate.rung) { considerRings(candidate, &ranking) }
      while rungs.contains(4) && candidate.depth(ofLoad: .input) < depth {
        candidate.inputChunks *= 2
        candidate.rung = 4
        considerRings(candidate, &ranking)
      }
      if chunk >= depth { return }
      chunk = min(chunk * 2, (depth + plan.tileK - 1) / plan.tileK * plan.tileK)
    }
  }

  private func considerRings(_ plan: GemmSchedule, _ ranking: inout GemmRanking) {
    if let candidate = loadRings(plan, slots: GemmCostModel.mostLoads) {
      ranking.offer(candidate, model.cycles(candidate))
    }
  }

  /// A schedule with the deepest rings that its tiles leave room for.
  func fitted(_ plan: GemmSchedule) -> GemmSchedule? {
    guard
      let rings = operandRings(plan.tileM, plan.tileN, plan.tileK, plan.otherSide)
    else { return nil }
    var candidate = plan
    candidate.feedStages = rings.feedStages
    candidate.accStages = rings.accStages
    return loadRings(candidate, slots: max(2, plan.inputStages + plan.otherStages))
  }

  /// The deepest rings of loads that fit, of so many slots together, if any do.
  private func loadRings(_ plan: GemmSchedule, slots: Int) -> GemmSchedule? {
    var candidate = plan
    let least = model.leastStages(candidate)
    var spare = min(slots, GemmCostModel.mostLoads)
    // Two slots in each ring at least, or nothing overlaps.
    while spare >= 2 {
      setRings(&candidate, least: least, total: spare)
      let isDouble = candidate.inputStages >= 2 && candidate.otherStages >= 2
      if !isDouble { return nil }
      guard let overflow = buffers(candidate).overflow(on: model.machine) else { return candidate }
      // Fewer slots help `l1` alone.
      guard overflow.space == .l1 else { return nil }
      spare -= 1
    }
    return nil
  }

  /// Shares `total` slots: what is needed, and the rest to the operand that streams.
  private func setRings(
    _ plan: inout GemmSchedule, least: (input: Int, other: Int), total: Int
  ) {
    guard least.input < total, least.other < total, least.input + least.other <= total else {
      plan.inputStages = 0
      return
    }
    if plan.slabs == 0 {
      plan.inputStages = plan.inputChunks > 1 ? 2 : total / 2
      plan.otherStages = plan.inputChunks > 1 ? total - 2 : total / 2
    } else if plan.kept == 1 {
      plan.inputStages = max(2, least.input)
      plan.otherStages = total - plan.inputStages
    } else {
      plan.otherStages = max(2, least.other)
      plan.inputStages = total - plan.otherStages
    }
    if plan.inputStages < least.input || plan.otherStages < least.other { plan.inputStages = 0 }
  }
}
