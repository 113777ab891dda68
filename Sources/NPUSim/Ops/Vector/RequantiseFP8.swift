/// FP8 codes with 128-element block scales to MXINT8, as one micro-op:
/// `result = MXINT8(fl32(codes · scales))`, blocks along the result's axis, last block zero-filled.
public struct RequantiseFP8: MicroOp {
  /// MXINT8, blocks along either axis.
  public var result: Tile<UB>
  /// E4M3FN or E5M2.
  public var codes: Tile<UB>
  /// `rows × ⌈columns / 128⌉`, FP32 or E8M0.
  public var scales: Tile<UB>

  public static let mnemonic = "vector.requantise_fp8"
  public static let summary =
    "result = codes[r, c] · scales[r, c / 128] in fp32 as mxint8, last block zero-filled"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ codes: Tile<UB>, _ scales: Tile<UB>) {
    self.result = result
    self.codes = codes
    self.scales = scales
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, [.write, .zeroFill])
    visitor.tile("codes", &codes, .read)
    visitor.tile("scales", &scales, .read)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, codes.ref), TileRules.blockScales(scales.ref, of: codes.ref),
      TileRules.format(result.ref, in: [.mxint8]),
      TileRules.format(codes.ref, in: [.e4m3fn, .e5m2]),
      TileRules.format(scales.ref, in: [.f32, .e8m0]))
  }

  /// Four source bytes, codes and scales, count as one element.
  public func work(_ layout: TileLayout) -> Work {
    let bytes = codes.ref.usefulBytes + scales.ref.usefulBytes
    return .vector(.requantise, elements: (bytes + 3) / 4)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(codes)
    let steps = datapath.source(scales)
    let to = datapath.destination(result, zeroFill: true)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, steps.columns)) { factors in
      guard let factor = factors.baseAddress else { return }
      var widened = -1
      datapath.encodeMX(to) { datapath, values, row, column, count in
        if widened != row {
          datapath.widen(steps.row(row), steps.format, to: factor, count: steps.columns)
          widened = row
        }
        datapath.widen(from.row(row) + column, from.format, to: values, count: count)
        FP8Block.scale(values, by: factor + column / FP8Block.blockSize, count: count)
      }
    }
  }
}
