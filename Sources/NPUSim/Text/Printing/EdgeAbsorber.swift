/// Takes the passes before and after a loop into it, where they are its body but for a few micro-ops:
/// what is missing in the first passes, or there only in the last, goes between `.if` and `.end`.
///
/// Software pipelines fill and drain: their first and last turns lack a wait here and a load there.
struct EdgeAbsorber {
  /// Longest body looked at, in nodes.
  private static let longestBody = 400
  /// Lines that have to be saved.
  private static let leastGain = 4

  var shapes: RollShapes

  /// Which side of a loop a pass is taken from.
  enum Side { case before, after }

  /// A node of a body, and the passes that it is there in: from `low` up to before `high`.
  struct Element {
    var node: RollNode
    var low = 0
    var high: Int?

    /// Whether it is there in the pass next to a side.
    func touches(_ side: Side) -> Bool { side == .before ? low == 0 : high == nil }

    /// Whether it is there in one of so many passes only.
    func isSingle(_ passes: Int) -> Bool { (high ?? passes) - low == 1 }
  }

  /// Absorbs what can be in a list; whether anything was.
  mutating func absorb(_ nodes: inout [RollNode]) -> Bool {
    var hasChanged = false
    var index = 0
    while index < nodes.count {
      if nodes[index].kind == .loop {
        while let taken = take(.before, nodes, index) {
          nodes.replaceSubrange((index - taken.count)...index, with: [taken.loop])
          index -= taken.count
          hasChanged = true
        }
        while let taken = take(.after, nodes, index) {
          nodes.replaceSubrange(index...(index + taken.count), with: [taken.loop])
          hasChanged = true
        }
      }
      index += 1
    }
    return hasChanged
  }

  /// The loop with one more pass, and how many nodes beside it that pass was.
  private mutating func take(
    _ side: Side, _ nodes: [RollNode], _ index: Int
  ) -> (loop: RollNode, count: Int)? {
    let loop = nodes[index]
    let body = Self.elements(loop.children)
    guard body.count <= Self.longestBody else { return nil }
    let window = 2 * body.count + 8
    let first = side == .before ? max(0, index - window) : index + 1
    let end = side == .before ? index : min(nodes.count, index + 1 + window)
    guard first < end else { return nil }
    let edge = Array(nodes[first..<end])
    guard let (merged, gain, count) = align(body, edge, loop.count, side, whole: false),
      gain >= Self.leastGain, count > 0
    else { return nil }
    var result = loop
    result.count += 1
    result.children = merged
    result.shape = shapes.id(of: result, inner: [result.kind.rawValue, result.structure])
    result.summarise()
    return (result, count)
  }

  /// The nodes of a body, those in branches one by one.
  private static func elements(_ nodes: [RollNode]) -> [Element] {
    nodes.flatMap { node in
      node.kind == .branch
        ? node.children.map { Element(node: $0, low: node.low, high: node.high) }
        : [Element(node: node)]
    }
  }

  /// The body of a loop of `passes` passes with the pass `edge` put to one side of it, what that saves
  /// in lines, and how many nodes of `edge` it takes: all of them where it is `whole`, otherwise as
  /// many next to the loop as is best.
  mutating func align(
    _ body: [Element], _ edge: [RollNode], _ passes: Int, _ side: Side, whole: Bool
  ) -> (nodes: [RollNode], gain: Int, count: Int)? {
    // From the loop outwards: for passes after it, everything in reverse.
    let reverses = side == .after
    let elements = reverses ? body.reversed() : body
    let others = reverses ? edge.reversed() : edge
    var merges: [Int: (node: RollNode, gain: Int)] = [:]
    let width = others.count + 1
    for (i, element) in elements.enumerated() where element.touches(side) {
      for (j, other) in others.enumerated()
      where element.node.structure == other.structure && element.node.kind == other.kind {
        merges[i * width + j] = merge(
          element.node, other, passes, side, element.isSingle(passes))
      }
    }
    guard !merges.isEmpty else { return nil }
    var table = AlignmentTable(
      isFree: elements.map { !$0.touches(side) }, columns: others.count)
    table.fill { merges[$0 * width + $1]?.gain }
    let start = whole ? 0 : table.bestStart()
    let gain = table.score(0, start)
    guard gain > 0 else { return nil }
    var result: [Element] = []
    var i = 0
    var j = start
    for move in table.moves(from: start) {
      switch move {
      case .pair:
        guard let merged = merges[i * width + j] else { return nil }
        var element = elements[i]
        element.node = merged.node
        if side == .before { element.high = element.high.map { $0 + 1 } }
        result.append(element)
        i += 1
        j += 1
      case .onlyBody:
        guard let element = absent(elements[i], passes, side) else { return nil }
        result.append(element)
        i += 1
      case .onlyEdge:
        var node = others[j]
        extend(&node)
        result.append(
          side == .before
            ? Element(node: node, low: 0, high: 1) : Element(node: node, low: passes, high: nil))
        j += 1
      }
    }
    if reverses { result.reverse() }
    return (joined(result), gain, others.count - start)
  }

  /// Nodes, with branches around those that are not there in all passes.
  private mutating func joined(_ elements: [Element]) -> [RollNode] {
    var result: [RollNode] = []
    for element in elements {
      guard element.low > 0 || element.high != nil else {
        result.append(element.node)
        continue
      }
      if let last = result.last, last.kind == .branch, last.low == element.low,
        last.high == element.high
      {
        result[result.count - 1].children.append(element.node)
        continue
      }
      var branch = RollNode(kind: .branch, payload: 0, core: element.node.core)
      branch.low = element.low
      branch.high = element.high
      branch.children = [element.node]
      result.append(branch)
    }
    for index in result.indices where result[index].kind == .branch {
      result[index].shape = shapes.id(of: result[index], inner: [RollNode.Kind.branch.rawValue])
      result[index].summarise()
    }
    return result
  }

  // MARK: Nodes

  /// A node that is not there in the new pass.
  private mutating func absent(_ element: Element, _ passes: Int, _ side: Side) -> Element? {
    var element = element
    if side == .after {
      element.high = element.high ?? passes
      return element
    }
    guard shift(&element.node, isInside: false) else { return nil }
    element.low += 1
    element.high = element.high.map { $0 + 1 }
    return element
  }

  /// Counts a node's passes from one pass earlier on; `false` where that cannot be said. Branches
  /// inside an inner loop are that loop's own.
  private mutating func shift(_ node: inout RollNode, isInside: Bool) -> Bool {
    for index in node.components.indices {
      guard node.components[index].startsEarlier() else { return false }
    }
    if node.kind == .branch && !isInside {
      node.low += 1
      node.high = node.high.map { $0 + 1 }
    }
    for index in node.children.indices {
      let isInner = isInside || node.kind == .loop
      guard shift(&node.children[index], isInside: isInner) else { return false }
    }
    finish(&node)
    return true
  }

  /// Makes a node outside the loop one of its body: it does not change from pass to pass.
  private mutating func extend(_ node: inout RollNode) {
    for index in node.components.indices { node.components[index].steps.append(0) }
    for index in node.children.indices { extend(&node.children[index]) }
    finish(&node)
  }

  private mutating func finish(_ node: inout RollNode) {
    let inner =
      node.kind == .branch ? [node.kind.rawValue] : [node.kind.rawValue, node.structure]
    node.shape = shapes.id(of: node, inner: inner)
    node.summarise()
  }

  /// A node of the body that holds for the new pass, too, and the lines that this saves; `nil` where
  /// the two do not go together.
  private mutating func merge(
    _ body: RollNode, _ edge: RollNode, _ passes: Int, _ side: Side, _ isSingle: Bool
  ) -> (node: RollNode, gain: Int)? {
    guard body.components.count == edge.components.count, body.kind != .branch,
      body.kind != .core
    else { return nil }
    var result = body
    for index in body.components.indices {
      guard
        let component = body.components[index].extended(
          to: edge.components[index], passes: passes, isBefore: side == .before,
          isSingle: isSingle)
      else { return nil }
      result.components[index] = component
    }
    var gain = edge.lines
    if body.kind == .scope {
      // Branches in a scope belong to the loop around it.
      guard
        let inner = align(
          Self.elements(body.children), edge.children, passes, side, whole: true)
      else { return nil }
      result.children = inner.nodes
      gain = 2 + inner.gain
    } else if !body.children.isEmpty || !edge.children.isEmpty {
      // An inner loop goes together as a whole or not at all.
      guard body.count == edge.count, body.children.count == edge.children.count else {
        return nil
      }
      for index in body.children.indices {
        guard body.children[index].kind == edge.children[index].kind else { return nil }
        guard
          let child = mergeWhole(body.children[index], edge.children[index], passes, side)
        else { return nil }
        result.children[index] = child
      }
    }
    finish(&result)
    return (result, gain)
  }

  /// As ``merge(_:_:_:_:_:)``, where nothing may be missing.
  private mutating func mergeWhole(
    _ body: RollNode, _ edge: RollNode, _ passes: Int, _ side: Side
  ) -> RollNode? {
    guard body.structure == edge.structure, body.kind == edge.kind, body.count == edge.count,
      body.low == edge.low, body.high == edge.high,
      body.components.count == edge.components.count, body.children.count == edge.children.count
    else { return nil }
    var result = body
    for index in body.components.indices {
      guard
        let component = body.components[index].extended(
          to: edge.components[index], passes: passes, isBefore: side == .before,
          isSingle: false)
      else { return nil }
      result.components[index] = component
    }
    for index in body.children.indices {
      guard let child = mergeWhole(body.children[index], edge.children[index], passes, side) else {
        return nil
      }
      result.children[index] = child
    }
    finish(&result)
    return result
  }
}
