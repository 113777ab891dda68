extension TextResolver {
  /// Resolves an expression that must be a whole number.
  mutating func whole(_ number: TextNumber) {
    guard number.isNode else { return }
    let node = resolve(number.node)
    if node.kind != .wrong && node.isReal {
      errors.add(
        "found a real number, needed a whole one", at: tree.expressions[Int(number.node)].span)
      plan.nodes[Int(number.node)].kind = .wrong
    }
  }

  /// A number as a node, resolved.
  mutating func resolve(_ number: TextNumber) -> PlanNode {
    if let literal = number.literal { return PlanNode(kind: .constant, value: literal) }
    return resolve(number.node)
  }

  /// Resolves an expression, its operands first.
  @discardableResult
  mutating func resolve(_ index: Int32) -> PlanNode {
    guard index >= 0 else { return PlanNode(kind: .wrong) }
    let node = resolved(tree.expressions[Int(index)])
    plan.nodes[Int(index)] = node
    return node
  }

  private mutating func resolved(_ expression: TextExpression) -> PlanNode {
    switch expression.kind {
    case .integer: return PlanNode(kind: .constant, value: expression.value)
    case .real:
      return PlanNode(kind: .constant, isReal: true, real: Double(text(expression.name)) ?? 0)
    case .name: return symbol(expression)
    case .word:
      errors.add(
        "there is no value '\(text(expression.name))'", at: expression.span,
        hint: "put spaces around - where it subtracts")
      return PlanNode(kind: .wrong)
    case .element: return element(expression)
    case .conditional: return conditional(expression)
    default: break
    }
    let left = resolve(expression.left)
    let right = expression.right >= 0 ? resolve(expression.right) : left
    if left.kind == .wrong || right.kind == .wrong { return PlanNode(kind: .wrong) }
    var node = PlanNode(
      kind: .operation, isReal: left.isReal || right.isReal, operation: expression.kind,
      left: expression.left, right: expression.right)
    if node.isReal, !Self.isDefinedForReals(expression.kind) {
      errors.add(
        "\(expression.sign) needs whole numbers, found a real one", at: expression.span)
      return PlanNode(kind: .wrong)
    }
    if left.kind == .constant, right.kind == .constant { fold(&node, expression) }
    return node
  }

  /// A conditional. With a constant condition it is the value that this chooses, where that is constant.
  private mutating func conditional(_ expression: TextExpression) -> PlanNode {
    let values = tree.expressions[Int(expression.right)]
    let condition = resolve(expression.left)
    let first = resolve(values.left)
    let second = resolve(values.right)
    if [condition, first, second].contains(where: { $0.kind == .wrong }) {
      return PlanNode(kind: .wrong)
    }
    if condition.isReal {
      errors.add(
        "found a real number, needed a whole one as the condition",
        at: tree.expressions[Int(expression.left)].span, hint: "compare it with another number")
      return PlanNode(kind: .wrong)
    }
    let isReal = first.isReal || second.isReal
    plan.nodes[Int(expression.right)] = PlanNode(
      kind: .operation, isReal: isReal, operation: .either, left: values.left, right: values.right)
    let chosen = condition.value != 0 ? first : second
    if condition.kind == .constant, chosen.kind == .constant {
      return isReal && !chosen.isReal
        ? PlanNode(kind: .constant, isReal: true, real: Double(chosen.value)) : chosen
    }
    return PlanNode(
      kind: .operation, isReal: isReal, operation: .conditional, left: expression.left,
      right: expression.right)
  }

  private static func isDefinedForReals(_ kind: TextExpression.Kind) -> Bool {
    switch kind {
    case .negate, .add, .subtract, .multiply, .divide, .minimum, .maximum: true
    default: false
    }
  }

  /// Replaces an operation on constants by its value. One without a value is left as it is: whether it
  /// is ever asked for is decided by the conditions and loops around it.
  private mutating func fold(_ node: inout PlanNode, _ expression: TextExpression) {
    plan.nodes.append(node)
    let last = Int32(plan.nodes.count - 1)
    defer { plan.nodes.removeLast() }
    do throws(TextEvaluationFailure) {
      if node.isReal {
        node.real = try plan.real(last, [], [])
      } else {
        node.value = try plan.integer(last, [], [])
      }
      node.kind = .constant
    } catch {
      node.kind = .operation
    }
  }

  /// Reports a parameter whose value is not constant, or has none.
  mutating func notConstant(_ number: TextNumber) {
    if plan.isOfConstants(number.node), let (place, failure) = plan.failure(of: number.node, [], [])
    {
      return errors.add(failure.words, at: tree.expressions[Int(place)].span)
    }
    errors.add(
      "the value of a parameter is not constant", at: tree.expressions[Int(number.node)].span,
      hint: "use numbers and earlier parameters")
  }

  private mutating func symbol(_ expression: TextExpression) -> PlanNode {
    switch symbols[expression.name] {
    case .parameter(let node): return node
    case .variable(let slot), .counter(let slot, _):
      return PlanNode(kind: .variable, value: Int64(slot))
    case .list:
      errors.add(
        "'\(text(expression.name))' is an index list, needed a number", at: expression.span,
        hint: "name an element: \(text(expression.name))[0]")
    case .broken: break
    case nil: unknown(expression.name, at: expression.span, "parameter or loop variable")
    }
    return PlanNode(kind: .wrong)
  }

  private mutating func element(_ expression: TextExpression) -> PlanNode {
    let index = resolve(expression.left)
    switch symbols[expression.name] {
    case .list(let list):
      if index.kind == .wrong { return index }
      if index.isReal {
        errors.add(
          "found a real number, needed a whole one",
          at: tree.expressions[Int(expression.left)].span)
        return PlanNode(kind: .wrong)
      }
      plan.lists[list].isUsed = true
      return PlanNode(kind: .element, left: expression.left, value: Int64(list))
    case .broken: break
    case .parameter, .variable, .counter:
      errors.add(
        "'\(text(expression.name))' is a number, needed an index list", at: expression.span)
    case nil: unknown(expression.name, at: expression.span, "index list")
    }
    return PlanNode(kind: .wrong)
  }

  /// Reports a name that nothing declares.
  mutating func unknown(_ name: UInt32, at span: TextSpan, _ what: String) {
    let known = Set(symbols.keys.map(text) + builtIn).filter { !$0.isEmpty }.sorted()
    errors.add(
      "there is no \(what) '\(text(name))'", at: span,
      hint: DidYouMean.hint(for: text(name), among: known))
  }
}
