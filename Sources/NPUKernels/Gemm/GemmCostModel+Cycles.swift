import NPUSim

extension GemmCostModel {
  /// About the cycles of a schedule on the core with the most work: the busiest queue or ring, and
  /// what comes before its first and after its last micro-op.
  func cycles(_ plan: GemmSchedule) -> Double {
    let area = largestShare(plan)
    let (mTiles, nTiles, steps) = counts(plan, area)
    let matrix = matrixCycles(plan, area)
    let feed = feedCycles(plan, area, mTiles: mTiles, nTiles: nTiles, steps: steps)
    let events = Double(2 * machine.eventPropagation + 4)
    let turn = Double(machine[.l1ToLeft].latency + machine.matrix.latency) + events
    let stepRing = (matrix + feed + steps * turn) / Double(plan.feedStages)

    // Loads: the kept operand once, the other one once for each group of slabs.
    func groups(_ tiles: Double, of kept: Int) -> Double {
      plan.slabs > 0 && plan.kept == kept ? (tiles / Double(plan.slabs)).rounded(.up) : tiles
    }
    let (mGroups, nGroups) = (groups(mTiles, of: 1), groups(nTiles, of: 2))
    let inputTimes = plan.slabs > 0 && plan.kept == 1 ? 1 : nGroups
    let otherTimes = plan.slabs > 0 && plan.kept == 2 ? 1 : mGroups
    let (inputCount, otherCount) = (Double(loads(plan, .input)), Double(loads(plan, .other)))
    let (inputPath, otherPath) = (path(.input), path(.other))
    let inputBytes = inputTimes * inputBursts(plan, rows: area.rows)
    let otherBytes = otherTimes * otherBursts(plan, columns: area.columns)
    let inputTime = inputBytes / inputPath.rate.approximate
    let otherTime = otherBytes / otherPath.rate.approximate
    let loads = inputCount * inputTimes * mTiles + otherCount * otherTimes * nTiles
    let partner = form.partner != nil ? resultBursts(plan, area, size: 2) : 0
    let load = inputTime + otherTime + loads + partner / machine[.hbmToUB].rate.approximate
    let drained = resultBursts(plan, area, size: form.result.bytes)
    let drain = drained / machine[.accToHBM].rate.approximate
    // Cores with work share HBM.
    let all = Double(Self.tiles(m, plan.tileM)) * Double(Self.tiles(n, plan.tileN))
    let active = all / (mTiles * nTiles)
    let shared =
      (inputBytes + otherBytes + drained + partner) * active / machine.hbm.readRate.approximate

    // A ring turns no faster than its slots fill, pass and empty.
    let fill = Double(max(inputPath.latency, otherPath.latency)) + events
    func ring(_ count: Double, _ stages: Int) -> Double {
      plan.slabs > 0 ? 0 : (load + feed + count * mTiles * nTiles * fill) / Double(stages)
    }
    let loadRing = max(ring(inputCount, plan.inputStages), ring(otherCount, plan.otherStages))
    let inputLoad = inputTime / max(1, inputTimes * mTiles * inputCount)
    let otherLoad = otherTime / max(1, otherTimes * nTiles * otherCount)
    let vector = vectorCycles(area, inputTimes: inputTimes, otherTimes: otherTimes)
    let tileDrain = drain / (mTiles * nTiles)
    let drainLatency = Double(machine[.accToHBM].latency)
    let turnOver =
      plan.accStages > 1 ? 0 : mTiles * nTiles * (tileDrain + drainLatency + turn)
    // Behind the last load all its steps are left to do, behind the others one.
    let step = (feed + matrix) / steps
    let mostLoads = max(inputCount * inputTimes * mTiles, otherCount * otherTimes * nTiles)
    let last = max(feed, matrix) / max(1, mostLoads)
    let busiest = max(
      max(matrix + turnOver, feed, drain, vector, stepRing) + step,
      max(load, shared, loadRing) + max(step, last))
    let change = changeCycles(
      plan, groups: plan.kept == 1 ? mGroups : nGroups,
      load: plan.kept == 1 ? inputLoad : otherLoad, count: plan.kept == 1 ? inputCount : otherCount,
      fill: fill, pass: max(matrix, feed) / (mTiles * nTiles))
    let first = inputLoad + otherLoad + fill + turn
    return busiest + change + first + tileDrain + drainLatency + steps * 0.01
  }

  /// Cycles between groups of slabs: the next slabs load while the last tile passes, load by load.
  private func changeCycles(
    _ plan: GemmSchedule, groups: Double, load: Double, count: Double, fill: Double, pass: Double
  ) -> Double {
    guard plan.slabs > 0 else { return 0 }
    let least = leastStages(plan)
    let slabs = Double(plan.slabs)
    let spare = Double(
      plan.kept == 1 ? plan.inputStages - least.input : plan.otherStages - least.other)
    let window = slabs * pass - (spare > 0 ? 0 : pass / count)
    let left = max(0, count * slabs - spare) * load - slabs * pass
    return (groups - 1) * (max(0, load + fill - window) + max(0, left))
  }

  /// Tiles along m and n of a core's share, and its matmuls.
  func counts(
    _ plan: GemmSchedule, _ area: (rows: Int, columns: Int)
  ) -> (mTiles: Double, nTiles: Double, steps: Double) {
    let mTiles = Double(Self.tiles(area.rows, plan.tileM))
    let nTiles = Double(Self.tiles(area.columns, plan.tileN))
    return (mTiles, nTiles, mTiles * nTiles * Double(Self.tiles(k, plan.tileK)))
  }

  /// Cycles of the vector unit, which encodes operands as often as they are loaded, and lets products meet
  /// their partners.
  private func vectorCycles(
    _ area: (rows: Int, columns: Int), inputTimes: Double, otherTimes: Double
  ) -> Double {
    let elements =
      (form.encodes(.input) ? inputTimes * Double(area.rows * k) : 0)
      + (form.encodes(.other) ? otherTimes * Double(area.columns * k) : 0)
    let slopes = machine.vector.slopes
    let meeting = Double(area.rows * area.columns) * partnerSlope
    return (elements * Double(slopes[VectorClass.encodeMX.index]) + meeting)
      / Double(machine.vector.wordElements)
  }

  /// What an element of the product costs the vector unit where it meets a partner.
  var partnerSlope: Double {
    func slope(_ kind: VectorClass) -> Double { Double(machine.vector.slopes[kind.index]) }
    return switch form.partner {
    case .residual: slope(.add)
    case .gate: slope(.silu) + slope(.mul)
    case nil: 0
    }
  }

  /// Matmuls of a schedule.
  func steps(_ plan: GemmSchedule) -> Double {
    Double(Self.tiles(m, plan.tileM)) * Double(Self.tiles(n, plan.tileN))
      * Double(Self.tiles(k, plan.tileK))
  }

  /// Cycles below which no chunking of the schedule gets: what its tiles alone cost.
  func floor(_ plan: GemmSchedule) -> Double {
    let area = largestShare(plan)
    let (mTiles, nTiles, steps) = counts(plan, area)
    return max(
      matrixCycles(plan, area),
      feedCycles(plan, area, mTiles: mTiles, nTiles: nTiles, steps: steps))
  }

  /// Rows and columns of the core with the most work.
  func largestShare(_ plan: GemmSchedule) -> (rows: Int, columns: Int) {
    let mTiles = Self.tiles(m, plan.tileM)
    let nTiles = Self.tiles(n, plan.tileN)
    let cores = machine.cores
    if mTiles >= cores || nTiles == 1 {
      return (min(m, (mTiles + cores - 1) / cores * plan.tileM), n)
    }
    let items = (mTiles * nTiles + cores - 1) / cores
    if items <= nTiles { return (min(m, plan.tileM), min(n, items * plan.tileN)) }
    return (min(m, (items + nTiles - 1) / nTiles * plan.tileM), n)
  }

  func matrixCycles(
    _ plan: GemmSchedule, _ area: (rows: Int, columns: Int)
  ) -> Double {
    let pricing = machine.matrix.pricing
    let sizes = (m: area.rows, n: area.columns)
    let tile = (m: plan.tileM, n: plan.tileN)
    let products =
      plan.isTransposed
      ? pricing.occupancy(m: sizes.n, k: k, n: sizes.m, inTilesOf: (tile.n, plan.tileK, tile.m))
      : pricing.occupancy(m: sizes.m, k: k, n: sizes.n, inTilesOf: (tile.m, plan.tileK, tile.n))
    // Steps of a tile that is too small to be forwarded wait for each other.
    let (rows, columns) = accumulators(plan)
    guard !machine.matrix.forwards(m: Int64(rows), n: Int64(columns)) else { return products }
    let tiles = Double(Self.tiles(area.rows, plan.tileM) * Self.tiles(area.columns, plan.tileN))
    let waits = tiles * Double(Self.tiles(k, plan.tileK) - 1)
    return products + waits * Double(machine.matrix.latency)
  }

  func feedCycles(
    _ plan: GemmSchedule, _ area: (rows: Int, columns: Int), mTiles: Double, nTiles: Double,
    steps: Double
  ) -> Double {
    let depth = Double(MXINT8.blocks(k) * 33)
    let input = Double(area.rows) * nTiles * depth
    let other = Double(area.columns) * mTiles * depth
    let left = machine[.l1ToLeft].rate.approximate
    let right = machine[.l1ToRight].rate.approximate
    return (plan.isTransposed ? other : input) / left + (plan.isTransposed ? input : other) / right
      + steps
  }

  func path(_ operand: GemmOperand) -> MachineConfiguration.PathSpec {
    machine[form.encodes(operand) ? TransferPath.hbmToUB : .hbmToL1]
  }

  /// Burst bytes of all loads of some rows of the first operand.
  private func inputBursts(_ plan: GemmSchedule, rows: Int) -> Double {
    lineBursts(plan, .input, lines: rows)
  }

  /// Burst bytes of all loads of some lines along k of an operand.
  private func lineBursts(_ plan: GemmSchedule, _ operand: GemmOperand, lines: Int) -> Double {
    let run = chunk(plan, operand)
    if form.encodes(operand) {
      return bursts(lines: lines, run: run * 2, pitch: k * 2, of: k * 2)
    }
    let blocks = MXINT8.blocks(k)
    return bursts(lines: lines, run: run, pitch: k, of: k)
      + bursts(lines: lines, run: MXINT8.blocks(run), pitch: blocks, of: blocks)
  }

  /// Burst bytes of all loads of some columns of the second operand.
  func otherBursts(_ plan: GemmSchedule, columns: Int) -> Double {
    guard form.isDeep(.other) else { return lineBursts(plan, .other, lines: columns) }
    let size = form.other.bytes
    let run = min(plan.tileN, n)
    let payload = bursts(lines: k, run: run * size, pitch: n * size, of: columns * size)
    if form.encodes(.other) { return payload }
    return payload + bursts(lines: MXINT8.blocks(k), run: run, pitch: n, of: columns)
  }

  /// Burst bytes of a tensor of the output's shape, by tiles.
  func resultBursts(
    _ plan: GemmSchedule, _ area: (rows: Int, columns: Int), size: Int
  ) -> Double {
    bursts(
      lines: area.rows, run: min(plan.tileN, n) * size, pitch: n * size, of: area.columns * size)
  }

  /// Bytes of `lines` lines of `total` bytes that are read in runs of `run`, in whole bursts; runs of
  /// a whole line touch.
  private func bursts(lines: Int, run: Int, pitch: Int, of total: Int) -> Double {
    let burst = max(1, machine.hbm.burst)
    if run >= pitch { return Double(lines) * Double(pitch) + Double(burst) }
    let straddles = pitch % burst != 0 || run % burst != 0 && burst % run != 0
    let one = (run + burst - 1) / burst + (straddles ? 1 : 0)
    let runs = (total + run - 1) / run
    return Double(lines) * Double(runs) * Double(one * burst)
  }
}
