/// When a program ran, and what each queue did in every cycle.
public struct TimingResult: Sendable {
  /// The latest instant at which a micro-op of any core became visible.
  public var cycles: Int64
  /// One entry for each core of the program.
  public var cores: [CoreTiming]
  /// By core and record, when asked for. A barrier on all queues has one entry.
  public var timeline: [[OpInstants]]?
  /// What HBM did for each transfer with an end in it, in the order in which they were taken; empty
  /// without a timeline, and when HBM serves every transfer alone.
  public var services: [MemoryService]

  /// Cycles that the queue of a core spent for a reason.
  public func stall(_ reason: StallReason, _ queue: Queue, core: Int) -> Int64 {
    cores[core].queues[queue.index].stalls[reason.index]
  }
}

/// One core's share of a result.
public struct CoreTiming: Sendable, Hashable {
  /// The latest instant at which a micro-op of the core became visible.
  public var cycles: Int64
  /// Indexed by ``Queue``.
  public var queues: [QueueTiming]
}

/// What one queue did: `busy` and `stalls` add up to the cycles of the whole run.
public struct QueueTiming: Sendable, Hashable {
  /// Micro-ops that started, synchronisation included; a barrier on all counts on every queue.
  public var ops: Int
  /// Cycles in which its own port or unit worked.
  public var busy: Int64
  /// Idle cycles by reason, indexed by ``StallReason/index``.
  public var stalls: [Int64]

  /// Idle cycles for a reason.
  public subscript(reason: StallReason) -> Int64 { stalls[reason.index] }
}

/// The four instants of a micro-op, in cycles.
public struct OpInstants: Sendable, Hashable {
  /// Enters its queue.
  public var dispatch: Int64
  /// Leaves its slot and begins.
  public var start: Int64
  /// All sources are read; the next micro-op of the queue may start.
  public var free: Int64
  /// Results are readable.
  public var visible: Int64

  public init(dispatch: Int64, start: Int64, free: Int64, visible: Int64) {
    self.dispatch = dispatch
    self.start = start
    self.free = free
    self.visible = visible
  }
}

/// A micro-op of a program: core and index in the core's list.
public struct OpSite: Sendable, Hashable {
  public var core: UInt32
  public var op: UInt32

  public init(core: UInt32, op: UInt32) {
    self.core = core
    self.op = op
  }
}
