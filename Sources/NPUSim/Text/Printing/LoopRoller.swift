/// Finds stretches of a program that repeat with affine changes, and makes loops of them.
///
/// Short periods are tried first, so that inner loops become one node before outer ones are looked
/// for. A loop is made where it saves lines.
struct LoopRoller {
  /// Longest period looked for, in nodes.
  private static let longestPeriod = 512
  /// Largest modulus tried for event IDs.
  private static let largestModulus = 16

  var shapes: RollShapes

  /// What a component does from pass to pass.
  private struct Rule {
    var step = 0
    var modulus = 0
    var offset = 0
    var limit = 0
    /// What is left for the last pass of a ragged extent.
    var tail = 0
    var differsFirst = false
    /// Passes that it holds for.
    var passes: Int
  }

  /// Loops in a list of nodes and in the blocks among them.
  mutating func rolled(_ nodes: [RollNode]) -> [RollNode] {
    var result = nodes.map { node -> RollNode in
      guard !node.children.isEmpty else { return node }
      var node = node
      node.children = rolled(node.children)
      node.shape = shapes.id(of: node, inner: [node.kind.rawValue, node.structure])
      node.summarise()
      return node
    }
    repeat { roll(&result) } while absorb(&result)
    return result
  }

  private mutating func roll(_ nodes: inout [RollNode]) {
    for leastPasses in [3, 2] {
      var hasChanged = true
      while hasChanged {
        hasChanged = false
        var period = 1
        while period <= min(Self.longestPeriod, nodes.count / 2) {
          if pass(&nodes, period, leastPasses) { hasChanged = true }
          period += 1
        }
      }
    }
  }

  private mutating func absorb(_ nodes: inout [RollNode]) -> Bool {
    var absorber = EdgeAbsorber(shapes: shapes)
    let hasChanged = absorber.absorb(&nodes)
    shapes = absorber.shapes
    return hasChanged
  }

  /// Makes loops of one period; whether there were any.
  private mutating func pass(_ nodes: inout [RollNode], _ period: Int, _ leastPasses: Int) -> Bool {
    var result: [RollNode] = []
    var index = 0
    var hasChanged = false
    var copied = 0
    while index + period < nodes.count {
      guard nodes[index].shape == nodes[index + period].shape else {
        index += 1
        continue
      }
      var end = index + 1
      while end + period < nodes.count, nodes[end].shape == nodes[end + period].shape { end += 1 }
      // Every start in the run that leaves room for two passes.
      var start = index
      while end - start >= period {
        let most = (end - start) / period + 1
        if let loop = loop(nodes, start, period, most, leastPasses) {
          result += nodes[copied..<start]
          start += period * loop.count
          copied = start
          result.append(loop)
          hasChanged = true
        } else {
          start += 1
        }
      }
      index = max(end, start)
    }
    guard hasChanged else { return false }
    result += nodes[copied...]
    nodes = result
    return true
  }

  /// A loop over `period` nodes from `start` on, of as many passes as its rules hold for; `nil` where
  /// it would not save lines.
  private mutating func loop(
    _ nodes: [RollNode], _ start: Int, _ period: Int, _ most: Int, _ leastPasses: Int
  ) -> RollNode? {
    let isCore = nodes[start].kind == .core
    if isCore && period > 1 { return nil }
    let lines = nodes[start..<(start + period)].reduce(0) { $0 + $1.lines }
    if (most - 1) * lines <= 2 { return nil }
    var passes = most
    var rules: [[Rule]] = []
    for offset in 0..<period {
      let first = nodes[start + offset]
      var list: [Rule] = []
      let components = Self.components(first)
      for place in components.indices {
        let rule = self.rule(components[place], isCore && place == 0, passes) { pass in
          nodes[start + offset + pass * period].values[place]
        }
        passes = min(passes, rule.passes)
        if passes < leastPasses && !isCore || passes < 2 { return nil }
        list.append(rule)
      }
      rules.append(list)
    }
    if (passes - 1) * lines <= 2 && !isCore { return nil }
    // Two passes are alike by chance where they are short.
    if passes == 2 && lines < 6 && !isCore { return nil }
    var loop = RollNode(
      kind: isCore ? .core : .loop, payload: nodes[start].payload, core: nodes[start].core)
    loop.count = passes
    for offset in 0..<period {
      var place = 0
      var body = nodes[start + offset]
      apply(&body, rules[offset], &place, passes)
      loop.children.append(body)
    }
    loop.structure = 0
    if isCore {
      loop.components = loop.children[0].components
      loop.children = loop.children[0].children
    }
    loop.shape = shapes.id(of: loop, inner: [loop.kind.rawValue, 0])
    loop.summarise()
    return loop
  }

  /// All components of a node, in the order of its values.
  private static func components(_ node: RollNode) -> [RollComponent] {
    node.components + node.children.flatMap { components($0) }
  }

  private func rule(
    _ component: RollComponent, _ isCoreNumber: Bool, _ most: Int, _ value: (Int) -> Int
  ) -> Rule {
    let first = value(0)
    let step = value(1) - first
    var passes = 2
    if component.modulus > 0 {
      return cyclic(component, component.modulus, component.offset, most, value)
        ?? Rule(passes: 1)
    }
    if component.kind == .flag && step != 0 {
      guard component.flagLevel == 0 else { return Rule(passes: 1) }
      while passes < most && value(passes) == value(1) { passes += 1 }
      return Rule(differsFirst: true, passes: passes)
    }
    while passes < most && value(passes) == first + passes * step { passes += 1 }
    if isCoreNumber { return Rule(step: 1, passes: step == 1 ? passes : 1) }
    var best = Rule(step: step, passes: passes)
    if component.kind == .extent, step <= 0, component.limit == 0, component.spread == 0 {
      ragged(component, most, value, &best)
    }
    if component.kind == .cyclic, passes < most {
      let moduli = component.slots > 0 ? [component.slots] : Array(2...Self.largestModulus)
      for modulus in moduli {
        // Slots start at 0; the IDs of a ring start at its lowest one.
        let lowest = component.slots > 0 ? 0 : (0..<min(most, modulus)).map(value).min() ?? 0
        for offset in lowest > 0 ? [0, lowest] : [0] {
          if let rule = cyclic(component, modulus, offset, most, value), rule.passes > best.passes {
            best = rule
          }
        }
      }
    }
    return best
  }

  /// An extent that is the same in all passes but smaller in the last.
  private func ragged(
    _ component: RollComponent, _ most: Int, _ value: (Int) -> Int, _ best: inout Rule
  ) {
    let full = value(0)
    var passes = 1
    while passes < most && value(passes) == full { passes += 1 }
    guard passes < most, value(passes) < full, value(passes) > 0, passes + 1 > best.passes,
      component.steps.allSatisfy({ $0 == 0 })
    else { return }
    best = Rule(limit: full, tail: value(passes), passes: passes + 1)
  }

  private func cyclic(
    _ component: RollComponent, _ modulus: Int, _ offset: Int, _ most: Int,
    _ plain: (Int) -> Int
  ) -> Rule? {
    func value(_ pass: Int) -> Int { plain(pass) - offset }
    let first = value(0)
    guard component.steps.allSatisfy({ $0 >= 0 }) else { return nil }
    func fits(_ number: Int) -> Bool {
      number >= 0
        && (component.modulus > 0 ? number < modulus : number + component.spread < modulus)
    }
    guard fits(first), fits(value(1)) else { return nil }
    let step = (value(1) - first + modulus) % modulus
    var passes = 2
    while passes < most, fits(value(passes)), value(passes) == (first + passes * step) % modulus {
      passes += 1
    }
    return Rule(step: step, modulus: modulus, offset: offset, passes: passes)
  }

  /// Puts the rules of a loop into the components of a node of its body.
  private mutating func apply(
    _ node: inout RollNode, _ rules: [Rule], _ place: inout Int, _ passes: Int
  ) {
    for index in node.components.indices {
      let rule = rules[place]
      place += 1
      var component = node.components[index]
      if rule.limit > 0 {
        if passes == rule.passes {
          // All passes but the last are full: at pass t, base − t · limit is left.
          component.limit = rule.limit
          component.base = (passes - 1) * rule.limit + rule.tail
          component.steps.append(-rule.limit)
        } else {
          component.steps.append(0)
        }
      } else if rule.differsFirst {
        component.steps.append(0)
        component.flagLevel = component.steps.count
      } else {
        component.steps.append(rule.step)
        component.modulus = rule.modulus
        component.offset = rule.offset
        if rule.modulus == 0 { component.spread += max(0, rule.step) * (passes - 1) }
      }
      node.components[index] = component
    }
    for index in node.children.indices { apply(&node.children[index], rules, &place, passes) }
    node.shape = shapes.id(of: node, inner: [node.kind.rawValue, node.structure])
    node.summarise()
  }
}
