/// What would make a run faster, from its cores, its bounds and its busiest queue.
///
/// A rule of thumb over measured numbers, not a promise: the figure next to it says how much there
/// is to win.
enum Advice {
  /// From this share of the attainable bound on, the schedule is not what limits.
  static let nearlyAttained = 0.9

  /// A sentence each, the most important first; empty where there is nothing to say: no bounds, or no
  /// cycles.
  ///
  /// - Parameter cores: those that the machine has.
  static func sentences(_ timing: RunReport.Timing, cores: Int) -> [String] {
    [idleCores(timing, of: cores), sentence(timing)].compactMap { $0 }
  }

  /// Cores that execute nothing, unless what they share with the others is at its limit.
  private static func idleCores(_ timing: RunReport.Timing, of cores: Int) -> String? {
    guard let bounds = timing.bounds, timing.cycles > 0,
      Double(bounds.roofline) < nearlyAttained * Double(timing.cycles)
    else { return nil }
    let busy = timing.cores.count { core in core.queues.contains { $0.ops > 0 } }
    let idle = cores - busy
    guard idle > 0, busy > 0 else { return nil }
    return "\(idle) of \(cores) cores \(idle == 1 ? "is" : "are") idle: give each a share of work "
      + "(in a text, a block .core 0..<cores with the loop over the share of its core), or ask for "
      + "fewer with --cores \(busy)"
  }

  private static func sentence(_ timing: RunReport.Timing) -> String? {
    guard let bounds = timing.bounds, timing.cycles > 0 else { return nil }
    let share = Double(bounds.attainable) / Double(timing.cycles)
    if share >= nearlyAttained { return limit(bounds.attainableResource) }
    if Double(bounds.criticalPath) >= nearlyAttained * Double(timing.cycles),
      bounds.criticalPath > bounds.attainable
    {
      return "latency decides: the longest chain of dependences is "
        + "\(Quantity.percent(Double(bounds.criticalPath), of: Double(timing.cycles))) of the "
        + "cycles; overlap more independent tiles, or shorten the chain"
    }
    return stall(timing)
  }

  private static func limit(_ resource: Resource) -> String {
    switch resource {
    case .hbm:
      "HBM decides, the schedule has little left to win: move fewer bytes (a narrower format, more "
        + "reuse) or raise the bandwidth"
    case .queue(.matrix):
      "the matrix unit decides: fewer padded rows and columns, or a larger unit"
    case .queue(.vector):
      "the vector unit decides: fewer passes over the elements, or fused micro-ops"
    case .queue:
      "the \(resource.name) decides: keep operands longer where they are, or widen the port"
    }
  }

  /// The top stall of the busiest queue; the tail of a run does not count as one.
  private static func stall(_ timing: RunReport.Timing) -> String? {
    var busiest: (Queue, QueueTiming)?
    for (queue, row) in zip(Queue.allCases, timing.queues)
    where row.busy > (busiest?.1.busy ?? 0) {
      busiest = (queue, row)
    }
    guard let (queue, row) = busiest else { return nil }
    let reasons = StallReason.allCases.filter { row[$0] > 0 }
    guard let top = reasons.max(by: { row[$0] < row[$1] }) else { return nil }
    let name = queue.name
    let cause =
      switch top {
      case .hbmShare: "shares HBM with other queues and cores: move fewer bytes"
      case .waitEvent: "waits for events: deepen the rings it reads, or emit its producers earlier"
      case .barrier: "waits at barriers: replace them by events between two queues"
      case .interlock: "waits for its own results: put independent work between dependent ones"
      case .starved:
        "is starved while the sequencer stands before another full queue: emit its micro-ops earlier"
      case .dispatch: "is ahead of the sequencer: use fewer, larger micro-ops"
      case .drained: "ends long before the run does: shorten what follows its last micro-op"
      }
    return "the busiest queue, \(name), \(cause)"
  }
}
