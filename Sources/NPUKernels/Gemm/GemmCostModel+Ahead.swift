import NPUSim

extension GemmCostModel {
  /// About the cycles of a schedule without slabs whose first operand is encoded ahead, on the core with the
  /// most work.
  ///
  /// What the cores load together decides on most machines. A second operand with one slot is loaded while
  /// nothing is multiplied: a core by itself then takes both times.
  func cyclesAhead(_ plan: GemmSchedule) -> Double {
    let area = largestShare(plan)
    let (mTiles, nTiles, steps) = counts(plan, area)
    let tiles = mTiles * nTiles
    let matrix = matrixCycles(plan, area)
    let feed = feedCycles(plan, area, mTiles: mTiles, nTiles: nTiles, steps: steps)
    let path = machine[.hbmToL1]
    let line = Double(k + MXINT8.blocks(k))
    let inputBytes = nTiles * Double(area.rows) * line
    let otherBytes = mTiles * Double(area.columns) * weightBursts(plan)
    let partner = form.partner != nil ? resultBursts(plan, area, size: 2) : 0
    let drained = resultBursts(plan, area, size: form.result.bytes)
    let hbm = machine.hbm.readRate.approximate

    let loads = tiles * Double(loads(plan, .input) + loads(plan, .other))
    let inputTime = inputBytes / path.rate.approximate
    let otherTime = otherBytes / path.rate.approximate
    let events = Double(2 * machine.eventPropagation + 4)
    let turn = Double(machine[.l1ToLeft].latency + machine.matrix.latency) + events
    let stepRing = (matrix + feed + steps * turn) / Double(plan.feedStages)
    let drain = drained / machine[.accToHBM].rate.approximate
    let turnOver = plan.accStages > 1 ? 0 : drain + tiles * turn
    let meeting =
      Double(area.rows * area.columns) * partnerSlope / Double(machine.vector.wordElements)
    let products = max(matrix + turnOver, feed, stepRing, meeting)
    let fill = Double(path.latency) + events
    let alone =
      plan.otherStages > 1
      ? max(products, inputTime + otherTime + loads)
      : otherTime + max(products, inputTime + loads)
        + tiles * Double(self.loads(plan, .other)) * fill
    // Tiles come in rounds, the last of which may leave cores without one.
    let all = Double(Self.tiles(m, plan.tileM)) * Double(Self.tiles(n, plan.tileN))
    let cores = Double(machine.cores)
    let shared = (inputBytes + otherBytes + drained + partner) / tiles / hbm
    let rounds = (all / cores).rounded(.down)
    let left = all - rounds * cores
    let streamed =
      rounds * max(alone / tiles, cores * shared)
      + (left > 0 ? max(alone / tiles, left * shared) : 0)
    return streamed + encodeAhead(hbm) + fill + turn + drain / tiles + steps * 0.01
  }

  /// Burst bytes of all loads of a line of the second operand: its payload and its scales, which lie in runs
  /// that share a burst with those of other lines.
  private func weightBursts(_ plan: GemmSchedule) -> Double {
    let run = chunk(plan, .other)
    return bursts(run: run, of: k) + bursts(run: MXINT8.blocks(run), of: MXINT8.blocks(k))
  }

  /// Bytes of a line of `pitch` bytes that is read in runs, in whole bursts: as many as a run touches in the
  /// mean where it begins on some multiple of what pitch, run and burst have in common.
  private func bursts(run: Int, of pitch: Int) -> Double {
    if run >= pitch { return Double(pitch) }
    let burst = max(1, machine.hbm.burst)
    let step = [pitch, run].reduce(burst, Self.commonDivisor)
    return Double((pitch - 1) / run + 1) * Double(run + burst - step)
  }

  private static func commonDivisor(_ a: Int, _ b: Int) -> Int {
    b == 0 ? a : commonDivisor(b, a % b)
  }

  /// Cycles until all of the first operand is encoded and the cores have met.
  private func encodeAhead(_ hbm: Double) -> Double {
    let elements = Double(m) * Double(k)
    let cores = Double(min(machine.cores, m))
    let vector =
      elements * Double(machine.vector.slopes[VectorClass.encodeMX.index])
      / Double(machine.vector.wordElements) / cores
    let load = 2 * elements / min(hbm, machine[.hbmToUB].rate.approximate * cores)
    let store = 1.03125 * elements / min(hbm, machine[.ubToHBM].rate.approximate * cores)
    let trips = machine[.hbmToUB].latency + machine[.ubToHBM].latency
    return max(vector, load + store) + Double(trips)
      + (machine.cores > 1 ? Double(machine.coreBarrier) : 0)
  }
}
