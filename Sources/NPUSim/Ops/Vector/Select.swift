/// `result[r, c] = condition ≠ 0 ? a[r, c] : b[r, c]`.
///
/// The condition is a tile of the same shape or a column of one value a row; NaN counts as ≠ 0.
public struct Select: MicroOp {
  public var result: Tile<UB>
  /// `rows × columns` or `rows × 1`.
  public var condition: Tile<UB>
  public var a: Tile<UB>
  public var b: Tile<UB>

  public static let mnemonic = "vector.select"
  public static let summary =
    "result[r, c] = a[r, c] where condition[r, c] (or condition[r]) is not 0, b[r, c] elsewhere"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, .placeholder, .placeholder) }

  public init(_ result: Tile<UB>, where condition: Tile<UB>, _ a: Tile<UB>, else b: Tile<UB>) {
    self.init(result, condition, a, b)
  }

  private init(_ result: Tile<UB>, _ condition: Tile<UB>, _ a: Tile<UB>, _ b: Tile<UB>) {
    self.result = result
    self.condition = condition
    self.a = a
    self.b = b
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("condition", &condition, .elementwise)
    visitor.tile("a", &a, .elementwise)
    visitor.tile("b", &b, .elementwise)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.condition(condition.ref, of: result.ref),
      TileRules.sameShape(result.ref, a.ref), TileRules.sameShape(result.ref, b.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(b.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.select, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let conditions = datapath.source(condition)
    let first = datapath.source(a)
    let second = datapath.source(b)
    let to = datapath.destination(result)
    let choice = datapath.scratch(0)
    let value = datapath.scratch(1)
    let other = datapath.scratch(2)
    datapath.forEachRun(of: to) { datapath, row, column, count in
      datapath.loadCondition(conditions, row, column, count, to: choice)
      datapath.widen(
        first.row(row) + column * first.format.bytes, first.format, to: value, count: count)
      datapath.widen(
        second.row(row) + column * second.format.bytes, second.format, to: other, count: count)
      for index in 0..<count { value[index] = choice[index] == 0 ? other[index] : value[index] }
      datapath.narrow(
        value, to: to.row(row) + column * to.format.bytes, to.format, count: count,
        counting: false
      ) { OperandKind(value[$0]) }
    }
  }
}

/// `result[r, c] = condition ≠ 0 ? a[r, c] : otherwise`, an FP32 immediate.
///
/// The condition is a tile of the same shape or a column of one value a row; NaN counts as ≠ 0.
public struct SelectScalar: MicroOp {
  public var result: Tile<UB>
  /// `rows × columns` or `rows × 1`.
  public var condition: Tile<UB>
  public var a: Tile<UB>
  public var otherwise: Float

  public static let mnemonic = "vector.select_scalar"
  public static let summary =
    "result[r, c] = a[r, c] where condition[r, c] (or condition[r]) is not 0, an fp32 immediate "
    + "elsewhere"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, where: .placeholder, .placeholder, else: 0) }

  public init(
    _ result: Tile<UB>, where condition: Tile<UB>, _ a: Tile<UB>, else otherwise: Float
  ) {
    self.result = result
    self.condition = condition
    self.a = a
    self.otherwise = otherwise
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("condition", &condition, .elementwise)
    visitor.tile("a", &a, .elementwise)
    visitor.scalar("otherwise", &otherwise)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.condition(condition.ref, of: result.ref),
      TileRules.sameShape(result.ref, a.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.select, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let conditions = datapath.source(condition)
    let from = datapath.source(a)
    let to = datapath.destination(result)
    let choice = datapath.scratch(0)
    let value = datapath.scratch(1)
    datapath.forEachRun(of: to) { datapath, row, column, count in
      datapath.loadCondition(conditions, row, column, count, to: choice)
      datapath.widen(
        from.row(row) + column * from.format.bytes, from.format, to: value, count: count)
      for index in 0..<count { value[index] = choice[index] == 0 ? otherwise : value[index] }
      datapath.narrow(
        value, to: to.row(row) + column * to.format.bytes, to.format, count: count,
        counting: false
      ) { OperandKind(value[$0]) }
    }
  }
}

/// `result = a` where a is finite, b elsewhere.
public struct SelectFinite: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>
  public var b: Tile<UB>

  public static let mnemonic = "vector.select_finite"
  public static let summary = "result[r, c] = a[r, c] where it is finite, b[r, c] elsewhere"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, else: .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, else b: Tile<UB>) {
    self.result = result
    self.a = a
    self.b = b
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
    visitor.tile("b", &b, .elementwise)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.sameShape(result.ref, b.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(b.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.select, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let first = datapath.source(a)
    let second = datapath.source(b)
    let to = datapath.destination(result)
    datapath.zipRows(to, first, second, counting: false) { result, value, other, count in
      for index in 0..<count {
        let isFinite = value[index].bitPattern & 0x7F80_0000 != 0x7F80_0000
        result[index] = isFinite ? value[index] : other[index]
      }
    }
  }
}

extension TileRules {
  /// A tile of the shape of `tile` or a column, in a format with a zero.
  static func condition(_ condition: TileRef, of tile: TileRef) -> OperandFault? {
    if condition.rows != tile.rows
      || (condition.columns != tile.columns && condition.columns != 1)
    {
      return .tile(
        condition, found: shape(condition),
        needed: "\(shape(tile)), or \(tile.rows) × 1: one a row",
        remedy: .shape(
          rows: Int(tile.rows), columns: condition.columns == 1 ? 1 : Int(tile.columns)))
    }
    return format(condition, in: [.bf16, .f16, .f32, .i8, .i32])
  }
}

extension Datapath {
  /// A run of conditions as Floats: of a tile as wide as the result, or of a column.
  func loadCondition(
    _ view: TileView, _ row: Int, _ column: Int, _ count: Int,
    to values: UnsafeMutablePointer<Float>
  ) {
    let isColumn = view.columns == 1
    let present = isColumn ? 1 : count
    let bytes = view.row(row) + (isColumn ? 0 : column) * view.format.bytes
    switch view.format {
    case .i8:
      for index in 0..<present { values[index] = bytes[index] == 0 ? 0 : 1 }
    case .i32:
      let words = UnsafeRawPointer(bytes).assumingMemoryBound(to: Int32.self)
      for index in 0..<present { values[index] = words[index] == 0 ? 0 : 1 }
    default:
      widen(bytes, view.format, to: values, count: present)
    }
    if isColumn && count > 1 { (values + 1).update(repeating: values[0], count: count - 1) }
  }

  /// Calls `body` with each run of at most ``Datapath/chunk`` columns of each row.
  mutating func forEachRun(
    of to: TileView, _ body: (inout Datapath, _ row: Int, _ column: Int, _ count: Int) -> Void
  ) {
    for row in 0..<to.rows {
      var column = 0
      while column < to.columns {
        let count = min(Datapath.chunk, to.columns - column)
        body(&self, row, column, count)
        column += count
      }
    }
  }
}
