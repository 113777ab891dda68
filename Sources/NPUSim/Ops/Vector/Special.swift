/// A special function as a type: what ``Special`` computes and what it costs.
public protocol SpecialRule: Sendable {
  static var function: SpecialFunction { get }
  static var vectorClass: VectorClass { get }
}

/// e^x
public enum ExpRule: SpecialRule {
  public static let function = SpecialFunction.exp
  public static let vectorClass = VectorClass.exp
}

/// 2^x
public enum Exp2Rule: SpecialRule {
  public static let function = SpecialFunction.exp2
  public static let vectorClass = VectorClass.exp2
}

/// 1 / x
public enum ReciprocalRule: SpecialRule {
  public static let function = SpecialFunction.reciprocal
  public static let vectorClass = VectorClass.reciprocal
}

/// 1 / √x
public enum RsqrtRule: SpecialRule {
  public static let function = SpecialFunction.rsqrt
  public static let vectorClass = VectorClass.rsqrt
}

/// sin x
public enum SinRule: SpecialRule {
  public static let function = SpecialFunction.sin
  public static let vectorClass = VectorClass.sin
}

/// cos x
public enum CosRule: SpecialRule {
  public static let function = SpecialFunction.cos
  public static let vectorClass = VectorClass.cos
}

/// 1 / (1 + e^−x)
public enum SigmoidRule: SpecialRule {
  public static let function = SpecialFunction.sigmoid
  public static let vectorClass = VectorClass.sigmoid
}

/// x / (1 + e^−x)
public enum SiluRule: SpecialRule {
  public static let function = SpecialFunction.silu
  public static let vectorClass = VectorClass.silu
}

/// ln x
public enum LogRule: SpecialRule {
  public static let function = SpecialFunction.log
  public static let vectorClass = VectorClass.log
}

/// `result = f(a)`, element by element, the exact value rounded once to the result's format.
///
/// `a` and `result` are BF16 or FP32. A BF16 result never passes through an FP32 rounding.
public struct Special<Rule: SpecialRule>: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>

  public static var mnemonic: String { "vector.\(Rule.function.rawValue)" }
  public static var summary: String {
    "result = \(Rule.function.rawValue)(a), element by element, rounded once; bf16 or f32"
  }
  public static var queue: Queue { .vector }

  public init() { self.init(.placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>) {
    self.result = result
    self.a = a
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.format(result.ref, in: [.bf16, .f32]),
      TileRules.format(a.ref, in: [.bf16, .f32]))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(Rule.vectorClass, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    let mode = datapath.settings.sfuMode
    if to.format == .f32 {
      datapath.mapRows(to, from, operands: Rule.function.operandKind) {
        Bulk.special(Rule.function, mode: mode, $1, $0, count: $2)
      }
    } else {
      datapath.forEachRun(of: to) { datapath, row, column, count in
        let words = UnsafeMutableRawPointer(to.row(row) + 2 * column)
          .assumingMemoryBound(to: UInt16.self)
        datapath.specialToBF16(
          Rule.function, from.row(row) + column * from.format.bytes, from.format, words,
          count: count)
      }
    }
  }
}
