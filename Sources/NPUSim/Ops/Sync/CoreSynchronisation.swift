/// One end of an event between cores, on the core that it is written for.
public protocol CoreEventOp: OrderOp {
  /// The core at the other end.
  var core: Int32 { get set }
  var event: Event { get set }
}

extension CoreEventOp {
  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.integer("core", &core)
    visitor.event("event", &event)
  }

  /// An event between cores names a queue of each.
  public func legality(_ layout: TileLayout) -> OperandFault? {
    event.source.queue == nil || event.target.queue == nil
      ? "found the sequencer as a side of an event between cores, needed a queue of each core" : nil
  }
}

/// Sets an event of another core: fires when every earlier micro-op of its queue is visible.
public struct SetCoreEvent: CoreEventOp {
  /// The core that waits.
  public var core: Int32
  public var event: Event

  public static let mnemonic = "sync.set_core"
  public static let summary =
    "written `set core C queue->queue:id`: fires the event for core C, which counts it, when every "
    + "earlier micro-op of its queue is visible"
  /// The queue of the sample; an event decides the queue of a value.
  public static let queue = Queue.load
  public static let kind = OpKind.coreSet

  public init() { self.init(0, Event(from: .load, to: .feed, id: 0)) }

  /// The set for a core of an event.
  public init(_ core: Int32, _ event: Event) {
    self.core = core
    self.event = event
  }

  public var effectiveQueue: Queue { event.source.queue ?? .load }
}

/// Waits for an event of another core: stops dispatch until the matching set has fired.
public struct WaitCoreEvent: CoreEventOp {
  /// The core that sets.
  public var core: Int32
  public var event: Event

  public static let mnemonic = "sync.wait_core"
  public static let summary =
    "written `wait core C queue->queue:id`: stops dispatch until the matching set of core C has "
    + "fired and propagated"
  /// The queue of the sample; it goes to no queue.
  public static let queue = Queue.load
  public static let kind = OpKind.coreWait

  public init() { self.init(0, Event(from: .load, to: .feed, id: 0)) }

  /// The wait for a core's set of an event.
  public init(_ core: Int32, _ event: Event) {
    self.core = core
    self.event = event
  }

  /// The queue that the event is for stands for the sequencer, whose micro-ops go to no queue.
  public var effectiveQueue: Queue { event.target.queue ?? .load }
}
