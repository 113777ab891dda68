import NPUSim

/// Chooses a schedule: every combination of a few sizes that fits, priced by the cost model.
struct GemmSearch {
  private let model: GemmCostModel

  init(_ model: GemmCostModel) { self.model = model }

  /// What needs the least of every memory.
  static let smallest = GemmSchedule(
    rung: 1, tileM: 1, tileN: 1, tileK: 32, chunkK: 32, inputStages: 1, otherStages: 1,
    feedStages: 1, accStages: 1, slabs: 0, kept: 1, otherSide: 1)

  /// The cheapest schedule of any rung, or `nil` where nothing fits.
  func best() -> GemmSchedule? {
    cheapest(short: [[1, 2, 3, 4], [0]]) ?? best(rung: 2) ?? best(rung: 1)
  }

  /// The schedule of a rung, or `nil` where it does not fit.
  func best(rung: Int) -> GemmSchedule? {
    switch rung {
    case 1: return direct()
    case 2:
      guard var plan = cheapest(slabs: [0], hasLongLoads: false) else {
        return direct().map { tiled($0) }
      }
      plan.chunkK = plan.tileK
      return tiled(plan)
    case 3: return cheapest(slabs: [0], hasLongLoads: false)
    case 4: return cheapest(short: [[1, 2, 3, 4]])
    default: return nil
    }
  }

  /// The buffers of a schedule with the pieces that go with it.
  private func buffers(_ plan: GemmSchedule) -> BufferPlan {
    var plan = plan
    // Here, and not by the rules of the fields: this is asked some ten thousand times.
    if model.operands == .bf16 {
      (plan.inputPiece, plan.otherPiece) = model.largestPieces(plan)
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
  private func sizes(_ all: [Int], upTo extent: Int) -> [Int] {
    let below = all.filter { $0 < extent }
    return ((all.last ?? 0) >= extent ? below + [extent] : below).reversed()
  }

  /// What a schedule with long loads of the first operand must cost at most, by the model, of the
  /// cheapest one without: the model is not exact, and theirs take more micro-ops.
  private static let longLoadsShare = 0.9

  /// The cheapest schedule with short loads of the first operand and one of some numbers of slabs, or
  /// with long ones and any number, where that is much cheaper. Of a tie the first one wins.
  private func cheapest(short choices: [[Int]]) -> GemmSchedule? {
    func best(_ choices: [[Int]], hasLongLoads: Bool) -> GemmSchedule? {
      choices.compactMap { cheapest(slabs: $0, hasLongLoads: hasLongLoads) }
        .min { model.cycles($0) < model.cycles($1) }
    }
    let short = best(choices, hasLongLoads: false)
    let long = best([[1, 2, 3, 4], [0]], hasLongLoads: true)
    guard let short, let long else { return short ?? long }
    return model.cycles(long) < Self.longLoadsShare * model.cycles(short) ? long : short
  }

  private func cheapest(slabs choices: [Int], hasLongLoads: Bool) -> GemmSchedule? {
    let depth = MXINT8.blocks(model.k) * 32
    let mSizes = sizes([4, 8, 16, 32, 64, 96, 128, 192, 256], upTo: model.m)
    let nSizes = sizes([4, 8, 16, 32, 64, 96, 128, 192, 256, 512], upTo: model.n)
    let sides = model.m == 1 && model.n > 1 ? [1, 2] : [1]
    var best: (plan: GemmSchedule, cycles: Double)?
    for side in sides {
      for tileM in mSizes {
        for tileN in nSizes {
          for tileK in sizes([32, 64, 128, 256, 512], upTo: depth) {
            guard let plan = operandRings(tileM, tileN, tileK, side),
              model.floor(plan) < best?.cycles ?? .infinity
            else { continue }
            for slabs in choices {
              for kept in slabs > 0 ? [1, 2] : [1] {
                if slabs > 1 && slabs > tileCount(plan, kept: kept) { continue }
                var candidate = plan
                candidate.slabs = slabs
                candidate.kept = kept
                candidate.rung = slabs > 0 || hasLongLoads ? 4 : 3
                considerChunks(candidate, depth: depth, hasLongLoads: hasLongLoads, &best)
              }
            }
          }
        }
      }
    }
    return best?.plan
  }

  private func tileCount(_ plan: GemmSchedule, kept: Int) -> Int {
    kept == 1
      ? GemmCostModel.tiles(model.m, plan.tileM) : GemmCostModel.tiles(model.n, plan.tileN)
  }

  /// The deepest rings of `left`, `right` and `acc` that fit, at least two in the operand memories.
  private func operandRings(_ tileM: Int, _ tileN: Int, _ tileK: Int, _ side: Int)
    -> GemmSchedule?
  {
    var plan = Self.smallest
    plan.tileM = tileM
    plan.tileN = tileN
    plan.tileK = tileK
    plan.chunkK = tileK
    plan.otherSide = side
    plan.accStages = min(2, model.eventLimit)
    plan.feedStages = min(4, model.eventLimit)
    // Each memory has a ring of its own.
    while plan.feedStages >= 2 {
      guard let overflow = buffers(plan).overflow(on: model.machine) else { return plan }
      switch overflow.space {
      case .left, .right: plan.feedStages -= 1
      case .acc where plan.accStages > 1: plan.accStages -= 1
      default: return nil
      }
    }
    return nil
  }

  /// Each length of the loads with the rings that event IDs and `l1` allow.
  private func considerChunks(
    _ plan: GemmSchedule, depth: Int, hasLongLoads: Bool,
    _ best: inout (plan: GemmSchedule, cycles: Double)?
  ) {
    var candidate = plan
    var chunk = plan.tileK
    while true {
      candidate.chunkK = chunk
      candidate.inputChunks = 1
      if !hasLongLoads { considerRings(candidate, &best) }
      while hasLongLoads && candidate.depth(ofLoad: .input) < depth {
        candidate.inputChunks *= 2
        considerRings(candidate, &best)
      }
      if chunk >= depth { return }
      chunk = min(chunk * 2, (depth + plan.tileK - 1) / plan.tileK * plan.tileK)
    }
  }

  /// The deepest rings that fit, if any do.
  private func considerRings(
    _ plan: GemmSchedule, _ best: inout (plan: GemmSchedule, cycles: Double)?
  ) {
    var candidate = plan
    let least = model.leastStages(candidate)
    var spare = model.eventLimit
    // Two slots in each ring at least, or nothing overlaps.
    while spare >= 2 {
      setRings(&candidate, least: least, total: spare)
      let isDouble = candidate.inputStages >= 2 && candidate.otherStages >= 2
      if !isDouble { return }
      guard let overflow = buffers(candidate).overflow(on: model.machine) else {
        let cycles = model.cycles(candidate)
        if cycles < best?.cycles ?? .infinity { best = (candidate, cycles) }
        return
      }
      // Fewer slots make room in `l1` only.
      guard overflow.space == .l1 else { return }
      spare -= 1
    }
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
