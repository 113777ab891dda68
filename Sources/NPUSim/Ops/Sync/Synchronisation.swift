/// A micro-op that orders others: it asks no unit for work and moves no data.
public protocol OrderOp: MicroOp {}

extension OrderOp {
  public func work(_ layout: TileLayout) -> Work { .none }
  public func execute(_ datapath: inout Datapath) {}
}

/// Sets an event: fires when every earlier micro-op of its queue is visible.
public struct SetEvent: OrderOp {
  public var event: Event

  public static let mnemonic = "sync.set"
  public static let summary =
    "fires the event when every earlier micro-op of its queue is visible; of the sequencer "
    + "(`scalar->queue`) as it is dispatched"
  /// The queue of the sample; an event decides the queue of a value.
  public static let queue = Queue.load
  public static let kind = OpKind.set

  public init() { self.init(Event(from: .load, to: .feed, id: 0)) }

  public init(_ event: Event) { self.event = event }

  /// The first one stands for the sequencer, whose micro-ops go to no queue.
  public var effectiveQueue: Queue { event.source.queue ?? .load }
  public var effectiveKind: OpKind { event.setKind }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.event("event", &event)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? { event.legality }
}

/// Waits for an event: holds its queue until the matching set has fired and propagated.
public struct WaitEvent: OrderOp {
  public var event: Event

  public static let mnemonic = "sync.wait"
  public static let summary =
    "holds its queue until the matching set has fired and propagated; in the sequencer "
    + "(`queue->scalar`) it stops dispatch"
  /// The queue of the sample; an event decides the queue of a value.
  public static let queue = Queue.feed
  public static let kind = OpKind.wait

  public init() { self.init(Event(from: .load, to: .feed, id: 0)) }

  public init(_ event: Event) { self.event = event }

  /// The first one stands for the sequencer, whose micro-ops go to no queue.
  public var effectiveQueue: Queue { event.target.queue ?? .load }
  public var effectiveKind: OpKind { event.waitKind }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.event("event", &event)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? { event.legality }
}

extension Event {
  /// An event joins two different queues, or a queue and the sequencer.
  fileprivate var legality: OperandFault? {
    guard source == target else { return nil }
    return source == .sequencer
      ? "found the sequencer on both sides, needed a queue on one: it works in order"
      : "found one queue on both sides, needed two: use a barrier"
  }
}

/// Starts when every earlier micro-op of its queue is visible.
public struct QueueBarrier: OrderOp {
  public var barrierQueue: Queue

  public static let mnemonic = "sync.barrier"
  public static let summary = "starts when every earlier micro-op of its queue is visible"
  /// The queue of the sample; the operand decides the queue of a value.
  public static let queue = Queue.vector
  public static let kind = OpKind.barrierQueue

  public init() { self.init(.vector) }

  public init(_ queue: Queue) { barrierQueue = queue }

  public var effectiveQueue: Queue { barrierQueue }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.choice("queue", &barrierQueue)
  }
}

/// Joins all queues of a core: stops dispatch until every earlier micro-op is visible.
public struct CoreBarrier: OrderOp {
  public static let mnemonic = "sync.barrier_all"
  public static let summary =
    "takes a slot in every queue, starts when every earlier micro-op of the core is visible, and "
    + "stops dispatch until then"
  /// It takes a slot in every queue; records name the first.
  public static let queue = Queue.load
  public static let kind = OpKind.barrierAll

  public init() {}

  public mutating func visit(_ visitor: inout some OperandVisitor) {}
}

/// Joins all cores: as ``CoreBarrier``, over every core of the program.
public struct ChipBarrier: OrderOp {
  public static let mnemonic = "sync.barrier_cores"
  public static let summary =
    "as sync.barrier_all, over every core; costs the machine's core barrier"
  /// It takes a slot in every queue; records name the first.
  public static let queue = Queue.load
  public static let kind = OpKind.barrierCores

  public init() {}

  public mutating func visit(_ visitor: inout some OperandVisitor) {}
}
