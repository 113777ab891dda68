/// `result = payload · 2^(scale − 133)`: MXINT8 values, rounded once to the result's format.
public struct DecodeMX: MicroOp {
  /// BF16, FP16 or FP32. In FP32 the values are exact.
  public var result: Tile<UB>
  /// MXINT8, blocks along either axis.
  public var a: Tile<UB>

  public static let mnemonic = "vector.decode_mx"
  public static let summary = "result = the values of mxint8 a, rounded once to the result's format"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>) {
    self.result = result
    self.a = a
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .read)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.format(a.ref, in: [.mxint8]),
      TileRules.format(result.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.cast, elements: result.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    let values = datapath.scratch(0)
    for row in 0..<to.rows {
      let payload = UnsafeRawPointer(from.row(row)).assumingMemoryBound(to: Int8.self)
      var column = 0
      while column < to.columns {
        let count = min(Datapath.chunk, to.columns - column)
        switch from.axis {
        case .alongColumns:
          Bulk.decodeMXRows(
            payload + column, payloadStride: from.pitch,
            scales: from.scaleRow(row) + column / MXINT8.blockSize, scaleStride: from.scalePitch,
            rows: 1, cols: count, destination: values, destinationStride: count)
        case .alongRows:
          Bulk.decodeMXColumns(
            payload + column, payloadStride: from.pitch,
            scales: from.scaleRow(row / MXINT8.blockSize) + column, scaleStride: from.scalePitch,
            rows: 1, cols: count, destination: values, destinationStride: count)
        }
        datapath.narrow(
          values, to: to.row(row) + column * to.format.bytes, to.format, count: count
        ) { _ in .finite }
        column += count
      }
    }
  }
}
