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

  public func legality(_ layout: TileLayout) -> String? {
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
    switch result.ref.axis {
    case .alongColumns: encodeAlongColumns(&datapath, from, to)
    case .alongRows: encodeAlongRows(&datapath, from, to)
    }
    for row in 0..<to.scaleRows {
      for column in 0..<to.scaleColumns where to.scaleRow(row)[column] == 0xFF {
        datapath.health.nans += 1
      }
    }
  }

  private func encodeAlongColumns(_ datapath: inout Datapath, _ from: TileView, _ to: TileView) {
    let values = datapath.scratch(0)
    for row in 0..<from.rows {
      var column = 0
      while column < from.columns {
        let count = min(Datapath.chunk, from.columns - column)
        datapath.widen(
          from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
        Bulk.encodeMXRows(
          values, sourceStride: count, rows: 1, cols: count, payload: signed(to.row(row) + column),
          payloadStride: to.pitch, scales: to.scaleRow(row) + column / 32,
          scaleStride: to.scalePitch)
        column += count
      }
    }
  }

  private func encodeAlongRows(_ datapath: inout Datapath, _ from: TileView, _ to: TileView) {
    let columns = from.columns
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 32 * max(1, columns)) { block in
      guard let values = block.baseAddress else { return }
      var top = 0
      while top < from.rows {
        let count = min(32, from.rows - top)
        for row in 0..<count {
          datapath.widen(
            from.row(top + row), from.format, to: values + row * columns, count: columns)
        }
        Bulk.encodeMXColumns(
          values, sourceStride: columns, rows: count, cols: columns,
          payload: signed(to.row(top)), payloadStride: to.pitch, scales: to.scaleRow(top / 32),
          scaleStride: to.scalePitch)
        top += 32
      }
    }
  }

  private func signed(_ bytes: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<Int8> {
    UnsafeMutableRawPointer(bytes).assumingMemoryBound(to: Int8.self)
  }
}
