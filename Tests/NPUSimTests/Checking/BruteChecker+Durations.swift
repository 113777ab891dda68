import NPUSim

/// Instants under given durations, at unlimited depth: the longest path through the oracle's graph.
extension BruteChecker {
  /// When every micro-op starts, has read its sources and is visible; `nil` for what never happens.
  func instants(occupancies: [Int], latencies: [Int]) -> [Int?] {
    var times = [Int?](repeating: nil, count: before.count)
    func time(_ node: Int) -> Int {
      if let known = times[node] { return known }
      let duration =
        switch node % 3 {
        case 1: occupancies[node / 3]
        case 2: latencies[node / 3]
        default: 0
        }
      var own = 0
      for earlier in before[node] {
        // A set or barrier is visible with the last of those before it; its own stages add to its start.
        let isOwnStage = earlier / 3 == node / 3
        own = max(own, time(earlier) + (isOwnStage ? duration : 0))
      }
      times[node] = own
      return own
    }
    for node in before.indices where happens[node] { _ = time(node) }
    return times
  }

  /// Whether some durations make the second micro-op of a pair start before the first one has let go
  /// of the bytes: every duration is 0 but one of the first.
  func isRealised(_ pair: Pair) -> Bool {
    guard let x = ops.firstIndex(where: { $0.site == pair.first }),
      let y = ops.firstIndex(where: { $0.site == pair.second })
    else { return false }
    let isRead = pair.code == .H002
    var occupancies = [Int](repeating: 0, count: ops.count)
    var latencies = occupancies
    if isRead { occupancies[x] = 1_000 } else { latencies[x] = 1_000 }
    let times = instants(occupancies: occupancies, latencies: latencies)
    guard let start = times[3 * y], let end = times[3 * x + (isRead ? 1 : 2)] else { return false }
    return start < end
  }
}
