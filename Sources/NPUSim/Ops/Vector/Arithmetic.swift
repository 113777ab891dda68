/// A binary operation of the vector unit in FP32.
public protocol ArithmeticRule: Sendable {
  static var name: String { get }
  /// The operation as a formula in a and b.
  static var formula: String { get }
  static var operation: Bulk.Binary { get }
  static var vectorClass: VectorClass { get }
  /// Whether results are chosen among the operands, so that a NaN or infinity is not a new one.
  static var selects: Bool { get }
  /// The class of the form with an immediate.
  static var scalarClass: VectorClass { get }
  static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ count: Int)
  static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float, _ count: Int)
}

extension ArithmeticRule {
  public static var selects: Bool { false }
}

/// a + b
public enum AddRule: ArithmeticRule {
  public static let name = "add"
  public static let formula = "a + b"
  public static let operation = Bulk.Binary.add
  public static let vectorClass = VectorClass.add
  public static let scalarClass = VectorClass.addScalar
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ count: Int
  ) { Bulk.add(result, a, b, count: count) }
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float, _ count: Int
  ) { Bulk.add(result, a, scalar: scalar, count: count) }
}

/// a − b
public enum SubRule: ArithmeticRule {
  public static let name = "sub"
  public static let formula = "a − b"
  public static let operation = Bulk.Binary.sub
  public static let vectorClass = VectorClass.sub
  public static let scalarClass = VectorClass.addScalar
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ count: Int
  ) { Bulk.sub(result, a, b, count: count) }
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float, _ count: Int
  ) { Bulk.sub(result, a, scalar: scalar, count: count) }
}

/// a · b
public enum MulRule: ArithmeticRule {
  public static let name = "mul"
  public static let formula = "a · b"
  public static let operation = Bulk.Binary.mul
  public static let vectorClass = VectorClass.mul
  public static let scalarClass = VectorClass.mulScalar
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ count: Int
  ) { Bulk.mul(result, a, b, count: count) }
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float, _ count: Int
  ) { Bulk.mul(result, a, scalar: scalar, count: count) }
}

/// a / b
public enum DivRule: ArithmeticRule {
  public static let name = "div"
  public static let formula = "a / b"
  public static let operation = Bulk.Binary.div
  public static let vectorClass = VectorClass.div
  public static let scalarClass = VectorClass.div
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ count: Int
  ) { Bulk.div(result, a, b, count: count) }
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float, _ count: Int
  ) { Bulk.div(result, a, scalar: scalar, count: count) }
}

/// The larger of a and b; NaN if either is NaN.
public enum MaxRule: ArithmeticRule {
  public static let name = "max"
  public static let selects = true
  public static let formula = "max(a, b)"
  public static let operation = Bulk.Binary.max
  public static let vectorClass = VectorClass.max
  public static let scalarClass = VectorClass.max
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ count: Int
  ) { Bulk.max(result, a, b, count: count) }
  public static func apply(
    _ result: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float, _ count: Int
  ) { Bulk.max(result, a, scalar: scalar, count: count) }
}

/// `result = a ∘ b`, element by element, in FP32, rounded once to the result's format.
public struct Elementwise<Rule: ArithmeticRule>: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>
  public var b: Tile<UB>

  public static var mnemonic: String { "vector.\(Rule.name)" }
  public static var summary: String { "result = \(Rule.formula), element by element, in fp32" }
  public static var queue: Queue { .vector }

  public init() { self.init(.placeholder, .placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, _ b: Tile<UB>) {
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
      TileRules.elementwise(result.ref, a.ref, b.ref, Self.mnemonic),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(b.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(Rule.vectorClass, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let first = datapath.source(a)
    let second = datapath.source(b)
    let to = datapath.destination(result)
    if to.isBF16Beside(first) && to.isBF16Beside(second) {
      return datapath.combineRows(Rule.operation, to, first, second, counting: !Rule.selects)
    }
    datapath.zipRows(to, first, second, counting: !Rule.selects) { Rule.apply($0, $1, $2, $3) }
  }
}

/// `result[r, c] = a[r, c] ∘ b[r]`: one value of `b` for each row.
public struct RowBroadcast<Rule: ArithmeticRule>: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>
  /// `rows × 1`.
  public var b: Tile<UB>

  public static var mnemonic: String { "vector.\(Rule.name)_column" }
  public static var summary: String {
    "result[r, c] = \(Rule.formula) with b one value a row (rows × 1), in fp32"
  }
  public static var queue: Queue { .vector }

  public init() { self.init(.placeholder, .placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, _ b: Tile<UB>) {
    self.result = result
    self.a = a
    self.b = b
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
    visitor.tile("b", &b, .read)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref),
      TileRules.column(b.ref, of: a.ref, orTiles: "vector.\(Rule.name)"),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(b.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.rowBroadcast, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let first = datapath.source(a)
    let second = datapath.source(b)
    let to = datapath.destination(result)
    datapath.zipColumn(to, first, second, counting: !Rule.selects) {
      Rule.apply($0, $1, scalar: $2, $3)
    }
  }
}

/// `result = a ∘ b` with an FP32 immediate b.
public struct WithScalar<Rule: ArithmeticRule>: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>
  public var b: Float

  public static var mnemonic: String { "vector.\(Rule.name)_scalar" }
  public static var summary: String { "result = \(Rule.formula) with an fp32 immediate b" }
  public static var queue: Queue { .vector }

  public init() { self.init(.placeholder, .placeholder, 0) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, _ b: Float) {
    self.result = result
    self.a = a
    self.b = b
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
    visitor.scalar("b", &b)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(Rule.scalarClass, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    datapath.mapRows(to, from, counting: !Rule.selects, operands: { OperandKind($0, b) }) {
      Rule.apply($0, $1, scalar: b, $2)
    }
  }
}
