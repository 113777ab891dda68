/// Lays turns of a loop over one another: lists of nodes become one list, in which each node knows in
/// which turns it is there.
struct TurnUnion {
  /// Cells of alignment tables that may still be filled: the work stays in proportion to the program.
  var budget: Int

  /// Turns that are laid over others: a list of nodes, which already stands for so many of them.
  struct Part {
    var nodes: ArraySlice<RollNode>
    var turns: Int

    /// The place in ``nodes`` of one counted from their start.
    func index(_ place: Int32) -> Int { nodes.startIndex + Int(place) }
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
      guard let node = unite(parts, row, outer: outer, total: total) else { return nil }
      result.append(node)
    }
    return result
  }

  /// What nodes must have in common to go together: scopes their label and how many of it came before,
  /// loops everything.
  private static func keys(_ nodes: ArraySlice<RollNode>) -> [Int] {
    guard nodes.contains(where: { $0.kind == .scope || $0.kind == .core }) else {
      return nodes.map(key)
    }
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
    _ first: [Int], _ second: [Int], lines: ArraySlice<RollNode>
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
    let start = lines.startIndex + head
    let table = AlignmentTable(rows: rows, columns: columns) { row, column in
      first[head + row] == second[head + column] ? Int32(lines[start + column].lines) : 0
    }
    return Array(repeating: .pair, count: head) + table.moves(from: 0, 0)
      + Array(repeating: .pair, count: tail)
  }

  /// One node for those of several parts: `row` is its place in each of them, −1 where it is not there.
  ///
  /// Nodes are looked at where they are: to copy one would cost more than all that is done with it.
  private mutating func unite(
    _ parts: [Part], _ row: [Int32], outer: Int, total: Int
  ) -> RollNode? {
    guard let first = row.firstIndex(where: { $0 >= 0 }) else { return nil }
    let place = parts[first].index(row[first])
    let kind = parts[first].nodes[place].kind
    var result = RollNode(kind: kind, structure: parts[first].nodes[place].structure)
    result.count = parts[first].nodes[place].count
    result.lines = parts[first].nodes[place].lines
    let turns = parts[first].nodes[place].turns.count
    if turns > 0 {
      let inner = max(1, turns / max(1, outer * parts[first].turns))
      result.turns = Self.joined(parts, row, outer: outer, total: total, inner: inner)
    }
    switch kind {
    case .leaf: return result
    case .loop:
      // The same inside: node by node.
      let inside = Self.children(parts, row)
      for child in parts[first].nodes[place].children.indices {
        let places = row.map { $0 < 0 ? -1 : Int32(child) }
        guard let child = unite(inside, places, outer: outer, total: total) else { return nil }
        result.children.append(child)
      }
    case .scope, .core:
      guard let children = unite(Self.children(parts, row), outer: outer) else { return nil }
      result.children = children
    }
    return result
  }

  /// What is in a node of each part; nothing where it is not there.
  private static func children(_ parts: [Part], _ row: [Int32]) -> [Part] {
    var result: [Part] = []
    result.reserveCapacity(parts.count)
    for index in parts.indices {
      let place = row[index]
      result.append(
        Part(
          nodes: place < 0 ? [] : parts[index].nodes[parts[index].index(place)].children[...],
          turns: parts[index].turns))
    }
    return result
  }

  /// The turns of a node of several parts, one part after the other for each turn of the loops around;
  /// `inner` turns of loops inside for each.
  private static func joined(
    _ parts: [Part], _ row: [Int32], outer: Int, total: Int, inner: Int
  ) -> RollTurns {
    var result: [Int32] = []
    result.reserveCapacity(outer * total * inner)
    for turn in 0..<outer {
      for index in parts.indices {
        let length = parts[index].turns * inner
        guard row[index] >= 0 else {
          for _ in 0..<length { result.append(-1) }
          continue
        }
        let place = parts[index].index(row[index])
        for point in (turn * length)..<((turn + 1) * length) {
          result.append(parts[index].nodes[place].turns[point])
        }
      }
    }
    return RollTurns(result)
  }
}
