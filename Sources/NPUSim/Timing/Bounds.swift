/// Lower bounds on the cycles of a program, and one upper bound; docs/machine.md, "Bounds".
///
/// max(roofline, criticalPath) ≤ cycles ≤ serialSum for every program that ends.
public struct Bounds: Sendable, Hashable {
  /// The largest, over resources, of compulsory work / peak.
  public var roofline: Int64
  /// The resource that it comes from: `hbm`, `matrix`, `vector`, or a queue's port.
  public var rooflineResource: String
  /// Whether the roofline counts the program's own work, as no algorithm stated what it needs.
  public var usesProgramWork: Bool
  /// The larger of the roofline and the busiest queue's occupancy in this program.
  public var attainable: Int64
  /// The queue that decides `attainable`, or the roofline's resource.
  public var attainableResource: String
  /// The same program with infinite queue depth and every HBM transfer alone.
  public var criticalPath: Int64
  /// Everything one after the other.
  public var serialSum: Int64

  /// The bounds of a program; `compulsory` is what its algorithm needs, `nil` where nobody states it.
  public static func of(_ program: Program, compulsory: CompulsoryWork? = nil) throws(NPUError)
    -> Bounds
  {
    let prices = try PriceTable(program)
    let work = compulsory ?? CompulsoryWork(of: program)
    let (roofline, resource) = roofline(work, program.machine)
    let (busiest, queue) = busiestQueue(program, prices)
    let path = try TimingEngine.run(program, TimingOptions(uncontended: true)).cycles
    return Bounds(
      roofline: roofline, rooflineResource: resource, usesProgramWork: compulsory == nil,
      attainable: max(roofline, busiest),
      attainableResource: busiest > roofline ? queue.name : resource, criticalPath: path,
      serialSum: serialSum(program, prices))
  }

  /// The largest of each resource's compulsory time, and its name. Work of all cores over the peak of
  /// all cores.
  private static func roofline(_ work: CompulsoryWork, _ machine: MachineConfiguration) -> (
    Int64, String
  ) {
    let cores = Double(machine.cores)
    var times: [(Double, String)] = []
    var hbm = 0.0
    for queue in [Queue.load, .feed, .drain, .store] {
      var port = 0.0
      for path in TransferPath.allCases where path.queue == queue {
        let bytes = Double(work.bytes[path.index])
        if path.readsHBM || path.writesHBM { hbm += bytes }
        port += bytes / machine[path].rate.approximate
      }
      times.append((port / cores, "\(queue.name) port"))
    }
    times.insert((hbm / machine.hbm.rate.approximate, "hbm"), at: 0)
    times.append((Double(work.macs) / machine.matrix.peakMACs / cores, "matrix"))
    var vector = 0.0
    for (index, elements) in work.elements.enumerated() {
      vector += Double(elements) * Double(machine.vector.slopes[index])
    }
    times.append((vector / Double(machine.vector.lanes) / cores, "vector"))
    var best = times[0]
    for time in times where time.0 > best.0 { best = time }
    // A bound must not round up past the exact value: the sums carry errors of 1e-15.
    let cycles = (best.0 * (1 - 1e-12)).rounded(.up)
    return (cycles < 9e18 ? Int64(cycles) : .max, best.1)
  }

  /// The largest sum of occupancies of data micro-ops over the queues of any core.
  private static func busiestQueue(_ program: Program, _ prices: PriceTable) -> (Int64, Queue) {
    var best: (Int64, Queue) = (0, .load)
    for core in program.cores {
      var sums = [Int64](repeating: 0, count: Queue.count)
      for record in core where record.kind == .data {
        let index = record.queue.index
        sums[index] = sums[index].addedClamped(to: prices[record.work].occupancy)
      }
      for queue in Queue.allCases where sums[queue.index] > best.0 {
        best = (sums[queue.index], queue)
      }
    }
    return best
  }

  /// Over all micro-ops 1 + occupancy + latency, propagation for each wait, and the core barriers.
  private static func serialSum(_ program: Program, _ prices: PriceTable) -> Int64 {
    var sum: Int64 = 0
    for core in program.cores {
      for record in core {
        let price = prices[record.work]
        var cycles = 1 + price.uncontended + price.latency
        if record.kind == .wait { cycles += program.machine.eventPropagation }
        if record.kind == .barrierCores { cycles += program.machine.coreBarrier }
        sum = sum.addedClamped(to: cycles)
      }
    }
    return sum
  }
}
