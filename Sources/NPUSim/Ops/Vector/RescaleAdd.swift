/// `result[r, c] = fl32(fl32(a[r, c] · factor[r]) + b[r, c])`: the step that carries a sum over to a
/// new maximum. Both roundings take place; it is no fused multiply-add in value, only in cost.
public struct RescaleAdd: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>
  /// `rows × 1`.
  public var factor: Tile<UB>
  public var b: Tile<UB>

  public static let mnemonic = "vector.rescale_add"
  public static let summary =
    "result[r, c] = a[r, c] · factor[r] + b[r, c], each step rounded in fp32"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, .placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, _ factor: Tile<UB>, _ b: Tile<UB>) {
    self.result = result
    self.a = a
    self.factor = factor
    self.b = b
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
    visitor.tile("factor", &factor, .read)
    visitor.tile("b", &b, .elementwise)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.sameShape(result.ref, b.ref),
      TileRules.column(factor.ref, of: a.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(factor.ref, in: TileRules.floating),
      TileRules.format(b.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.fusedMultiplyAdd, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let first = datapath.source(a)
    let factors = datapath.source(factor)
    let second = datapath.source(b)
    let to = datapath.destination(result)
    let value = datapath.scratch(0)
    let addend = datapath.scratch(1)
    let sum = datapath.scratch(2)
    for row in 0..<to.rows {
      let scale = datapath.element(factors, row)
      var column = 0
      while column < to.columns {
        let count = min(Datapath.chunk, to.columns - column)
        datapath.widen(
          first.row(row) + column * first.format.bytes, first.format, to: value, count: count)
        datapath.widen(
          second.row(row) + column * second.format.bytes, second.format, to: addend, count: count)
        Bulk.mul(sum, value, scalar: scale, count: count)
        Bulk.add(sum, sum, addend, count: count)
        datapath.narrow(
          sum, to: to.row(row) + column * to.format.bytes, to.format, count: count
        ) {
          OperandKind(
            areFinite: value[$0].isFinite && addend[$0].isFinite && scale.isFinite)
        }
        column += count
      }
    }
  }
}
