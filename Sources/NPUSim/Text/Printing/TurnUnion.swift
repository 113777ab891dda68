/// Lays turns of a loop over one another: lists of nodes become one list, in which each node knows in
/// which turns it is there.
struct TurnUnion {
  /// Cells of alignment tables that may still be filled: the work stays in proportion to the program.
  var budget: Int

  /// Turns that are laid over others: a list of nodes, which already stands for so many of them.
  struct Part {
    var nodes: [RollNode]
    var turns: Int
  }

  /// One list for all turns, or `nil` where the parts are too long or different to be compared.
  ///
  /// `outer` is how many turns the loops around it make.
  mutating func unite(_ parts: [Part], outer: Int) -> [RollNode]? {
    let total = parts.reduce(0) { $0 + $1.turns }
    // For each node of the result, its place in each part; −1 where it is not there.
    var keys: [Int] = []
    var rows: [[Int32]] = []
    for (number, part) in parts.enumerated() {
      let own = Self.keys(part.nodes)
      if number == 0 {
        keys = own
        rows = own.indices.map { [Int32($0)] }
        continue
      }
      if own == keys {
        for row in rows.indices { rows[row].append(Int32(row)) }
        continue
      }
      guard let moves = moves(keys, own, lines: part.nodes) else { return nil }
      var nextKeys: [Int] = []
      var nextRows: [[Int32]] = []
      var row = 0
      var column = 0
      for move in moves {
        var places: [Int32]
        if move == .onlySecond {
          places = Array(repeating: -1, count: number)
          budget -= number
        } else {
          // Taken, not copied, or many turns would take the square of the time.
          places = rows[row]
          rows[row] = []
        }
        places.append(move == .onlyFirst ? -1 : Int32(column))
        nextKeys.append(move == .onlySecond ? own[column] : keys[row])
        nextRows.append(places)
        if move != .onlySecond { row += 1 }
        if move != .onlyFirst { column += 1 }
      }
      keys = nextKeys
      rows = nextRows
    }
    var result: [RollNode] = []
    result.reserveCapacity(rows.count)
    for row in rows {
      let nodes = zip(parts, row).map { part, place in
        (node: place < 0 ? nil : part.nodes[Int(place)], turns: part.turns)
      }
      guard let node = unite(nodes, outer: outer, total: total) else { return nil }
      result.append(node)
    }
    return result
  }

  /// What nodes must have in common to go together: scopes their label and how many of it came before,
  /// loops everything.
  private static func keys(_ nodes: [RollNode]) -> [Int] {
    var seen: [Int: Int] = [:]
    return nodes.map { node in
      guard node.kind == .scope || node.kind == .core else { return key(node) }
      let number = seen[node.structure, default: 0]
      seen[node.structure] = number + 1
      return key(node) | (number + 1) << 32
    }
  }

  /// What a node must have in common with another to be a turn of one loop.
  static func key(_ node: RollNode) -> Int {
    node.kind == .loop ? -node.skeleton - 1 : node.structure
  }

  /// How many nodes next to a loop are like one more turn of its body; `reach` is in order towards the
  /// loop, so behind it the body is looked at in reverse.
  mutating func overlap(
    of reach: [RollNode], with body: [RollNode], isReversed: Bool
  ) -> Int? {
    let first = isReversed ? body.reversed().map(Self.key) : body.map(Self.key)
    let second = reach.map(Self.key)
    let lines = isReversed ? Array(body.reversed()) : body
    let cells = (first.count + 1) * (second.count + 1)
    guard cells <= budget else { return nil }
    budget -= cells
    let table = AlignmentTable(rows: first.count, columns: second.count) { row, column in
      first[row] == second[column] ? Int32(lines[row].lines) : 0
    }
    var start = second.count
    for column in stride(from: second.count - 1, through: 0, by: -1)
    where table.score(0, column) > table.score(0, start) {
      start = column
    }
    return table.score(0, start) > 0 && start < second.count ? second.count - start : nil
  }

  private mutating func moves(
    _ first: [Int], _ second: [Int], lines: [RollNode]
  ) -> [AlignmentTable.Move]? {
    var head = 0
    while head < min(first.count, second.count), first[head] == second[head] { head += 1 }
    var tail = 0
    while tail < min(first.count, second.count) - head,
      first[first.count - 1 - tail] == second[second.count - 1 - tail]
    {
      tail += 1
    }
    let rows = first.count - head - tail
    let columns = second.count - head - tail
    let cells = (rows + 1) * (columns + 1)
    guard cells <= budget else { return nil }
    budget -= cells
    let table = AlignmentTable(rows: rows, columns: columns) { row, column in
      first[head + row] == second[head + column] ? Int32(lines[head + column].lines) : 0
    }
    return Array(repeating: .pair, count: head) + table.moves(from: 0, 0)
      + Array(repeating: .pair, count: tail)
  }

  /// One node for those of several parts.
  private mutating func unite(
    _ nodes: [(node: RollNode?, turns: Int)], outer: Int, total: Int
  ) -> RollNode? {
    guard let sample = nodes.first(where: { $0.node != nil })?.node else { return nil }
    var result = RollNode(kind: sample.kind, structure: sample.structure)
    result.count = sample.count
    result.lines = sample.lines
    if !sample.turns.isEmpty {
      result.turns = Self.joined(nodes.map { ($0.node?.turns, $0.turns) }, outer, total)
    }
    switch sample.kind {
    case .leaf: return result
    case .loop:
      // The same inside: node by node.
      for place in sample.children.indices {
        let inner = nodes.map { (node: $0.node?.children[place], turns: $0.turns) }
        guard let child = unite(inner, outer: outer, total: total) else { return nil }
        result.children.append(child)
      }
    case .scope, .core:
      let parts = nodes.map { Part(nodes: $0.node?.children ?? [], turns: $0.turns) }
      guard let children = unite(parts, outer: outer) else { return nil }
      result.children = children
    }
    return result
  }

  /// Turns of several parts, one part after the other for each turn of the loops around.
  private static func joined(
    _ parts: [(turns: [Int32]?, count: Int)], _ outer: Int, _ total: Int
  ) -> [Int32] {
    guard let sample = parts.first(where: { $0.turns != nil }), let turns = sample.turns else {
      return []
    }
    let inner = max(1, turns.count / max(1, outer * sample.count))
    var result: [Int32] = []
    result.reserveCapacity(outer * total * inner)
    for turn in 0..<outer {
      for part in parts {
        let length = part.count * inner
        if let turns = part.turns {
          result += turns[(turn * length)..<((turn + 1) * length)]
        } else {
          result += repeatElement(-1, count: length)
        }
      }
    }
    return result
  }
}
