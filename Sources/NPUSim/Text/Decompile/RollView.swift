/// What the nodes of a list look like in text: conditions, forms of numbers, and lines. Both the search
/// for loops and the writer ask it, so that lines are counted as they will be written.
struct RollView {
  let pool: RollPool
  let fit: NumberFit
  /// The turns in which the list is there.
  let isOpen: [Bool]

  private let price: TablePrice

  private init(
    _ pool: RollPool, _ counts: [Int], _ isOpen: [Bool], _ price: TablePrice, _ memo: ConditionMemo
  ) {
    self.pool = pool
    self.price = price
    self.isOpen = isOpen
    fit = NumberFit(counts, memo)
  }

  /// Everything is there.
  init(_ pool: RollPool, _ price: TablePrice, _ memo: ConditionMemo) {
    self.init(pool, [], [true], price, memo)
  }

  /// The view of a loop's body, where the loop is there in some turns.
  func entering(_ count: Int, _ isThere: [Bool]) -> RollView {
    var open: [Bool] = []
    open.reserveCapacity(isThere.count * count)
    for flag in isThere { open += repeatElement(flag, count: count) }
    return RollView(pool, fit.counts + [count], open, price, fit.memo)
  }

  func entering(_ isThere: [Bool]) -> RollView {
    RollView(pool, fit.counts, isThere, price, fit.memo)
  }

  /// The turns in which a node is there.
  func presence(_ node: RollNode) -> [Bool] {
    switch node.kind {
    case .leaf, .scope: return node.turns.values.map { $0 >= 0 }
    case .core: return Array(repeating: true, count: fit.points)
    case .loop:
      var result = Array(repeating: false, count: fit.points)
      mark(node, &result)
      return result
    }
  }

  private func mark(_ node: RollNode, _ result: inout [Bool]) {
    if node.turns.isEmpty {
      for child in node.children { mark(child, &result) }
      return
    }
    let inner = max(1, node.turns.count / fit.points)
    for (place, leaf) in node.turns.values.enumerated() where leaf >= 0 {
      result[place / inner] = true
    }
  }

  /// Neighbours that are there in the same turns.
  struct Group {
    var nodes: ArraySlice<RollNode>
    var isThere: [Bool]
    /// Whether it is there when the group before is not, and both stand in blocks.
    var isElse = false
    /// Whether its condition stands on the line of each of its nodes, which are few.
    var isLine = false
  }

  /// The groups of a list.
  func groups(_ nodes: [RollNode]) -> [Group] {
    var result: [Group] = []
    var index = 0
    while index < nodes.count {
      let isThere = presence(nodes[index])
      var end = index + 1
      while end < nodes.count, presence(nodes[end]) == isThere { end += 1 }
      var group = Group(nodes: nodes[index..<end], isThere: isThere)
      if isThere != isOpen {
        group.isLine = end <= index + 3 && nodes[index..<end].allSatisfy(\.isLine)
        if let last = result.last, last.isThere != isOpen, !last.isElse,
          !last.isLine || !group.isLine,
          isOpposite(isThere, last.isThere)
        {
          group.isElse = true
          group.isLine = false
          result[result.count - 1].isLine = false
        }
      }
      result.append(group)
      index = end
    }
    return result
  }

  /// Whether something is there in exactly the turns in which something else is not.
  func isOpposite(_ isThere: [Bool], _ other: [Bool]) -> Bool {
    for point in isOpen.indices where isOpen[point] && isThere[point] == other[point] {
      return false
    }
    return true
  }

  // MARK: Leaves

  /// The forms of a leaf's numbers.
  func forms(_ node: RollNode, _ isThere: [Bool]) -> [RollForm] {
    let template = pool.templates[node.structure]
    if fit.points == 1, let leaf = pool.sample(node.turns) {
      return template.indices.map { .constant(pool.numbers[Int(leaf.number) + $0]) }
    }
    let starts = pool.starts(node.turns)
    return template.indices.map { place in
      if template[place].kind == .flag { return .constant(0) }
      if let value = pool.constant(starts, place) { return .constant(value) }
      return fit.form(template[place], pool.values(starts, place), isThere)
    }
  }

  /// A leaf's flags as conditions.
  func flag(_ node: RollNode, _ place: Int, _ isThere: [Bool]) -> RollCondition? {
    let values = pool.values(pool.starts(node.turns), place)
    var isYes = isThere
    var isNever = true
    for point in isYes.indices where isYes[point] {
      isYes[point] = values[point] != 0
      if isYes[point] { isNever = false }
    }
    return isNever ? nil : fit.condition(isYes, within: isThere)
  }

  /// An event beside a micro-op.
  struct EventForm {
    var source: EventEnd
    var target: EventEnd
    var id: RollForm
    var condition: RollCondition
  }

  /// The waits of a leaf, or its sets.
  func events(_ node: RollNode, _ isThere: [Bool], isSet: Bool) -> [EventForm] {
    var columns: [(pair: Int, sample: Event)] = []
    var ids: [[Int32]] = []
    for (point, leaf) in node.turns.values.enumerated() where leaf >= 0 {
      let events = isSet ? pool.sets(leaf) : pool.waits(leaf)
      var column = 0
      for event in events {
        let pair = event.pair
        if let found = columns[column...].firstIndex(where: { $0.pair == pair }) {
          column = found
        } else {
          columns.insert((pair, event), at: column)
          ids.insert(Array(repeating: -1, count: fit.points), at: column)
        }
        ids[column][point] = Int32(event.id)
        column += 1
      }
    }
    return zip(columns, ids).map { column, ids in
      let isUsed = ids.map { $0 >= 0 }
      return EventForm(
        source: column.sample.source, target: column.sample.target,
        id: fit.form(RollNumber(kind: .cyclic), ids.map { max(0, Int($0)) }, isUsed),
        condition: fit.condition(isUsed, within: isThere))
    }
  }

  // MARK: Lines

  /// The lines of a list, what stands around its nodes included. Tables are counted.
  func lines(_ nodes: [RollNode]) -> Int {
    var total = 0
    for group in groups(nodes) {
      total += group.nodes.reduce(0) { $0 + lines($1, group.isThere) }
      if group.isThere == isOpen { continue }
      total += group.isElse ? 1 : fit.condition(group.isThere, within: isOpen).lines(price)
      if !group.isElse && !group.isLine { total += 2 }
    }
    return total
  }

  private func lines(_ node: RollNode, _ isThere: [Bool]) -> Int {
    switch node.kind {
    case .leaf:
      if fit.points == 1 { return 1 }
      var total = 1
      let template = pool.templates[node.structure]
      for (place, form) in forms(node, isThere).enumerated() {
        if template[place].kind == .flag {
          total += flag(node, place, isThere)?.lines(price) ?? 0
        } else {
          total += form.lines(price)
        }
      }
      for isSet in [false, true] where pool.hasEvents(node.turns) {
        for event in events(node, isThere, isSet: isSet) {
          total += event.id.lines(price) + event.condition.lines(price)
        }
      }
      return total
    case .core:
      let isRange = node.count > 1
      return 2 + (isRange ? entering(node.count, isThere) : entering(isThere)).lines(node.children)
    case .scope:
      let head = pool.templates[node.structure].isEmpty ? 0 : forms(node, isThere)[0].lines(price)
      return 2 + head + entering(isThere).lines(node.children)
    case .loop:
      return (node.isLine ? 0 : 2) + entering(node.count, isThere).lines(node.children)
    }
  }
}
