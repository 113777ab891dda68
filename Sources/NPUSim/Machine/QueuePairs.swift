/// A set of ordered pairs of queues, such as those between which a machine has events.
public struct QueuePairs: Sendable, Hashable {
  /// Bit `source.index * Queue.count + target.index` of each pair.
  private var bits: UInt64

  private init(bits: UInt64) { self.bits = bits }

  /// From every queue to every one.
  public static let all = QueuePairs(bits: .max)
  public static let none = QueuePairs(bits: 0)

  /// The pairs given. Those from every queue to every other one are ``all``.
  public init(_ pairs: [(source: Queue, target: Queue)]) {
    self = pairs.reduce(into: .none) { $0.bits |= Self.bit($1.source, $1.target) }
    if list.count == Queue.count * (Queue.count - 1) { self = .all }
  }

  private static func bit(_ source: Queue, _ target: Queue) -> UInt64 {
    1 << UInt64(source.index * Queue.count + target.index)
  }

  public func contains(_ source: Queue, _ target: Queue) -> Bool {
    bits & Self.bit(source, target) != 0
  }

  public func union(_ other: QueuePairs) -> QueuePairs { QueuePairs(bits: bits | other.bits) }

  /// The pairs of two different queues, by source and then by target.
  public var list: [(source: Queue, target: Queue)] {
    Queue.allCases.flatMap { source in
      Queue.allCases.filter { $0 != source && contains(source, $0) }.map { (source, $0) }
    }
  }

  /// The shortest ways from one queue to another, each with both ends; empty where there is none.
  public func chains(from source: Queue, to target: Queue) -> [[Queue]] {
    var chains: [[Queue]] = [[source]]
    var reached: Set<Queue> = [source]
    while !chains.isEmpty {
      let ends = chains.filter { $0.last == target }
      if !ends.isEmpty { return ends }
      chains = chains.flatMap { chain in
        Queue.allCases.filter { next in
          !reached.contains(next) && chain.last.map { contains($0, next) } ?? false
        }.map { chain + [$0] }
      }
      reached.formUnion(chains.compactMap(\.last))
    }
    return []
  }
}
