import NPUSim

/// Orders the schedules of the pipelined attention by what a score costs.
struct FlashTuning {
  private let problem: FlashSchedule.Problem

  private var shape: FlashShape { problem.shape }
  private var machine: MachineConfiguration { problem.machine }

  init(_ shape: FlashShape, _ machine: MachineConfiguration) {
    problem = FlashSchedule.Problem(rung: .pipelined, shape: shape, machine: machine)
  }

  /// Schedules with as many pieces of K and V in `l1` as fit, the cheapest first; at the end the one
  /// that needs least.
  ///
  /// Whether several tiles in flight hide the latencies of a queue that does not wait by itself, their
  /// order decides: the cheapest if they do and if they do not come in turns.
  var candidates: [FlashSchedule] {
    let limit = (shape.kv + 31) / 32 * 32
    var seen: Set<FlashSchedule> = []
    var plans: [FlashSchedule] = []
    for width in [512, 384, 320, 256, 192, 128, 96, 64, 32] {
      for rows in [128, 96, 64, 48, 32, 24, 16, 8, 4, 2, 1] {
        for inFlight in [2, 1] {
          var plan = FlashSchedule(
            tileQ: min(rows, shape.queries), tileKV: min(width, limit), stages: inFlight)
          guard seen.insert(plan).inserted else { continue }
          plan.follow(problem)
          guard let slots = slots(plan) else { continue }
          plan.kvStages = slots
          plans.append(plan)
        }
      }
    }
    let beliefs = machine.interlocks(.vector) ? [true] : [false, true]
    let orders = beliefs.map { hides in
      let costs = plans.map { cost($0, hidesLatency: hides) }
      return plans.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }
    }
    var chosen: Set<Int> = []
    let inTurns = plans.indices.flatMap { place in orders.map { $0[place] } }
      .filter { chosen.insert($0).inserted }
    return inTurns.map { plans[$0] } + [.smallest(problem)]
  }

  /// Most slots of K and of V that fit beside the rest, no more than a head has pieces; `nil` where
  /// not even one does.
  func slots(_ plan: FlashSchedule) -> Int? {
    guard plan.fits(problem) else { return nil }
    let perTile = (plan.tileKV - 1) / plan.piece + 1
    var low = 1
    var high = ((shape.kv - 1) / plan.tileKV + 1) * perTile
    while low < high {
      let middle = (low + high + 1) / 2
      var wider = plan
      wider.kvStages = middle
      if wider.fits(problem) {
        low = middle
      } else {
        high = middle - 1
      }
    }
    return low
  }

  /// Cycles of a product in a stream of them, what each takes by itself aside.
  private func product(_ m: Int, _ k: Int, _ n: Int) -> Double {
    let pricing = machine.matrix.pricing
    let all = pricing.occupancy(m: Int64(m), k: Int64(k), n: Int64(n)) ?? .max
    return Double(all - (pricing.occupancy(m: 0, k: 0, n: 0) ?? 0))
  }

  /// Cycles a score takes on the busiest unit, with a share of the others'.
  ///
  /// The vector unit takes a score through exp2, encode, sum and maximum, and each tile of scores
  /// through a rescaling of O and a row finish; K and V pass HBM and feed once for all tiles in flight,
  /// HBM only as far as `l1` does not hold them.
  private func cost(_ plan: FlashSchedule, hidesLatency: Bool) -> Double {
    let vector = machine.vector
    func slope(_ kind: VectorClass) -> Double { Double(vector.slopes[kind.index]) }
    func rate(_ path: TransferPath) -> Double {
      machine[path].rate.isUnlimited ? .infinity : machine[path].rate.approximate
    }
    let d = Double(shape.headDim)
    let lanes = Double(vector.lanes)
    let width = Double(plan.tileKV)
    let rows = Double(plan.tileQ)
    let together = rows * Double(plan.stages)
    let score =
      slope(.exp2Fused) + slope(.encodeMX) + slope(.add) + slope(.max)
      + ((slope(.rowBroadcast) + slope(.add)) * d + slope(.rowSum) * lanes + slope(.rowMax) * 16)
      / width
    // A tile alone waits for its own results; without interlocks, all may behind one barrier.
    let waits =
      Double(vector.latencies[VectorClass.exp2Fused.index])
      * (plan.stages == 1 || !hidesLatency ? 24 : 2) / (rows * width)
    let onVector = score / Double(vector.wordElements) + waits
    let onMatrix =
      (product(plan.tileQ, shape.headDim, plan.piece)
        + product(plan.tileQ, plan.piece, shape.headDim)) / (rows * Double(plan.piece))
    let onFeed = 2 * d / together / rate(.l1ToRight)
    let pieces = Double(shape.kv) / Double(plan.piece)
    let missing = max(0, 1 - Double(plan.kvStages) / pieces)
    let shared =
      machine.hbm.rate.isUnlimited
      ? Double.infinity : machine.hbm.readRate.approximate / Double(machine.cores)
    let onHBM = 2.0625 * d * missing / together / min(rate(.hbmToL1), shared)
    let costs = [onVector, onMatrix, onFeed, onHBM]
    return costs.reduce(0, max) + 0.05 * costs.reduce(0, +)
  }
}
