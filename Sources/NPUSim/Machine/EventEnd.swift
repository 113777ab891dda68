/// What sets or waits for an event: a queue, or the sequencer that dispatches to all of them.
public enum EventEnd: Sendable, Hashable {
  case queue(Queue)
  /// It reads and writes scalars of `ub` in the hardware; programs name it `scalar`.
  case sequencer

  public static let load = EventEnd.queue(.load)
  public static let feed = EventEnd.queue(.feed)
  public static let matrix = EventEnd.queue(.matrix)
  public static let drain = EventEnd.queue(.drain)
  public static let vector = EventEnd.queue(.vector)
  public static let store = EventEnd.queue(.store)

  /// Number of ends that a core has.
  public static let count = Queue.count + 1

  /// Position in every table of ends: that of the queue, the sequencer behind them.
  @inlinable public var index: Int {
    switch self {
    case .queue(let queue): queue.index
    case .sequencer: Queue.count
    }
  }

  /// The queue; `nil` for the sequencer.
  @inlinable public var queue: Queue? {
    if case .queue(let queue) = self { queue } else { nil }
  }

  /// The name in text, JSON and reports.
  public var name: String { queue?.name ?? Self.sequencerName }

  static let sequencerName = "scalar"

  /// The queues in their order, and the sequencer.
  public static let all: [EventEnd] = Queue.allCases.map { .queue($0) } + [.sequencer]

  /// The end of that name, or `nil`.
  public init?(name: String) {
    guard let match = Self.all.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// The end with this low byte of `index`; the sequencer for any that no queue has.
  @inlinable init(index: UInt8) { self = Queue(rawValue: index).map { .queue($0) } ?? .sequencer }
}
