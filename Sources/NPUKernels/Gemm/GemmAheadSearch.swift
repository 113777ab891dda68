import NPUSim

/// The schedules that encode the first operand ahead and are worth a trial: output tiles as large as the
/// accumulators hold, under which both operands pass, the second one in loads as long as `l1` has room for.
struct GemmAheadSearch {
  private let model: GemmCostModel
  private let search: GemmSearch

  /// Fewer rows are encoded as often as they are loaded.
  private static let fewestRows = 32
  /// What a schedule may take of the cheapest, by the model: a glance at orders tells those apart, and is
  /// worse than the model where the written order is the best.
  private static let slack = 1.03

  init(_ model: GemmCostModel) {
    self.model = model
    search = GemmSearch(model)
  }

  /// The cheapest ones, each with a tile of its own; none that takes more cycles than others by the model.
  func candidates(below limit: Double) -> [GemmSchedule] {
    guard model.form.canEncodeAhead, model.m >= Self.fewestRows, model.n > 1 else { return [] }
    var best: [(plan: GemmSchedule, cycles: Double)] = []
    for tileM in search.sizes([32, 64, 96, 128, 192, 256, 512], upTo: model.m).prefix(5) {
      for tileN in search.sizes([64, 96, 128, 192, 256, 512], upTo: model.n).prefix(5) {
        var least: (plan: GemmSchedule, cycles: Double)?
        for tileK in [128, 64, 32] where tileK < model.k + 32 {
          guard let rings = search.operandRings(tileM, tileN, tileK, 1) else { continue }
          for plan in loads(rings) {
            let cycles = model.cyclesAhead(plan)
            if cycles < least?.cycles ?? limit { least = (plan, cycles) }
          }
        }
        if let least { best.append(least) }
      }
    }
    let most = Self.slack * (best.map(\.cycles).min() ?? 0)
    return best.indices.sorted { (best[$0].cycles, $0) < (best[$1].cycles, $1) }
      .filter { best[$0].cycles <= most }.prefix(3).map { best[$0].plan }
  }

  /// The lengths of loads that fit: of the first operand a few steps, of the second the longest with two
  /// slots and with one.
  private func loads(_ rings: GemmSchedule) -> [GemmSchedule] {
    var plans: [GemmSchedule] = []
    for steps in [1, 2, 4, 8] {
      for (inputs, others) in [(4, 2), (2, 2), (3, 1), (2, 1)] {
        var plan = rings
        plan.rung = 4
        plan.ahead = 1
        plan.chunkK = rings.tileK * steps
        plan.inputStages = inputs
        plan.otherStages = others
        guard plan.chunkK < model.k + rings.tileK else { continue }
        let whole = GemmCostModel.tiles(model.k, plan.chunkK)
        guard let longest = longest(plan, upTo: whole) else { continue }
        // Loads of one length each, as far as that goes.
        let count = GemmCostModel.tiles(whole, longest)
        plan.otherChunks = GemmCostModel.tiles(whole, count)
        plans.append(plan)
      }
    }
    return plans
  }

  /// The most chunks in a load of the second operand that fit; `nil` where not even one does.
  private func longest(_ plan: GemmSchedule, upTo most: Int) -> Int? {
    func fits(_ chunks: Int) -> Bool {
      var plan = plan
      plan.otherChunks = chunks
      return search.buffers(plan).overflow(on: model.machine) == nil
    }
    guard fits(1) else { return nil }
    var (low, high) = (1, most)
    while low < high {
      let middle = (low + high + 1) / 2
      if fits(middle) { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
