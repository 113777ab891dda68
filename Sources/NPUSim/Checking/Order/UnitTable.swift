/// The unit flags of a core while its order is executed: what those that others wait for pass on.
struct UnitTable {
  private enum State {
    case pending
    /// The one that waits for it holds its queue back.
    case awaited
    case passed(OrderKnowledge)
  }

  let chains: UnitChains
  private var states: [State]

  init(_ chains: UnitChains) {
    self.chains = chains
    states = Array(repeating: .pending, count: chains.links.count)
  }

  /// What a flagged micro-op learns from the one that it waits for; `nil` while that is not executed.
  mutating func learn(_ place: Int) -> OrderKnowledge? {
    let source = chains.links[place].source
    if source == UnitChains.none { return OrderKnowledge() }
    guard source >= 0 else { return nil }
    if case .passed(let clock) = states[Int(source)] { return clock }
    states[Int(source)] = .awaited
    return nil
  }

  /// Executes a flagged micro-op; returns the queue that it lets go on, one bit.
  mutating func pass(_ place: Int, _ known: OrderKnowledge) -> UInt8 {
    var woken: UInt8 = 0
    if case .awaited = states[place] {
      woken = 1 << (chains.links[place].isDrain ? Queue.matrix : Queue.drain).rawValue
    }
    states[place] = .passed(known)
    return woken
  }
}
