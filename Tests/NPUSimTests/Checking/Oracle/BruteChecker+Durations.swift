import NPUSim

/// Instants under given durations, at unlimited depth: the longest path through the oracle's graph.
extension BruteChecker {
  /// When every micro-op starts, has read its sources and is visible; `nil` for what never happens.
  ///
  /// `late` is a wait whose event takes a cycle to reach it.
  func instants(occupancies: [Int], latencies: [Int], late: Int? = nil) -> [Int?] {
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
        let isLate = node == late.map { 3 * $0 } && earlier % 3 == 2
        own = max(own, time(earlier) + (isOwnStage ? duration : 0) + (isLate ? 1 : 0))
      }
      times[node] = own
      return own
    }
    for node in before.indices where happens[node] { _ = time(node) }
    return times
  }

  /// Whether some durations make a set start before the wait that makes room for it: all are long but
  /// those of what the set comes after.
  func isRealised(_ reuse: Finding.Reuse) -> Bool {
    guard let wait = ops.firstIndex(where: { $0.site == reuse.wait }),
      let set = ops.firstIndex(where: { $0.site == reuse.set })
    else { return false }
    var occupancies = [Int](repeating: 1_000, count: ops.count)
    var latencies = occupancies
    var stack = [3 * set]
    var seen: Set<Int> = []
    while let node = stack.popLast() {
      if node % 3 == 1 { occupancies[node / 3] = 0 }
      if node % 3 == 2 { latencies[node / 3] = 0 }
      for earlier in before[node] where seen.insert(earlier).inserted { stack.append(earlier) }
    }
    let times = instants(occupancies: occupancies, latencies: latencies, late: wait)
    guard let first = times[3 * set], let second = times[3 * wait] else {
      // A wait that never starts is overtaken by whatever does.
      return times[3 * set] != nil
    }
    return first < second
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
