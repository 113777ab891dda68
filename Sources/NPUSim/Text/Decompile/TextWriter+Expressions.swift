extension TextWriter {
  mutating func add(_ node: TextExpression) -> Int32 {
    tree.expressions.append(node)
    return Int32(tree.expressions.count - 1)
  }

  /// What stands for a number of an operand or a list: small constants make no node.
  mutating func operand(_ form: RollForm) -> TextNumber {
    if case .linear(let sum) = form, sum.isConstant { return operand(sum.base) }
    return TextNumber(node: expression(form))
  }

  mutating func operand(_ value: Int) -> TextNumber {
    value >= 0 && value <= TextNumber.largestLiteral
      ? TextNumber(literal: value) : TextNumber(node: number(value))
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

  /// The value of a number in terms of the loops around it.
  mutating func expression(_ form: RollForm) -> Int32 {
    switch form {
    case .linear(let sum): return expression(sum)
    case .cyclic(let sum, let modulus, let offset):
      return turning(sum, modulus, offset)
    case .capped(let sum, let limit):
      let value = expression(sum)
      let most = number(limit)
      return combine(.minimum, most, value)
    case .split(let sum, let period, let base, let first, let second):
      return split(sum, period, base, first, second)
    case .resident(let sum, let start, let modulus):
      var inner = sum
      inner.base -= start
      let rest = modulus == 1 ? number(start) : turning(inner, modulus, start)
      let value = expression(sum)
      return combine(.minimum, value, rest)
    case .choice(let condition, let yes, let no): return choice(condition, yes, no)
    case .cases(let condition, let yes, let no):
      let first = product(condition, yes)
      let second = product(condition.negated, no)
      return combine(.add, first, second)
    case .table(let values, let place): return element(values, place)
    }
  }

  /// `no + (yes − no) * condition`, where yes is the larger one, or `yes` where both are wanted.
  private mutating func choice(_ when: RollCondition, _ yes: Int, _ no: Int) -> Int32 {
    var factor = condition(when)
    if abs(yes - no) != 1 {
      let times = number(abs(yes - no))
      factor = combine(.multiply, factor, times)
    }
    if no == 0 && yes > 0 { return factor }
    let start = number(no)
    return combine(yes > no ? .add : .subtract, start, factor)
  }

  /// A number where a condition holds, and 0 elsewhere.
  private mutating func product(_ when: RollCondition, _ form: RollForm) -> Int32 {
    let factor = condition(when)
    if form == .constant(1) { return factor }
    let value = expression(form)
    return combine(.multiply, factor, value)
  }

  /// A sum modulo a number, and something after that.
  private mutating func turning(_ sum: RollSum, _ modulus: Int, _ offset: Int) -> Int32 {
    var sum = sum
    // The variable of cores starts at their first.
    var start = sum.base
    for (loop, step) in sum.steps.enumerated() where step != 0 { start -= step * loops[loop].first }
    sum.base += NumberFit.remainder(start, modulus) - start
    let value = expression(sum)
    let ring = number(modulus)
    let rest = combine(.remainder, value, ring)
    guard offset > 0 else { return rest }
    let more = number(offset)
    return combine(.add, rest, more)
  }

  private mutating func split(
    _ sum: RollSum, _ period: Int, _ base: Int, _ first: Int, _ second: Int
  ) -> Int32 {
    var result: Int32?
    for (factor, kind) in [(first, TextExpression.Kind.divide), (second, .remainder)]
    where factor != 0 {
      let value = expression(sum)
      let divisor = number(period)
      var term = combine(kind, value, divisor)
      if abs(factor) != 1 {
        let times = number(abs(factor))
        term = combine(.multiply, term, times)
      }
      if let before = result {
        result = combine(factor < 0 ? .subtract : .add, before, term)
      } else if factor < 0 {
        let start = number(base)
        result = combine(.subtract, start, term)
      } else if base != 0 {
        let start = number(base)
        result = combine(.add, start, term)
      } else {
        result = term
      }
    }
    return result ?? number(base)
  }

  /// An element of a table that is declared before the program.
  private mutating func element(_ values: [Int], _ place: RollSum) -> Int32 {
    let name = table(values)
    let index = expression(place)
    return add(TextExpression(kind: .element, left: index, name: name, span: .none))
  }

  private mutating func expression(_ sum: RollSum) -> Int32 {
    var base = sum.base
    var result: Int32?
    for (loop, step) in sum.steps.enumerated() where step != 0 {
      base -= step * loops[loop].first
      if step < 0 { continue }
      let term = term(loop, step)
      result = result.map { combine(.add, $0, term) } ?? term
    }
    if let terms = result, base != 0 {
      let constant = number(abs(base))
      result = combine(base > 0 ? .add : .subtract, terms, constant)
    }
    var value = result ?? number(base)
    for (loop, step) in sum.steps.enumerated() where step < 0 {
      let term = term(loop, -step)
      value = combine(.subtract, value, term)
    }
    return value
  }

  /// A loop's variable times a positive step.
  private mutating func term(_ loop: Int, _ step: Int) -> Int32 {
    let variable = name(loops[loop].name)
    if step == 1 { return variable }
    let factor = number(step)
    return combine(.multiply, variable, factor)
  }

  // MARK: Conditions

  mutating func condition(_ condition: RollCondition) -> Int32 {
    switch condition {
    case .always: return number(1)
    case .compare(let sum, let sign, let value):
      var bare = sum
      bare.base = 0
      for (loop, step) in sum.steps.enumerated() { bare.base += step * loops[loop].first }
      let shift = bare.base - sum.base
      let left = expression(bare)
      if sign == .least, value + shift == 1 {
        let zero = number(0)
        return combine(.greater, left, zero)
      }
      let right = number(value + shift)
      return combine(sign.operation, left, right)
    case .remainder(let sum, let modulus, let sign, let value):
      let left = turning(sum, modulus, 0)
      let right = number(value)
      return combine(sign.operation, left, right)
    case .all(let parts): return combined(.and, parts)
    case .any(let parts): return combined(.or, parts)
    case .table(let values, let place): return element(values, place)
    }
  }

  private mutating func combined(_ kind: TextExpression.Kind, _ parts: [RollCondition]) -> Int32 {
    var result: Int32?
    for part in parts {
      let next = condition(part)
      result = result.map { combine(kind, $0, next) } ?? next
    }
    return result ?? number(1)
  }

  /// A choice between no and yes that may depend on turns; `nil` is never.
  mutating func flag(_ condition: RollCondition?, _ words: [String]) -> Int32 {
    guard let condition else { return choice(words, 0) }
    return condition == .always ? choice(words, 1) : self.condition(condition)
  }

  mutating func choice(_ words: [String], _ index: Int) -> Int32 {
    let word = words.indices.contains(index) ? words[index] : "\(index)"
    let kind: TextExpression.Kind = word.contains("-") ? .word : .name
    return add(TextExpression(kind: kind, name: tree.names.id(word), span: .none))
  }

  /// An FP32 number that is whole in every turn.
  mutating func scalar(_ form: RollForm) -> Int32 {
    if case .linear(let sum) = form, sum.isConstant { return scalar(Float(sum.base)) }
    let value = expression(form)
    guard tree.expressions[Int(value)].kind == .divide else { return value }
    // A quotient by itself is not taken for a scalar, as it is hardly meant to be rounded.
    let nothing = number(0)
    return combine(.add, value, nothing)
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

extension RollCondition.Sign {
  fileprivate var operation: TextExpression.Kind {
    switch self {
    case .less: .less
    case .least: .greaterEqual
    case .equal: .equal
    case .unequal: .notEqual
    }
  }
}
