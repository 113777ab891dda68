/// Finds how numbers follow from the turns of the loops around them. What it finds holds in every turn
/// that is there; where nothing simple does, the values become a table.
struct NumberFit {
  /// Largest modulus tried for event IDs.
  private static let largestModulus = 8

  /// Turns of each loop, outermost first.
  let counts: [Int]
  let points: Int
  /// Points between neighbours along each loop.
  let strides: [Int]
  let memo: ConditionMemo

  init(_ counts: [Int], _ memo: ConditionMemo) {
    self.counts = counts
    self.memo = memo
    var strides = counts
    var points = 1
    for place in counts.indices.reversed() {
      strides[place] = points
      points *= counts[place]
    }
    self.strides = strides
    self.points = points
  }

  /// The form of a number with these values where `isThere`.
  func form(_ number: RollNumber, _ values: [Int], _ isThere: [Bool]) -> RollForm {
    guard let first = isThere.firstIndex(of: true) else { return .constant(0) }
    let value = values[first]
    if !disagrees(values, isThere, from: first, with: value) { return .constant(value) }
    guard counts.count > 0 else { return .constant(value) }
    let steps = steps(values, isThere)
    let sum = sum(steps, through: value, at: first)
    if holds(sum, values, isThere, { $0 }) { return .linear(sum) }
    if number.kind == .cyclic, let form = cyclic(number, values, isThere, steps, first) {
      return form
    }
    if number.kind == .extent, let form = capped(values, isThere) { return form }
    if let form = choice(values, isThere, value) { return form }
    if number.slots > 0, let form = resident(values, isThere, sum) { return form }
    if let form = split(values, isThere) { return form }
    if let form = cases(number, values, isThere) { return form }
    return table(values, isThere)
  }

  private func disagrees(
    _ values: [Int], _ isThere: [Bool], from first: Int, with value: Int
  ) -> Bool {
    for point in first..<points where isThere[point] && values[point] != value { return true }
    return false
  }

  // MARK: Sums

  /// What one turn of each loop adds, from the first neighbours that are both there.
  private func steps(_ values: [Int], _ isThere: [Bool]) -> [Int] {
    counts.indices.map { loop in
      let stride = strides[loop]
      let count = counts[loop]
      for distance in 1..<max(2, count) {
        for point in 0..<points where isThere[point] {
          let other = point + distance * stride
          guard point / stride % count + distance < count, other < points, isThere[other] else {
            continue
          }
          let difference = values[other] - values[point]
          if difference % distance == 0 { return difference / distance }
        }
        if distance > 16 { break }
      }
      return 0
    }
  }

  /// The sum with these steps that has a value at a point.
  private func sum(_ steps: [Int], through value: Int, at point: Int) -> RollSum {
    var base = value
    for loop in counts.indices { base -= steps[loop] * (point / strides[loop] % counts[loop]) }
    return RollSum(base: base, steps: steps)
  }

  /// The value of a sum at a point.
  func value(_ sum: RollSum, at point: Int) -> Int {
    var result = sum.base
    for (loop, step) in sum.steps.enumerated() where step != 0 {
      result += step * (point / strides[loop] % counts[loop])
    }
    return result
  }

  /// Whether a function of a sum gives every value that is there.
  private func holds(
    _ sum: RollSum, _ values: [Int], _ isThere: [Bool], _ function: (Int) -> Int
  ) -> Bool {
    guard let last = counts.indices.last else { return true }
    let inner = counts[last]
    let step = last < sum.steps.count ? sum.steps[last] : 0
    var row = 0
    while row < points {
      var current = value(sum, at: row)
      for point in row..<(row + inner) {
        if isThere[point], function(current) != values[point] { return false }
        current += step
      }
      row += inner
    }
    return true
  }

  // MARK: Rings

  private func cyclic(
    _ number: RollNumber, _ values: [Int], _ isThere: [Bool], _ steps: [Int], _ first: Int
  ) -> RollForm? {
    var least = Int.max
    var most = Int.min
    for point in 0..<points where isThere[point] {
      least = min(least, values[point])
      most = max(most, values[point])
    }
    let moduli = number.slots > 0 ? [number.slots] : Array(2...Self.largestModulus)
    for modulus in moduli where most - least < modulus {
      for offset in number.slots > 0 || least == 0 ? [0] : [0, least] where most - offset < modulus
      {
        let turned = steps.map { (($0 % modulus) + modulus) % modulus }
        var sum = sum(turned, through: values[first] - offset, at: first)
        sum.base = ((sum.base % modulus) + modulus) % modulus
        if holds(sum, values, isThere, { $0 % modulus + offset }) {
          return .cyclic(sum, modulus: modulus, offset: offset)
        }
      }
    }
    return nil
  }

  /// Slots that are taken once, and a ring of those after them: `min(c, start + (c − start) % n)`.
  private func resident(_ values: [Int], _ isThere: [Bool], _ sum: RollSum) -> RollForm? {
    guard sum.base >= 0, sum.steps.allSatisfy({ $0 >= 0 }) else { return nil }
    var top = 0
    for point in 0..<points where isThere[point] { top = max(top, values[point]) }
    for modulus in 1...max(1, min(16, top)) {
      let start = top + 1 - modulus
      let fits = holds(sum, values, isThere) { count in
        min(count, start + Self.remainder(count - start, modulus))
      }
      if fits { return .resident(sum, start: start, modulus: modulus) }
    }
    return nil
  }

  /// Two forms, and a loop whose turns say which.
  private func cases(_ number: RollNumber, _ values: [Int], _ isThere: [Bool]) -> RollForm? {
    guard counts.count > 1 else { return nil }
    for loop in counts.indices {
      for end in [1, counts[loop] - 1] where counts[loop] > 1 {
        var low = isThere
        var high = isThere
        for point in 0..<points where isThere[point] {
          if turn(point, loop) < end { high[point] = false } else { low[point] = false }
        }
        guard low.contains(true), high.contains(true) else { continue }
        var sum = RollSum(base: 0, steps: Array(repeating: 0, count: counts.count))
        sum.steps[loop] = 1
        let first = simple(number, values, low)
        let second = first == nil ? nil : simple(number, values, high)
        if let first, let second {
          return .cases(.compare(sum, .less, end), yes: first, no: second)
        }
      }
    }
    return nil
  }

  private func simple(_ number: RollNumber, _ values: [Int], _ isThere: [Bool]) -> RollForm? {
    guard let first = isThere.firstIndex(of: true) else { return nil }
    if !disagrees(values, isThere, from: first, with: values[first]) {
      return .constant(values[first])
    }
    let steps = steps(values, isThere)
    let sum = sum(steps, through: values[first], at: first)
    if holds(sum, values, isThere, { $0 }) { return .linear(sum) }
    if number.kind == .cyclic, let form = cyclic(number, values, isThere, steps, first) {
      return form
    }
    if number.slots > 0 { return resident(values, isThere, sum) }
    return nil
  }

  /// Two values, and a simple condition that says which.
  private func choice(_ values: [Int], _ isThere: [Bool], _ first: Int) -> RollForm? {
    var other: Int?
    for point in 0..<points where isThere[point] && values[point] != first {
      if let other, other != values[point] { return nil }
      other = values[point]
    }
    guard let other else { return nil }
    let isOther = (0..<points).map { isThere[$0] && values[$0] == other }
    let condition = condition(isOther, within: isThere)
    if condition.hasTable { return nil }
    if other < first || condition.isNegative {
      return .choice(condition.negated, yes: first, no: other)
    }
    return .choice(condition, yes: other, no: first)
  }

  static func remainder(_ value: Int, _ modulus: Int) -> Int {
    let rest = value % modulus
    return rest < 0 ? rest + modulus : rest
  }

  // MARK: Groups of loops

  /// Runs of loops that may be counted through as one: the inner ones first, then single ones.
  private var groups: [Range<Int>] {
    let end = counts.count
    var result: [Range<Int>] = []
    for first in counts.indices.reversed() { result.append(first..<end) }
    for loop in counts.indices.dropLast() { result.append(loop..<(loop + 1)) }
    return result
  }

  /// The steps of the number of a turn in a group.
  private func groupSteps(_ group: Range<Int>) -> [Int] {
    var steps = Array(repeating: 0, count: counts.count)
    var step = 1
    for loop in group.reversed() {
      steps[loop] = step
      step *= counts[loop]
    }
    return steps
  }

  /// Values along a group, and their places there; `nil` where they depend on other loops, too.
  private func line(
    _ group: Range<Int>, _ values: [Int], _ isThere: [Bool]
  ) -> (values: [Int], places: [Int])? {
    let length = group.reduce(1) { $0 * counts[$1] }
    let inner = strides[group.upperBound - 1]
    var found: [Int?] = Array(repeating: nil, count: length)
    for point in 0..<points where isThere[point] {
      let place = point / inner % length
      if let known = found[place] {
        if known != values[point] { return nil }
      } else {
        found[place] = values[point]
      }
    }
    var line: [Int] = []
    var places: [Int] = []
    for (place, value) in found.enumerated() {
      guard let value else { continue }
      line.append(value)
      places.append(place)
    }
    return (line, places)
  }

  /// An extent that is the same but for a smaller one in the last turn.
  private func capped(_ values: [Int], _ isThere: [Bool]) -> RollForm? {
    for group in groups {
      guard let (line, places) = line(group, values, isThere), let tail = line.last,
        let limit = line.first, tail < limit, tail > 0, let last = places.last,
        line.dropLast().allSatisfy({ $0 == limit })
      else { continue }
      let steps = groupSteps(group).map { -$0 * limit }
      return .capped(RollSum(base: last * limit + tail, steps: steps), limit: limit)
    }
    return nil
  }

  /// Values that go up by one step for a while, and then by another.
  private func split(_ values: [Int], _ isThere: [Bool]) -> RollForm? {
    for group in groups where group.count > 1 || counts[group.lowerBound] > 3 {
      guard let (line, places) = line(group, values, isThere), line.count > 3 else { continue }
      // Only even places, perhaps.
      let distance = places[1] - places[0]
      guard distance > 0, (line[1] - line[0]) % distance == 0 else { continue }
      let second =
        line[1] - line[0] == line[2] - line[1]
        ? (line[1] - line[0]) / distance : (line[2] - line[1]) / distance
      var breaks: [Int] = []
      var jump = 0
      for k in 1..<line.count where breaks.count < 2 {
        let step = line[k] - line[k - 1]
        if step != second * (places[k] - places[k - 1]) {
          if breaks.isEmpty { jump = step - second * (places[k] - places[k - 1]) }
          breaks.append(places[k])
        }
      }
      guard let one = breaks.first else { continue }
      var periods: [Int] = []
      if breaks.count > 1 { periods = [breaks[1] - one] }
      periods += group.dropFirst().map { strides[$0 - 1] / strides[group.upperBound - 1] }
      periods.append(one)
      for period in periods where period > 1 && one <= period {
        let first = jump + second * period
        var sum = RollSum(base: (period - one) % period, steps: groupSteps(group))
        let start = places[0] + sum.base
        let base = line[0] - first * (start / period) - second * (start % period)
        let fits = holds(sum, values, isThere) {
          base + first * ($0 / period) + second * ($0 % period)
        }
        if fits {
          // Without an offset where that says the same.
          if sum.base == period { sum.base = 0 }
          return .split(sum, period: period, base: base, first: first, second: second)
        }
      }
    }
    return nil
  }

  // MARK: Tables

  private func table(_ values: [Int], _ isThere: [Bool]) -> RollForm {
    let (list, sum) = list(values, isThere)
    return .table(list, sum)
  }

  /// The values of those loops that make a difference.
  func list(_ values: [Int], _ isThere: [Bool]) -> ([Int], RollSum) {
    var kept = Array(counts.indices)
    for loop in counts.indices {
      let others = kept.filter { $0 != loop }
      if compressed(others, values, isThere) != nil { kept = others }
    }
    var steps = Array(repeating: 0, count: counts.count)
    var step = 1
    for loop in kept.reversed() {
      steps[loop] = step
      step *= counts[loop]
    }
    let list = compressed(kept, values, isThere) ?? values
    return (list, RollSum(base: 0, steps: steps))
  }

  /// Values by the turns of some loops; `nil` where they differ in the others.
  private func compressed(_ loops: [Int], _ values: [Int], _ isThere: [Bool]) -> [Int]? {
    let size = loops.reduce(1) { $0 * counts[$1] }
    var result: [Int?] = Array(repeating: nil, count: size)
    for point in 0..<points where isThere[point] {
      var place = 0
      for loop in loops { place = place * counts[loop] + point / strides[loop] % counts[loop] }
      if let known = result[place] {
        if known != values[point] { return nil }
      } else {
        result[place] = values[point]
      }
    }
    return result.map { $0 ?? 0 }
  }
}
