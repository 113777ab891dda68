/// `acc = left · right`, or `acc += left · right`: MACs of 32-element MXINT8 blocks.
///
/// Each output element is a chain in ascending k, one accumulator add per block. With `accumulate`
/// the chain of the previous matmul on the same tile goes on, and no bit depends on where k was cut
/// (at multiples of 32).
public struct Matmul: MicroOp {
  /// `m × n` in the accumulator's format.
  public var accumulator: Tile<Acc>
  /// `m × k`, blocks along columns.
  public var left: Tile<Left>
  /// `k × n`, blocks along rows.
  public var right: Tile<Right>
  /// Continue the chain in `accumulator`; otherwise it starts at +0.
  public var accumulate: Bool
  /// Whether it hands the accumulator over to drains by their flag; changes no value.
  public var unit: UnitFlag

  public static let mnemonic = "matrix.matmul"
  public static let summary =
    "accumulator[m, n] = or += left[m, k] · right[k, n], mxint8 operands, blocks along k"
  public static let queue = Queue.matrix

  public init() {
    self.init(.placeholder, left: .placeholder, right: .placeholder, accumulate: false)
  }

  public init(
    _ accumulator: Tile<Acc>, left: Tile<Left>, right: Tile<Right>, accumulate: Bool,
    unit: UnitFlag = .none
  ) {
    self.accumulator = accumulator
    self.left = left
    self.right = right
    self.accumulate = accumulate
    self.unit = unit
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile(
      "accumulator", &accumulator, accumulate ? [.read, .write, .forward] : .write)
    visitor.tile("left", &left, .read)
    visitor.tile("right", &right, .read)
    visitor.choice("accumulate", &accumulate)
    visitor.unitFlag("unit", &unit)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    let c = accumulator.ref
    let a = left.ref
    let b = right.ref
    if a.columns != b.rows {
      return TileRules.shape(
        b, rows: Int(a.columns), Int(b.columns), "k × n where left is m × k")
    }
    if c.rows != a.rows || c.columns != b.columns {
      return TileRules.shape(c, rows: Int(a.rows), Int(b.columns), "m × n of left and right")
    }
    if a.indexList != 0 || b.indexList != 0 || c.indexList != 0 {
      return "found rows of an index list, needed rectangles"
    }
    if a.format != .mxint8 || b.format != .mxint8 {
      return TileRules.format(a.format == .mxint8 ? b : a, in: [.mxint8])
    }
    if a.axis != .alongColumns || b.axis != .alongRows {
      let isLeft = a.axis != .alongColumns
      return .tile(
        isLeft ? a : b, found: "in blocks along \(isLeft ? "rows" : "columns")",
        needed: "blocks along k, over which the product sums",
        remedy: .blocks(isLeft ? .alongColumns : .alongRows))
    }
    let needed = layout.accumulator.format
    if c.format != needed {
      return .tile(
        c, found: c.format.name, needed: "\(needed.name), as this machine accumulates",
        remedy: .said("declare it in the format acc, which is that of the machine"))
    }
    return nil
  }

  public func work(_ layout: TileLayout) -> Work {
    .matrix(m: left.rows, k: left.columns, n: right.columns)
  }

  public func execute(_ datapath: inout Datapath) {
    let a = datapath.source(left)
    let b = datapath.source(right)
    let c = datapath.accumulators(accumulator, continuing: accumulate)
    let product = BlockProduct(
      a: signed(a.payload), aStride: a.pitch, aScale: a.scales, aScaleStride: a.scalePitch,
      b: signed(b.payload), bStride: b.pitch, bScale: b.scales, bScaleStride: b.scalePitch,
      m: c.rows, n: c.columns, k: a.columns, startsAtZero: !accumulate)
    datapath.add(product, of: a, and: b, to: accumulator, c)
  }

  private func signed(_ bytes: UnsafeMutablePointer<UInt8>) -> UnsafePointer<Int8> {
    UnsafeRawPointer(bytes).assumingMemoryBound(to: Int8.self)
  }
}
