/// The unit flags of one core while time passes: when those that others wait for let go.
struct UnitInstants {
  private let chains: UnitChains
  /// By place in the chains; ``never`` until it is known.
  private var fired: [Int64]
  /// The queue whose head waits for it; −1 for none.
  private var waiters: [Int8]

  private static let never = Int64.max

  init(_ chains: UnitChains) {
    self.chains = chains
    fired = Array(repeating: Self.never, count: chains.links.count)
    waiters = Array(repeating: -1, count: chains.links.count)
  }

  /// From when on a micro-op may start: 0 where it carries no flag, or waits for none. `nil` where that
  /// is not known yet: then `queue` is told of it by ``fire(_:at:)``.
  mutating func ready(_ op: UInt32, for queue: Int) -> Int64? {
    guard let place = chains.place(of: Int(op)) else { return 0 }
    let source = chains.links[place].source
    if source == UnitChains.none { return 0 }
    guard source >= 0 else { return nil }
    if fired[Int(source)] != Self.never { return fired[Int(source)] }
    waiters[Int(source)] = Int8(truncatingIfNeeded: queue)
    return nil
  }

  /// From when on a micro-op that starts could have.
  func ready(_ op: UInt32) -> Int64 {
    guard let place = chains.place(of: Int(op)) else { return 0 }
    let source = chains.links[place].source
    return source < 0 ? 0 : fired[Int(source)]
  }

  /// A micro-op, and everything before it on its queue, is visible at `instant`; returns the queue
  /// whose head waits for that, −1 for none.
  mutating func fire(_ op: UInt32, at instant: Int64) -> Int {
    guard let place = chains.place(of: Int(op)) else { return -1 }
    fired[place] = instant
    return Int(waiters[place])
  }
}
