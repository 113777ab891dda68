extension TextWriter {
  mutating func add(_ node: TextExpression) -> Int32 {
    tree.expressions.append(node)
    return Int32(tree.expressions.count - 1)
  }

  /// A whole number, negative ones with their sign before them.
  mutating func number(_ value: Int) -> Int32 {
    if value < 0 && value > .min {
      let inner = number(-value)
      return add(TextExpression(kind: .negate, left: inner, span: .none))
    }
    return add(TextExpression(kind: .integer, value: Int64(value), span: .none))
  }

  private mutating func combine(_ kind: TextExpression.Kind, _ a: Int32, _ b: Int32) -> Int32 {
    add(TextExpression(kind: kind, left: a, right: b, span: .none))
  }

  private mutating func name(_ id: UInt32) -> Int32 {
    add(TextExpression(kind: .name, name: id, span: .none))
  }

  /// The loop that a step of a component counts, innermost first.
  private func loop(_ level: Int) -> (name: UInt32, first: Int) { loops[loops.count - 1 - level] }

  /// The value of a component in terms of the loops around it.
  mutating func expression(_ component: RollComponent) -> Int32 {
    let isCyclic = component.modulus > 0 && component.steps.contains { $0 != 0 }
    var base = component.base - (isCyclic ? component.offset : 0)
    var result: Int32?
    for level in component.steps.indices.reversed() where component.steps[level] != 0 {
      let step = component.steps[level]
      // The variable of cores starts at their first.
      base -= step * loop(level).first
      if step < 0 { continue }
      let term = term(level, step)
      result = result.map { combine(.add, $0, term) } ?? term
    }
    if let sum = result {
      if isCyclic && base < 0 {
        base = (base % component.modulus + component.modulus) % component.modulus
      }
      if base > 0 {
        let constant = number(base)
        result = combine(.add, sum, constant)
      } else if base < 0 {
        let constant = number(-base)
        result = combine(.subtract, sum, constant)
      }
    }
    var value = result ?? number(base)
    for level in component.steps.indices.reversed() where component.steps[level] < 0 {
      let term = term(level, -component.steps[level])
      value = combine(.subtract, value, term)
    }
    if isCyclic {
      let modulus = number(component.modulus)
      value = combine(.remainder, value, modulus)
      if component.offset > 0 {
        let offset = number(component.offset)
        value = combine(.add, value, offset)
      }
    }
    if component.limit > 0 {
      let limit = number(component.limit)
      value = combine(.minimum, limit, value)
    }
    return value
  }

  /// A loop's variable times a positive step.
  private mutating func term(_ level: Int, _ step: Int) -> Int32 {
    let variable = name(loop(level).name)
    if step == 1 { return variable }
    let factor = number(step)
    return combine(.multiply, variable, factor)
  }

  /// Whether the innermost loop is in a pass of a branch.
  mutating func condition(_ branch: RollNode) -> Int32 {
    let loop = loop(0)
    func compare(_ kind: TextExpression.Kind, _ value: Int) -> Int32 {
      let variable = name(loop.name)
      let bound = number(loop.first + value)
      return combine(kind, variable, bound)
    }
    guard let high = branch.high else { return compare(.greaterEqual, branch.low) }
    if high == branch.low + 1 { return compare(.equal, branch.low) }
    let below = compare(.less, high)
    if branch.low == 0 { return below }
    let above = compare(.greaterEqual, branch.low)
    return combine(.and, above, below)
  }

  /// A choice between no and yes, perhaps another one in the first pass of a loop.
  mutating func flag(_ component: RollComponent, _ words: [String]) -> Int32 {
    guard component.flagLevel > 0 else { return choice(words, component.base) }
    let loop = loop(component.flagLevel - 1)
    let variable = name(loop.name)
    let first = number(loop.first)
    return combine(component.base == 0 ? .greater : .equal, variable, first)
  }

  mutating func choice(_ words: [String], _ index: Int) -> Int32 {
    let word = words.indices.contains(index) ? words[index] : "\(index)"
    let kind: TextExpression.Kind = word.contains("-") ? .word : .name
    return add(TextExpression(kind: kind, name: tree.names.id(word), span: .none))
  }

  /// An FP32 number, in as many digits as give it back; a NaN that is not the usual one by its word.
  mutating func scalar(_ value: Float) -> Int32 {
    if value.sign == .minus && !value.isNaN {
      let inner = scalar(-value)
      return add(TextExpression(kind: .negate, left: inner, span: .none))
    }
    if value.isNaN || value.isInfinite {
      let isUsual = value.isInfinite || value.bitPattern == Float.nan.bitPattern
      let text =
        isUsual ? (value.isNaN ? "nan" : "inf") : "0x" + String(value.bitPattern, radix: 16)
      return name(tree.names.id(text))
    }
    return add(TextExpression(kind: .real, name: tree.names.id("\(value)"), span: .none))
  }
}
