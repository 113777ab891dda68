/// The cheapest schedules by the model, one for each tile and way of reuse: others of the same kind are
/// too much alike for the clock to tell them apart.
struct GemmRanking {
  private struct Kind: Hashable {
    var tileM: Int
    var tileN: Int
    var otherSide: Int
    /// The kept operand, 0 where both stream.
    var kept: Int
    var hasLongLoads: Bool

    init(_ plan: GemmSchedule) {
      tileM = plan.tileM
      tileN = plan.tileN
      otherSide = plan.otherSide
      kept = plan.slabs > 0 ? plan.kept : 0
      hasLongLoads = plan.inputChunks > 1
    }
  }

  /// What a schedule with long loads of the first operand must cost at most, by the model, of one
  /// without: the model is not exact, and theirs take more micro-ops.
  private static let longLoadsShare = 0.9
  /// A schedule that costs more than the cheapest one by this factor is not worth its time.
  private static let slack = 1.3

  private var best: [(plan: GemmSchedule, cost: Double)] = []
  private var places: [Kind: Int] = [:]
  private var least = Double.infinity

  /// Whether a schedule that takes so many cycles at least may be among the cheapest.
  func mayRank(_ floor: Double) -> Bool { floor < Self.slack * least }

  /// Takes a schedule in; of a tie the first one stays.
  mutating func offer(_ plan: GemmSchedule, _ cycles: Double) {
    let cost = plan.inputChunks > 1 ? cycles / Self.longLoadsShare : cycles
    guard mayRank(cost) else { return }
    least = min(least, cost)
    let kind = Kind(plan)
    guard let place = places[kind] else {
      places[kind] = best.count
      best.append((plan, cost))
      return
    }
    if cost < best[place].cost { best[place] = (plan, cost) }
  }

  /// The cheapest one first; of those that cost the same the one whose kind was met first.
  var cheapest: [GemmSchedule] {
    best.indices.sorted { (best[$0].cost, $0) < (best[$1].cost, $1) }.map { best[$0].plan }
  }
}
