/// Why an expression has no value.
enum TextEvaluationFailure: Error {
  case overflow, divisionByZero, outsideList, notWhole
  /// It names a list that was found wrong, which has been said.
  case reported
}

extension TextPlan {
  /// The value of a whole-number expression.
  func integer(
    _ index: Int32, _ variables: [Int64], _ lists: [[Int32]?]
  ) throws(TextEvaluationFailure) -> Int64 {
    let node = nodes[Int(index)]
    switch node.kind {
    case .constant:
      if node.isReal { throw .notWhole }
      return node.value
    case .variable: return variables[Int(node.value)]
    case .element:
      let place = try integer(node.left, variables, lists)
      guard let list = lists[Int(node.value)] else { throw .reported }
      guard place >= 0, place < list.count else { throw .outsideList }
      return Int64(list[Int(place)])
    case .wrong: throw .notWhole
    case .operation: break
    }
    if node.isReal { throw .notWhole }
    if node.operation == .conditional {
      return try integer(try taken(node, variables, lists), variables, lists)
    }
    let left = try integer(node.left, variables, lists)
    guard node.right >= 0 else { return try Self.apply(node.operation, left, 0) }
    // The right side of && and || is not looked at where the left one decides.
    if node.operation == .and && left == 0 { return 0 }
    if node.operation == .or && left != 0 { return 1 }
    return try Self.apply(node.operation, left, integer(node.right, variables, lists))
  }

  /// The value of an expression in FP64; whole-number parts of it are computed in whole numbers.
  func real(
    _ index: Int32, _ variables: [Int64], _ lists: [[Int32]?]
  ) throws(TextEvaluationFailure) -> Double {
    let node = nodes[Int(index)]
    guard node.isReal else { return Double(try integer(index, variables, lists)) }
    if node.kind == .constant { return node.real }
    if node.operation == .conditional {
      return try real(try taken(node, variables, lists), variables, lists)
    }
    let left = try real(node.left, variables, lists)
    guard node.right >= 0 else { return -left }
    let right = try real(node.right, variables, lists)
    switch node.operation {
    case .add: return left + right
    case .subtract: return left - right
    case .multiply: return left * right
    case .divide: return left / right
    case .minimum: return min(left, right)
    case .maximum: return max(left, right)
    default: throw .notWhole
    }
  }

  /// The value of a conditional that its condition chooses; the other one is not looked at.
  private func taken(
    _ node: PlanNode, _ variables: [Int64], _ lists: [[Int32]?]
  ) throws(TextEvaluationFailure) -> Int32 {
    let values = nodes[Int(node.right)]
    return try integer(node.left, variables, lists) != 0 ? values.left : values.right
  }

  /// Whether an expression names no variable and no list.
  func isOfConstants(_ index: Int32) -> Bool {
    let node = nodes[Int(index)]
    switch node.kind {
    case .constant: return true
    case .operation:
      return isOfConstants(node.left) && (node.right < 0 || isOfConstants(node.right))
    case .variable, .element, .wrong: return false
    }
  }

  /// The innermost part of an expression that has no value, and why; `nil` if all of it has one.
  func failure(
    of index: Int32, _ variables: [Int64], _ lists: [[Int32]?]
  ) -> (node: Int32, failure: TextEvaluationFailure)? {
    let node = nodes[Int(index)]
    do throws(TextEvaluationFailure) {
      if node.isReal {
        _ = try real(index, variables, lists)
      } else {
        _ = try integer(index, variables, lists)
      }
      return nil
    } catch {
      if node.kind == .operation || node.kind == .element {
        var parts = [node.left, node.right]
        if node.operation == .conditional, node.kind == .operation {
          parts[1] = (try? taken(node, variables, lists)) ?? -1
        }
        for part in parts where part >= 0 {
          if let inner = failure(of: part, variables, lists) { return inner }
        }
      }
      return (index, error)
    }
  }

  /// One operation on whole numbers. Quotients are rounded down, and remainders have the sign of the
  /// divisor; comparisons give 1 or 0.
  static func apply(
    _ operation: TextExpression.Kind, _ a: Int64, _ b: Int64
  ) throws(TextEvaluationFailure) -> Int64 {
    let result: (partialValue: Int64, overflow: Bool)
    switch operation {
    case .negate: result = Int64(0).subtractingReportingOverflow(a)
    case .not: return a == 0 ? 1 : 0
    case .add: result = a.addingReportingOverflow(b)
    case .subtract: result = a.subtractingReportingOverflow(b)
    case .multiply: result = a.multipliedReportingOverflow(by: b)
    case .divide, .remainder, .roundedUpQuotient:
      if b == 0 { throw .divisionByZero }
      if b == -1 {
        if operation == .remainder { return 0 }
        result = Int64(0).subtractingReportingOverflow(a)
        break
      }
      let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
      let isBelow = rest != 0 && (rest < 0) != (b < 0)
      switch operation {
      case .divide: return isBelow ? quotient - 1 : quotient
      case .remainder: return isBelow ? rest + b : rest
      default: return rest != 0 && !isBelow ? quotient + 1 : quotient
      }
    case .less: return a < b ? 1 : 0
    case .lessEqual: return a <= b ? 1 : 0
    case .greater: return a > b ? 1 : 0
    case .greaterEqual: return a >= b ? 1 : 0
    case .equal: return a == b ? 1 : 0
    case .notEqual: return a != b ? 1 : 0
    case .and: return a != 0 && b != 0 ? 1 : 0
    case .or: return a != 0 || b != 0 ? 1 : 0
    case .minimum: return min(a, b)
    case .maximum: return max(a, b)
    case .integer, .real, .name, .word, .element, .conditional, .either: return a
    }
    if result.overflow { throw .overflow }
    return result.partialValue
  }
}

extension TextEvaluationFailure {
  /// What is wrong, for a message.
  var words: String {
    switch self {
    case .overflow: "the value does not fit 64 bits"
    case .divisionByZero: "found a division by zero"
    case .outsideList: "the index lies outside the list"
    case .notWhole: "found a real number, needed a whole one"
    case .reported: "the list has no values"
    }
  }
}
