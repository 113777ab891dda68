extension NumberFit {
  /// When `isThere` holds, given that `isOpen` does.
  func condition(_ isThere: [Bool], within isOpen: [Bool]) -> RollCondition {
    if isThere == isOpen { return .always }
    return memo.condition(counts, isThere, within: isOpen) { checked(isThere, isOpen) }
  }

  /// What is found, or a table where that does not hold after all.
  private func checked(_ isThere: [Bool], _ isOpen: [Bool]) -> RollCondition {
    let found = found(isThere, isOpen)
    for point in 0..<points where isOpen[point] && holds(found, at: point) != isThere[point] {
      let (list, sum) = list(isThere.map { $0 ? 1 : 0 }, isOpen)
      return .table(list, sum)
    }
    return found
  }

  /// Whether a condition holds at a point.
  private func holds(_ condition: RollCondition, at point: Int) -> Bool {
    switch condition {
    case .always: true
    case .compare(let sum, let sign, let number): sign.holds(value(sum, at: point), number)
    case .remainder(let sum, let modulus, let sign, let number):
      sign.holds(Self.remainder(value(sum, at: point), modulus), number)
    case .all(let parts): parts.allSatisfy { holds($0, at: point) }
    case .any(let parts): parts.contains { holds($0, at: point) }
    case .table(let values, let sum): values[value(sum, at: point)] != 0
    }
  }

  private func found(_ isThere: [Bool], _ isOpen: [Bool]) -> RollCondition {
    var isAlways = true
    for point in 0..<points where isOpen[point] && !isThere[point] {
      isAlways = false
      break
    }
    if isAlways { return .always }
    for loop in counts.indices.reversed() {
      if let part = along(loop..<(loop + 1), isThere, isOpen),
        let condition = simple(part, steps(loop..<(loop + 1)))
      {
        return condition
      }
    }
    for first in counts.indices.reversed().dropFirst() {
      if let part = along(first..<counts.count, isThere, isOpen),
        let condition = threshold(part, steps(first..<counts.count))
      {
        return condition
      }
    }
    let opposite = (0..<points).map { isOpen[$0] && !isThere[$0] }
    if let condition = flat(isThere, isOpen) { return condition }
    if let condition = cases(isThere, isOpen) { return condition }
    if let condition = cases(opposite, isOpen) { return condition.negated }
    // Loops that allow few turns say so themselves, and the table is for what is left.
    var rest = isOpen
    var parts: [RollCondition] = []
    for loop in counts.indices {
      var allowed: [Bool?] = Array(repeating: nil, count: counts[loop])
      for point in 0..<points where rest[point] {
        let place = turn(point, loop)
        allowed[place] = allowed[place] == true || isThere[point]
      }
      guard allowed.count(where: { $0 == false }) * 2 > allowed.count,
        let part = simple(allowed, steps(loop..<(loop + 1)))
      else { continue }
      parts.append(part)
      for point in 0..<points where rest[point] && allowed[turn(point, loop)] == false {
        rest[point] = false
      }
    }
    let (list, sum) = list(isThere.map { $0 ? 1 : 0 }, rest)
    return parts.isEmpty ? .table(list, sum) : .all(parts + [.table(list, sum)])
  }

  private func steps(_ group: Range<Int>) -> RollSum {
    var steps = Array(repeating: 0, count: counts.count)
    var step = 1
    for loop in group.reversed() {
      steps[loop] = step
      step *= counts[loop]
    }
    return RollSum(base: 0, steps: steps)
  }

  /// Whether it is there, by the turn in a group; `nil` for turns that do not matter, or altogether
  /// where other loops decide, too.
  private func along(
    _ group: Range<Int>, _ isThere: [Bool], _ isOpen: [Bool]
  ) -> [Bool?]? {
    let length = group.reduce(1) { $0 * counts[$1] }
    let inner = counts[group.upperBound...].reduce(1, *)
    var result: [Bool?] = Array(repeating: nil, count: length)
    for point in 0..<points where isOpen[point] {
      let place = point / inner % length
      if let known = result[place], known != isThere[point] { return nil }
      result[place] = isThere[point]
    }
    return result
  }

  /// A bound from below or above.
  private func threshold(_ part: [Bool?], _ sum: RollSum) -> RollCondition? {
    let first = part.firstIndex(of: true) ?? part.count
    let last = part.lastIndex(of: true) ?? -1
    let firstNot = part.firstIndex(of: false) ?? part.count
    let lastNot = part.lastIndex(of: false) ?? -1
    // Single turns are named.
    if first == last, part.filter({ $0 == true }).count == 1 {
      return .compare(sum, .equal, first)
    }
    if firstNot == lastNot, part.filter({ $0 == false }).count == 1,
      firstNot > 0 && firstNot < part.count - 1
    {
      return .compare(sum, .unequal, firstNot)
    }
    if lastNot < first { return .compare(sum, .least, lastNot + 1) }
    if last < firstNot { return .compare(sum, .less, firstNot) }
    return nil
  }

  /// What one loop says: a bound, a range, or every n-th turn.
  private func simple(_ part: [Bool?], _ sum: RollSum) -> RollCondition? {
    if let condition = threshold(part, sum) { return condition }
    let first = part.firstIndex(of: true) ?? 0
    let last = part.lastIndex(of: true) ?? 0
    if !part[first...last].contains(false) {
      return .all([.compare(sum, .least, first), .compare(sum, .less, last + 1)])
    }
    let firstNot = part.firstIndex(of: false) ?? 0
    let lastNot = part.lastIndex(of: false) ?? 0
    if !part[firstNot...lastNot].contains(true) {
      return .any([.compare(sum, .less, firstNot), .compare(sum, .least, lastNot + 1)])
    }
    guard part.count >= 4 else { return nil }
    for modulus in 2...min(64, part.count / 2) {
      for (wanted, sign) in [(true, RollCondition.Sign.equal), (false, .unequal)] {
        guard let place = part.firstIndex(of: wanted) else { continue }
        let rest = place % modulus
        let fits = part.indices.allSatisfy { index in
          part[index].map { $0 == ((index % modulus == rest) == wanted) } ?? true
        }
        if fits { return .remainder(sum, modulus: modulus, sign, rest) }
      }
    }
    return nil
  }

  func turn(_ point: Int, _ loop: Int) -> Int { point / strides[loop] % counts[loop] }

  /// Conditions on single loops that hold together.
  private func product(_ isThere: [Bool], _ isOpen: [Bool]) -> RollCondition? {
    var allowed: [[Bool?]] = counts.map { Array(repeating: nil, count: $0) }
    for point in 0..<points where isOpen[point] {
      for loop in counts.indices {
        let place = turn(point, loop)
        allowed[loop][place] = allowed[loop][place] == true || isThere[point]
      }
    }
    for point in 0..<points where isOpen[point] && !isThere[point] {
      if counts.indices.allSatisfy({ allowed[$0][turn(point, $0)] == true }) { return nil }
    }
    var parts: [RollCondition] = []
    for loop in counts.indices where allowed[loop].contains(false) {
      guard let part = simple(allowed[loop], steps(loop..<(loop + 1))) else { return nil }
      if case .all(let inner) = part { parts += inner } else { parts.append(part) }
    }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  /// Most cases that a condition is put together from.
  private static let mostCases = 3

  /// Cases by the turn of one loop, each with a condition on the others.
  private func cases(_ isThere: [Bool], _ isOpen: [Bool]) -> RollCondition? {
    guard counts.count > 1 else { return nil }
    var best: (condition: RollCondition, size: Int)?
    for loop in counts.indices {
      guard let patterns = patterns(isThere, isOpen, of: loop), !patterns.isEmpty else { continue }
      let parts = patterns.compactMap { part($0, of: loop) }
      guard parts.count == patterns.count else { continue }
      let condition = parts.count == 1 ? parts[0] : RollCondition.any(parts)
      if condition.size < best?.size ?? 7 { best = (condition, condition.size) }
    }
    return best?.condition
  }

  /// What holds at the points of some turns of a loop, each with the points of one turn.
  private struct Pattern {
    var yes: [Bool]
    var open: [Bool]
    var turns: [Int]
  }

  /// The point of turn `place` of a loop that is the `index`th one of that turn.
  private func point(_ place: Int, _ index: Int, of loop: Int) -> Int {
    let stride = strides[loop]
    return (index / stride * counts[loop] + place) * stride + index % stride
  }

  /// The turns of a loop by what holds in them, those that agree together; `nil` for too many.
  private func patterns(_ isThere: [Bool], _ isOpen: [Bool], of loop: Int) -> [Pattern]? {
    let width = points / counts[loop]
    var patterns: [Pattern] = []
    for place in 0..<counts[loop] {
      var yes = Array(repeating: false, count: width)
      var open = yes
      for index in 0..<width where isOpen[point(place, index, of: loop)] {
        open[index] = true
        yes[index] = isThere[point(place, index, of: loop)]
      }
      if !yes.contains(true) { continue }
      let known = patterns.firstIndex { pattern in
        (0..<width).allSatisfy { !(open[$0] && pattern.open[$0]) || yes[$0] == pattern.yes[$0] }
      }
      if let known {
        patterns[known].turns.append(place)
        for index in 0..<width where open[index] {
          patterns[known].open[index] = true
          patterns[known].yes[index] = yes[index]
        }
      } else {
        patterns.append(Pattern(yes: yes, open: open, turns: [place]))
        if patterns.count > Self.mostCases { return nil }
      }
    }
    return patterns
  }

  /// The condition of one pattern: its turns, and what holds in them.
  private func part(_ pattern: Pattern, of loop: Int) -> RollCondition? {
    var turns: [Bool?] = Array(repeating: false, count: counts[loop])
    for place in pattern.turns { turns[place] = true }
    guard let when = simple(turns, steps(loop..<(loop + 1))) else { return nil }
    // At the loop's first turn, which the condition does not name.
    var yes = Array(repeating: false, count: points)
    var open = yes
    for index in pattern.yes.indices {
      yes[point(0, index, of: loop)] = pattern.yes[index]
      open[point(0, index, of: loop)] = pattern.open[index]
    }
    guard let what = flat(yes, open, without: loop) else { return nil }
    return switch (when, what) {
    case (_, .always): when
    case (.all(let first), .all(let second)): .all(first + second)
    case (.all(let first), _): .all(first + [what])
    case (_, .all(let second)): .all([when] + second)
    default: .all([when, what])
    }
  }

  /// A condition without cases.
  private func flat(
    _ isThere: [Bool], _ isOpen: [Bool], without loop: Int? = nil
  ) -> RollCondition? {
    if (0..<points).allSatisfy({ !isOpen[$0] || isThere[$0] }) { return .always }
    if let condition = product(isThere, isOpen) { return condition }
    let opposite = (0..<points).map { isOpen[$0] && !isThere[$0] }
    return product(opposite, isOpen)?.negated ?? slanted(isThere, isOpen, loop)
  }

  /// Longest row of an inner loop's turns in a count of both loops.
  private static let longestRow = 16

  /// A bound on the turns of two loops counted together, where the inner one's rows overlap or leave gaps.
  private func slanted(
    _ isThere: [Bool], _ isOpen: [Bool], _ excluded: Int?
  ) -> RollCondition? {
    for inner in counts.indices.dropFirst() where inner != excluded {
      for outer in 0..<inner where outer != excluded && counts[outer] > 1 && counts[inner] > 1 {
        for row in 1...Self.longestRow {
          let length = (counts[outer] - 1) * row + counts[inner]
          var part: [Bool?] = Array(repeating: nil, count: length)
          var isClear = true
          for point in 0..<points where isOpen[point] {
            let place = turn(point, outer) * row + turn(point, inner)
            if let known = part[place], known != isThere[point] {
              isClear = false
              break
            }
            part[place] = isThere[point]
          }
          guard isClear else { continue }
          var sum = RollSum(base: 0, steps: Array(repeating: 0, count: counts.count))
          sum.steps[outer] = row
          sum.steps[inner] = 1
          if let condition = simple(part, sum) { return condition }
        }
      }
    }
    return nil
  }
}

extension RollCondition {
  /// Comparisons in it.
  var size: Int {
    switch self {
    case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.size }
    default: 1
    }
  }

  /// Whether its opposite says it better.
  var isNegative: Bool {
    switch self {
    case .compare(_, let sign, _), .remainder(_, _, let sign, _): sign == .unequal
    default: false
    }
  }

  /// The opposite.
  var negated: RollCondition {
    switch self {
    case .always, .table: self
    case .compare(let sum, let sign, let value): .compare(sum, sign.negated, value)
    case .remainder(let sum, let modulus, let sign, let value):
      .remainder(sum, modulus: modulus, sign.negated, value)
    case .all(let parts): .any(parts.map(\.negated))
    case .any(let parts): .all(parts.map(\.negated))
    }
  }
}

extension RollCondition.Sign {
  func holds(_ value: Int, _ number: Int) -> Bool {
    switch self {
    case .less: value < number
    case .least: value >= number
    case .equal: value == number
    case .unequal: value != number
    }
  }

  var negated: RollCondition.Sign {
    switch self {
    case .less: .least
    case .least: .less
    case .equal: .unequal
    case .unequal: .equal
    }
  }
}
