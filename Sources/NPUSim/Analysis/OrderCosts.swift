/// What limits cost each queue of a program: how many cycles earlier its last micro-op would be done in
/// the same order without one of them.
///
/// A limit that is lifted may let transfers meet otherwise, so that a cost can be below 0.
public struct OrderCosts: Sendable, Hashable {
  /// The costs of one queue, of the core that is done last.
  public struct Row: Sendable, Hashable {
    public var queue: Queue
    /// With as many event IDs as are asked for.
    public var eventIDs: Int64
    /// If every write had a place of its own, so that none waits for other queues to be done with what
    /// it overwrites. Where a queue interlocks, it still waits for its own results.
    public var slots: Int64
    /// With queues of any depth.
    public var queueDepth: Int64
  }

  /// One for each queue, in their order.
  public var queues: [Row]

  /// Throws where the program cannot be timed without a limit.
  ///
  /// - Parameter found: the order of the program.
  public init(_ program: SequentialProgram, _ found: FoundOrder) throws(NPUError) {
    let machine = found.program.machine
    let orders = found.orders(of: program)
    let graphs = ConflictGraphs(program)
    let ends = try Self.ends(found.program)
    var (identifiers, depth) = (ends, ends)
    if machine.eventsPerPair != nil {
      var roomy = machine
      roomy.eventsPerPair = nil
      let lowered = program.ordered(by: roomy).lowered(in: orders, graphs).program
      if lowered.cores != found.program.cores { identifiers = try Self.ends(lowered) }
    }
    if machine.queueDepth != nil {
      var deep = found.program
      deep.machine.queueDepth = nil
      depth = try Self.ends(deep)
    }
    let slots = try Self.ends(program.lowered(in: orders, graphs.flow).program)
    queues = Queue.allCases.map {
      Row(
        queue: $0, eventIDs: ends[$0.index] - identifiers[$0.index],
        slots: ends[$0.index] - slots[$0.index], queueDepth: ends[$0.index] - depth[$0.index])
    }
  }

  /// When each queue is done with its last micro-op, on the core where that is latest.
  private static func ends(_ program: Program) throws(NPUError) -> [Int64] {
    let result = try TimingEngine.run(program)
    return Queue.allCases.map { queue in
      result.cores.reduce(0) {
        max($0, result.cycles - $1.queues[queue.index][.drained])
      }
    }
  }
}
