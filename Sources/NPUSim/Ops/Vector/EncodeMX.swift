/// `result = MXINT8(a)`: block encode along the result's block axis, last block padded with zeros.
public struct EncodeMX: MicroOp {
  /// MXINT8.
  public var result: Tile<UB>
  /// BF16, FP16 or FP32.
  public var a: Tile<UB>

  public static let mnemonic = "vector.encode_mx"
  public static let summary =
    "result = a as mxint8: 32-blocks along the result's block axis, last block zero-filled"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>) {
    self.result = result
    self.a = a
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, [.write, .zeroFill])
    visitor.tile("a", &a, .read)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.format(result.ref, in: [.mxint8]),
      TileRules.format(a.ref, in: TileRules.floating))
  }

  /// Counts the elements of whole blocks: the zero-filled ones occupy lanes too.
  public func work(_ layout: TileLayout) -> Work {
    .vector(.encodeMX, elements: result.ref.scaleCount * MXINT8.blockSize)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result, zeroFill: true)
    if from.format == .bf16 && to.axis == .alongColumns {
      return datapath.encodeMX(to, bf16: from)
    }
    datapath.encodeMX(to) { datapath, values, row, column, count in
      datapath.widen(
        from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
    }
  }
}
