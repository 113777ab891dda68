/// What a program's cycles lie between, and what bounds them; docs/machine.md, "Bounds".
///
/// `max(roofline, criticalPath) ≤ cycles ≤ serialSum` holds for every program that ends; `roofline`
/// as far as the compulsory work is in fact part of the program.
public struct Bounds: Sendable, Hashable {
  /// The largest, over resources, of compulsory work / peak, rounded up.
  public var roofline: Int64
  public var rooflineResource: Resource
  /// Whether the roofline counts the program's own work, as no algorithm stated what it needs.
  public var usesProgramWork: Bool
  /// The larger of the roofline and the busiest queue's occupancy: what this choice of micro-ops can
  /// reach at best, however they are ordered.
  public var attainable: Int64
  /// The busiest queue, or the roofline's resource.
  public var attainableResource: Resource
  /// Cycles with infinite queue depth and an HBM that serves every transfer alone.
  public var criticalPath: Int64
  /// Cycles of one micro-op after the other: dispatch, occupancy and latency of each at the rates that
  /// it has alone, HBM's where directions interleave; the propagation of each wait, the cost of each
  /// joining of the cores.
  public var serialSum: Int64

  /// The bounds of a program; `compulsory` is what its algorithm needs, `nil` where nobody states it.
  ///
  /// Throws as ``TimingEngine/run(_:_:)``, as the critical path is a run.
  public static func of(_ program: Program, compulsory: CompulsoryWork? = nil) throws(NPUError)
    -> Bounds
  {
    let prices = try PriceTable(program)
    let path = try TimingEngine.run(program, TimingOptions(uncontended: true)).cycles
    let (roofline, resource) = roofline(
      compulsory ?? CompulsoryWork(of: program), program.machine,
      cores: max(program.machine.cores, program.cores.count))
    var bounds = Bounds(
      roofline: roofline, rooflineResource: resource, usesProgramWork: compulsory == nil,
      attainable: roofline, attainableResource: resource, criticalPath: path, serialSum: 0)
    bounds.addOccupancies(program, prices)
    return bounds
  }

  /// Compulsory work over peak rates: HBM as a whole, and each queue's port or unit on every core.
  private static func roofline(
    _ work: CompulsoryWork, _ machine: MachineConfiguration, cores: Int
  ) -> (Int64, Resource) {
    var units = [ExactCycles](repeating: .zero, count: Queue.count)
    var hbm: Int64 = 0
    for path in TransferPath.allCases {
      let bytes = work.bytes[path.index]
      units[path.queue.index].add(ExactCycles(bytes, at: machine[path].rate))
      if path.readsHBM || path.writesHBM { hbm = hbm.addedClamped(to: bytes) }
    }
    let peak = machine.matrix.pricing.peak
    units[Queue.matrix.index].add(ExactCycles(work.macs, times: peak.cycles, over: peak.macs))
    for (index, elements) in work.elements.enumerated() {
      units[Queue.vector.index].add(
        ExactCycles(
          elements, times: machine.vector.slopes[index], over: machine.vector.mostElements))
    }
    var best = (ExactCycles(hbm, at: machine.hbm.readRate).roundedUp(dividedBy: 1), Resource.hbm)
    for queue in Queue.allCases {
      let cycles = units[queue.index].roundedUp(dividedBy: cores)
      if cycles > best.0 { best = (cycles, .queue(queue)) }
    }
    return best
  }

  /// Adds what depends on each micro-op: the busiest queue of any core, and the serial sum.
  private mutating func addOccupancies(_ program: Program, _ prices: PriceTable) {
    let propagations = program.machine.propagations
    var joins: Int64 = 0
    var total: Int64 = 0
    for list in program.cores {
      var occupied = [Int64](repeating: 0, count: Queue.count)
      var coreJoins: Int64 = 0
      for record in list {
        let price = prices[record.work]
        total = total.addedClamped(to: 1 + price.slowest + price.latency)
        switch record.kind {
        case .data:
          let queue = record.queue.index
          occupied[queue] = occupied[queue].addedClamped(to: price.uncontended)
        case .wait, .sequencerWait:
          total = total.addedClamped(to: propagations[record.event.pair])
        case .coreWait: total = total.addedClamped(to: program.machine.eventPropagation)
        case .barrierCores: coreJoins += 1
        case .set, .sequencerSet, .coreSet, .barrierQueue, .barrierAll: break
        }
      }
      joins = max(joins, coreJoins)
      for queue in Queue.allCases where occupied[queue.index] > attainable {
        attainable = occupied[queue.index]
        attainableResource = .queue(queue)
      }
    }
    // All cores wait for one joining together.
    serialSum = total.addedClamped(to: program.machine.coreBarrier.multipliedClamped(by: joins))
  }
}
