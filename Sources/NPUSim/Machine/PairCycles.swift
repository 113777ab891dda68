/// Cycles of some ordered pairs of ends, such as those in which events take another time than usual.
public struct PairCycles: Sendable, Hashable {
  /// By `source.index * EventEnd.count + target.index`.
  private var cycles: [Int: Int64] = [:]

  /// No pair.
  public static let none = PairCycles()

  public init() {}

  private static func index(_ source: EventEnd, _ target: EventEnd) -> Int {
    source.index * EventEnd.count + target.index
  }

  /// The cycles of a pair; `nil` where it is not one of these.
  public subscript(source: EventEnd, target: EventEnd) -> Int64? {
    get { cycles[Self.index(source, target)] }
    set { cycles[Self.index(source, target)] = newValue }
  }

  /// The pairs, by source and then by target.
  public var list: [(source: EventEnd, target: EventEnd, cycles: Int64)] {
    QueuePairs.all.list.compactMap { source, target in
      self[source, target].map { (source, target, $0) }
    }
  }
}

extension MachineConfiguration {
  /// Cycles from the firing of a set to the passing of its wait, between two ends of a core.
  public func propagation(from source: EventEnd, to target: EventEnd) -> Int64 {
    propagationBetween[source, target] ?? eventPropagation
  }

  /// The same by `source.index * EventEnd.count + target.index`.
  var propagations: [Int64] {
    EventEnd.all.flatMap { source in EventEnd.all.map { propagation(from: source, to: $0) } }
  }
}
