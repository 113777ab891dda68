/// What leads from one queue to another on a machine that has no events between the two.
struct EventDetour {
  /// Chains that are named.
  private static let most = 3

  private let machine: MachineConfiguration
  private let source: EventEnd
  private let target: EventEnd

  init(_ machine: MachineConfiguration, from source: EventEnd, to target: EventEnd) {
    self.machine = machine
    self.source = source
    self.target = target
  }

  /// `the machine NAME has no events from matrix to vector`, and the pairs that lead the same way.
  var message: String {
    let head = "the machine \(machine.name) has no events from \(source.name) to \(target.name)"
    return chains.isEmpty
      ? "\(head), nor a chain of pairs that leads there"
      : "\(head); the same way " + (chains.count == 1 ? "leads " : "lead ")
        + chains.map { Self.words($0) }.joined(separator: ", or ")
  }

  /// What to do about it.
  var fix: String {
    guard let chain = chains.first else {
      return "order the two with a barrier on all queues"
    }
    let between = chain.dropFirst().dropLast().map(\.name).joined(separator: " and ")
    return "let \(between) wait for \(source.name) and set the event for \(target.name), or order "
      + "the two with a barrier on all queues"
  }

  /// The shortest chains, first those over queues that stand between the two in the datapath.
  private var chains: [[EventEnd]] {
    let all = machine.allEventPairs.chains(from: source, to: target)
    func isBetween(_ chain: [EventEnd]) -> Bool {
      let ends = min(source.index, target.index)...max(source.index, target.index)
      return chain.allSatisfy { ends.contains($0.index) }
    }
    return Array((all.filter(isBetween) + all.filter { !isBetween($0) }).prefix(Self.most))
  }

  /// `matrix->drain and drain->vector`.
  private static func words(_ chain: [EventEnd]) -> String {
    zip(chain, chain.dropFirst()).map { "\($0.name)->\($1.name)" }.joined(separator: " and ")
  }
}
