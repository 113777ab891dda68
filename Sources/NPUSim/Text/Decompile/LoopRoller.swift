/// Finds stretches of a program that repeat, and makes loops of them.
///
/// Scopes with one label are turns of one loop, whatever is in them; other stretches repeat where their
/// micro-ops have one structure. Loops of scopes are found from the outside in, others from short
/// periods to long ones. A loop is made where it saves lines, those of tables and conditions counted.
struct LoopRoller {
  /// Longest period looked for, in nodes.
  private static let longestPeriod = 512
  /// Periods that are tried where a short one needs tables.
  private static let otherPeriods = [2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 64]
  /// Turns of leaves that may be looked at, for each leaf of the program.
  private static let looksPerLeaf = 400

  let pool: RollPool
  private var skeletons: [[Int]: Int] = [:]
  private var union: TurnUnion
  /// Turns of leaves that may still be looked at.
  private var looks: Int

  private let price: TablePrice
  private let memo: ConditionMemo

  init(_ pool: RollPool, _ price: TablePrice, _ memo: ConditionMemo) {
    self.pool = pool
    self.price = price
    self.memo = memo
    union = TurnUnion(budget: 1 << 22 + 64 * pool.leaves.count)
    looks = Self.looksPerLeaf * (1000 + pool.leaves.count)
  }

  /// Loops in the nodes of a program.
  mutating func rolled(_ nodes: [RollNode]) -> [RollNode] {
    var nodes = nodes
    let view = RollView(pool, price, memo)
    for index in nodes.indices { summarise(&nodes[index]) }
    return list(cores(nodes, view), view)
  }

  private mutating func list(_ nodes: [RollNode], _ view: RollView) -> [RollNode] {
    var nodes = nodes
    // Pairs on one line come last, so that they are made in all turns of longer loops alike.
    for stage in Stage.allCases {
      roll(&nodes, stage, view)
    }
    for index in nodes.indices where nodes[index].kind != .leaf {
      let isThere = view.presence(nodes[index])
      let inner =
        nodes[index].kind == .loop || nodes[index].count > 1
        ? view.entering(nodes[index].count, isThere) : view.entering(isThere)
      nodes[index].children = list(nodes[index].children, inner)
      summarise(&nodes[index])
    }
    return nodes
  }

  /// Puts the skeleton and the lines of a node together.
  private mutating func summarise(_ node: inout RollNode) {
    guard node.kind != .leaf else {
      node.skeleton = node.structure
      node.lines = 1
      return
    }
    var key = [node.kind.rawValue, node.structure, node.count]
    node.lines = node.isLine ? 0 : 2
    for index in node.children.indices {
      summarise(&node.children[index])
      key.append(node.children[index].skeleton)
      node.lines += node.children[index].lines
    }
    node.skeleton = skeletons[key] ?? (1 << 24 + skeletons.count)
    skeletons[key] = node.skeleton
  }

  // MARK: Loops

  /// What loops are looked for, in order.
  private enum Stage: CaseIterable {
    case several
    /// Scopes that hold the same, where those of one label did not become a loop.
    case alike
    case two, pairs

    var leastTurns: Int { self == .several || self == .alike ? 3 : 2 }

    /// What a node must have in common with another to be a turn of one loop.
    func key(_ node: RollNode) -> Int {
      self == .alike && node.kind == .scope ? node.skeleton : TurnUnion.key(node)
    }
  }

  private mutating func roll(_ nodes: inout [RollNode], _ stage: Stage, _ view: RollView) {
    if stage == .alike && !nodes.contains(where: { $0.kind == .scope }) { return }
    let longest = stage == .pairs ? 1 : Self.longestPeriod
    var keys = nodes.map(stage.key)
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      var period = min(longest, nodes.count / 2)
      while period > 0 {
        if pass(&nodes, keys, period, stage, view) {
          hasChanged = true
          // Before shorter loops change what is beside the new ones.
          while absorb(&nodes, view) {}
          keys = nodes.map(stage.key)
        }
        period = min(period - 1, nodes.count / 2)
      }
    }
  }

  /// Makes loops of one period; whether there were any.
  private mutating func pass(
    _ nodes: inout [RollNode], _ keys: [Int], _ period: Int, _ stage: Stage, _ view: RollView
  ) -> Bool {
    var result: [RollNode] = []
    var index = 0
    var copied = 0
    let least = period * (stage.leastTurns - 1)
    for stretch in Self.stretches(keys, period, least: least) {
      // What the loop before took is gone.
      index = max(index, stretch.lowerBound)
      let end = stretch.upperBound
      guard end - index >= least,
        period == 1 || Self.isPrimitive(keys[index..<(end + period)], period)
      else { continue }
      var start = index
      var failures = 0
      while end - start >= period, failures < 2 * period, looks > 0 {
        let most = (end - start) / period + 1
        if let (loop, taken) = loop(nodes, start, period, most, stage, view) {
          result += nodes[copied..<start]
          result.append(loop)
          start += taken
          copied = start
          failures = 0
        } else {
          start += 1
          failures += 1
        }
      }
      index = start
    }
    guard copied > 0 else { return false }
    result += nodes[copied...]
    nodes = result
    return true
  }

  /// A loop over `period` nodes from `start` on, and how many nodes it takes; `nil` where it would not
  /// save lines.
  private mutating func loop(
    _ nodes: [RollNode], _ start: Int, _ period: Int, _ most: Int, _ stage: Stage,
    _ view: RollView
  ) -> (RollNode, Int)? {
    let body = nodes[start..<(start + period)]
    guard most >= stage.leastTurns, body.allSatisfy({ $0.kind != .core }) else { return nil }
    let size = body.reduce(0) { $0 + $1.lines }
    let isLine = period == 1 && body.allSatisfy(\.isLine)
    guard (most - 1) * size > 2 || isLine else { return nil }
    let hasScopes = body.contains { $0.kind == .scope }
    var best: (loop: RollNode, taken: Int, cost: Int)?
    func consider(_ roller: inout LoopRoller, _ period: Int, _ turns: Int) {
      guard turns >= 2, let loop = roller.made(nodes, start, period, turns, view) else { return }
      // What is left may roll, too.
      let rest = nodes[(start + period * turns)..<(start + body.count * most)]
      let cost = 2 * loop.lines + rest.reduce(0) { $0 + $1.lines }
      if cost < best?.cost ?? .max { best = (loop, period * turns, cost) }
    }
    consider(&self, period, most)
    if let first = best?.loop, first.lines > first.children.reduce(2, { $0 + $1.lines }) {
      if hasScopes {
        for other in Self.otherPeriods where other * 2 <= most {
          consider(&self, period * other, most / other)
        }
      } else {
        let regular = regularTurns(nodes, start, period, most)
        if regular < most { consider(&self, period, regular) }
      }
    }
    guard let (loop, taken, _) = best else { return nil }
    let turns = loop.count
    let parts = view.lines(Array(nodes[start..<(start + taken)]))
    // Two turns are alike by chance where they are short.
    guard loop.lines < parts, turns >= stage.leastTurns,
      turns > 2 || period > 2 || hasScopes || isLine && stage == .pairs
    else { return nil }
    return (loop, taken)
  }

  /// A loop, whatever it costs.
  private mutating func made(
    _ nodes: [RollNode], _ start: Int, _ period: Int, _ turns: Int, _ view: RollView
  ) -> RollNode? {
    let parts = (0..<turns).map { turn in
      let first = start + turn * period
      return TurnUnion.Part(nodes: nodes[first..<(first + period)], turns: 1)
    }
    return made(parts, turns, view)
  }

  private mutating func made(
    _ parts: [TurnUnion.Part], _ turns: Int, _ view: RollView
  ) -> RollNode? {
    looks -= parts.reduce(0) { $0 + $1.nodes.reduce(0) { $0 + $1.lines } * $1.turns }
    guard looks > 0, let children = union.unite(parts, outer: view.fit.points) else { return nil }
    var loop = RollNode(kind: .loop, structure: 0)
    loop.count = turns
    loop.children = children
    summarise(&loop)
    loop.lines = view.lines([loop])
    return loop
  }

  /// How many turns have numbers that grow by equal steps or go round.
  private func regularTurns(
    _ nodes: [RollNode], _ start: Int, _ period: Int, _ most: Int
  ) -> Int {
    var turns = most
    for offset in 0..<period {
      let same = (0..<turns).map { nodes[start + offset + $0 * period] }
      turns = min(turns, regularTurns(same[...]))
      if turns < 2 { return turns }
    }
    return turns
  }

  private func regularTurns(_ nodes: ArraySlice<RollNode>) -> Int {
    var turns = nodes.count
    guard let first = nodes.first else { return 0 }
    let template = first.turns.isEmpty ? [] : pool.templates[first.structure]
    for (place, number) in template.enumerated() {
      for point in first.turns.indices {
        let values = nodes.prefix(turns).map { node -> Int? in
          let leaf = point < node.turns.count ? node.turns[point] : -1
          return leaf < 0 ? nil : pool.numbers[Int(pool.leaves[Int(leaf)].number) + place]
        }
        turns = min(turns, Self.regularTurns(values, number))
      }
    }
    for child in first.children.indices {
      let inner = nodes.prefix(turns).compactMap {
        child < $0.children.count ? $0.children[child] : nil
      }
      turns = min(turns, regularTurns(inner[...]))
    }
    return turns
  }

  private static func regularTurns(_ values: [Int?], _ number: RollNumber) -> Int {
    guard values.count > 2, let first = values[0], let second = values[1] else {
      return values.count
    }
    let step = second - first
    var turns = 2
    var isPlain = true
    while turns < values.count, let value = values[turns], let before = values[turns - 1] {
      if value - before == step && isPlain {
      } else if number.kind == .cyclic,
        number.slots == 0 || (value - before - step) % number.slots == 0
      {
        if number.slots == 0, turns > 2, value != values[turns % 2] { break }
        isPlain = false
      } else if number.kind == .flag, value == second {
      } else if number.kind == .extent, step == 0, value < before {
        return turns + 1
      } else {
        break
      }
      turns += 1
    }
    return turns
  }

  // MARK: Edges

  /// Takes the turns beside loops into them, where they are alike but for a few micro-ops: software
  /// pipelines fill and drain.
  private mutating func absorb(_ nodes: inout [RollNode], _ view: RollView) -> Bool {
    var hasChanged = false
    var index = 0
    while index < nodes.count {
      if nodes[index].kind == .loop {
        while let (loop, first) = absorbed(nodes, index, isBefore: true, view) {
          nodes.replaceSubrange(first...index, with: [loop])
          index = first
          hasChanged = true
        }
        while let (loop, last) = absorbed(nodes, index, isBefore: false, view) {
          nodes.replaceSubrange(index...last, with: [loop])
          hasChanged = true
        }
      }
      index += 1
    }
    return hasChanged
  }

  /// The loop with one more turn, or with those of the loop beside it, and the last node that it takes.
  private mutating func absorbed(
    _ nodes: [RollNode], _ index: Int, isBefore: Bool, _ view: RollView
  ) -> (RollNode, Int)? {
    let loop = nodes[index]
    let own = TurnUnion.Part(nodes: loop.children[...], turns: loop.count)
    let beside = index + (isBefore ? -1 : 1)
    guard nodes.indices.contains(beside), looks > 0 else { return nil }
    func tried(_ roller: inout LoopRoller, _ other: TurnUnion.Part, _ last: Int) -> (RollNode, Int)?
    {
      let parts = isBefore ? [other, own] : [own, other]
      let taken = Array(nodes[min(last, index)...max(last, index)])
      guard let made = roller.made(parts, own.turns + other.turns, view),
        made.lines + 1 < view.lines(taken)
      else { return nil }
      return (made, last)
    }
    if nodes[beside].kind == .loop {
      let other = TurnUnion.Part(nodes: nodes[beside].children[...], turns: nodes[beside].count)
      if let result = tried(&self, other, beside) { return result }
    }
    let window = 2 * loop.children.count + 8
    let reach =
      isBefore
      ? Array(nodes[max(0, index - window)..<index])
      : Array(nodes[(index + 1)..<min(nodes.count, index + 1 + window)].reversed())
    guard let length = union.overlap(of: reach, with: loop.children, isReversed: !isBefore) else {
      return nil
    }
    let last = isBefore ? index - length : index + length
    let edge = isBefore ? nodes[last..<index] : nodes[(index + 1)...last]
    return tried(&self, TurnUnion.Part(nodes: edge, turns: 1), last)
  }

  // MARK: Cores

  /// One block for cores that do alike.
  private mutating func cores(_ nodes: [RollNode], _ view: RollView) -> [RollNode] {
    guard nodes.count > 1, nodes.allSatisfy({ $0.kind == .core }) else { return nodes }
    var result: [RollNode] = []
    var index = 0
    while index < nodes.count {
      var end = nodes.count
      if index > 0 || !canShare(nodes[...]) {
        end = index + 1
        while end < nodes.count, nodes[end].skeleton == nodes[index].skeleton { end += 1 }
      }
      let parts = nodes[index..<end].map { TurnUnion.Part(nodes: [$0], turns: 1) }
      if end - index > 1, canShare(nodes[index..<end]),
        let united = union.unite(parts, outer: 1), united.count == 1
      {
        var core = united[0]
        core.count = end - index
        summarise(&core)
        result.append(core)
      } else {
        result += nodes[index..<end]
      }
      index = end
    }
    return result
  }

  /// Whether cores declare the same buffers.
  private func canShare(_ nodes: ArraySlice<RollNode>) -> Bool {
    func buffers(_ node: RollNode) -> [Int] {
      node.children.filter { pool.sample($0.turns)?.kind == .buffer }.map(\.structure)
    }
    guard let first = nodes.first else { return false }
    let wanted = buffers(first)
    return nodes.allSatisfy { buffers($0) == wanted }
  }
}
