/// How a number follows from the turns of the loops around it.
indirect enum RollForm: Equatable {
  /// `base + Σ step · turn`, with one step for each loop, outermost first.
  case linear(RollSum)
  /// The sum modulo a number, and something after that.
  case cyclic(RollSum, modulus: Int, offset: Int)
  /// The sum, but at most a limit.
  case capped(RollSum, limit: Int)
  /// `base + first · (sum / period) + second · (sum % period)`
  case split(RollSum, period: Int, base: Int, first: Int, second: Int)
  /// The sum as far as `start`; from there on it goes round the rest of a ring.
  case resident(RollSum, start: Int, modulus: Int)
  /// One of two values.
  case choice(RollCondition, yes: Int, no: Int)
  /// One of two forms.
  case cases(RollCondition, yes: RollForm, no: RollForm)
  /// An element of a list of values.
  case table([Int], RollSum)

  static func constant(_ value: Int) -> RollForm { .linear(RollSum(base: value, steps: [])) }

  /// What its values cost, in lines.
  func lines(_ price: TablePrice) -> Int {
    if case .table(let values, _) = self { return price.of(values.count) }
    return 0
  }
}

/// A sum over the turns of loops; what `steps` does not reach counts 0.
struct RollSum: Equatable {
  var base: Int
  var steps: [Int]

  var isConstant: Bool { steps.allSatisfy { $0 == 0 } }
}

/// When something is there.
indirect enum RollCondition: Equatable {
  enum Sign { case less, least, equal, unequal }

  case always
  /// A sum over turns compared with a number.
  case compare(RollSum, Sign, Int)
  /// The remainder of a sum compared with a number.
  case remainder(RollSum, modulus: Int, Sign, Int)
  case all([RollCondition])
  case any([RollCondition])
  /// An element of a list of 0 and 1.
  case table([Int], RollSum)

  /// Whether it reads a table.
  var hasTable: Bool {
    switch self {
    case .table: true
    case .all(let parts), .any(let parts): parts.contains { $0.hasTable }
    default: false
    }
  }

  /// What its values cost, in lines.
  func lines(_ price: TablePrice) -> Int {
    switch self {
    case .table(let values, _): price.of(values.count)
    case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.lines(price) }
    default: 0
    }
  }
}

/// What a table counts when a loop that needs it is weighed against its turns written out.
struct TablePrice {
  /// Lines for each table, and values that make one more.
  var lines: Int
  var valuesPerLine: Int

  func of(_ count: Int) -> Int { lines + count / valuesPerLine }

  /// A table is worse to read than its lines; and no worse.
  static let all = [
    TablePrice(lines: 4, valuesPerLine: 100), TablePrice(lines: 2, valuesPerLine: 160),
  ]
}
