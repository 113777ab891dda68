/// A set of ordered pairs of ends, such as those between which a machine has events.
public struct QueuePairs: Sendable, Hashable {
  /// Bit `source.index * EventEnd.count + target.index` of each pair.
  private var bits: UInt64

  private init(bits: UInt64) { self.bits = bits }

  /// From every queue, and the sequencer, to every one.
  public static let all = QueuePairs(bits: .max)
  public static let none = QueuePairs(bits: 0)

  /// The pairs given. Those from every end to every other one are ``all``.
  public init(_ pairs: [(source: EventEnd, target: EventEnd)]) {
    self = pairs.reduce(into: .none) { $0.bits |= Self.bit($1.source, $1.target) }
    if list.count == EventEnd.count * (EventEnd.count - 1) { self = .all }
  }

  private static func bit(_ source: EventEnd, _ target: EventEnd) -> UInt64 {
    1 << UInt64(source.index * EventEnd.count + target.index)
  }

  public func contains(_ source: EventEnd, _ target: EventEnd) -> Bool {
    bits & Self.bit(source, target) != 0
  }

  public func union(_ other: QueuePairs) -> QueuePairs { QueuePairs(bits: bits | other.bits) }

  /// The pairs of two different ends, by source and then by target.
  public var list: [(source: EventEnd, target: EventEnd)] {
    EventEnd.all.flatMap { source in
      EventEnd.all.filter { $0 != source && contains(source, $0) }.map { (source, $0) }
    }
  }

  /// The shortest ways from one end to another over queues, each with both ends; empty where there
  /// is none. The sequencer is no way between queues: what waits in it holds all of them.
  public func chains(from source: EventEnd, to target: EventEnd) -> [[EventEnd]] {
    var chains: [[EventEnd]] = [[source]]
    var reached: Set<EventEnd> = [source]
    while !chains.isEmpty {
      let ends = chains.filter { $0.last == target }
      if !ends.isEmpty { return ends }
      chains = chains.flatMap { chain in
        EventEnd.all.filter { next in
          (next == target || next.queue != nil) && !reached.contains(next)
            && chain.last.map { contains($0, next) } ?? false
        }.map { chain + [$0] }
      }
      reached.formUnion(chains.compactMap(\.last))
    }
    return []
  }
}
