/// `result[r, c] = 2^(fl32(fl32(a[r, c] · k) − row[r]))`, as one micro-op.
///
/// The step of an online softmax: with k = scale · log2(e) and row the maximum of the scaled row so
/// far, the result is p; with a the maximum before, k = 1 and row the maximum now, it is the factor
/// that rescales what was summed before. The maximum of `fl32(a · k)` over a row is
/// `fl32(max a · k)` for k > 0, as rounding is monotonic.
public struct Exp2Fused: MicroOp {
  /// The results of a row whose `row[r]` is −∞: nothing has been seen in it.
  public enum EmptyRow: String, OperandChoice, CaseIterable {
    /// p of masked elements.
    case zero
    /// The factor of an empty sum.
    case one
  }

  /// FP32 or BF16.
  public var result: Tile<UB>
  /// BF16, FP16 or FP32.
  public var a: Tile<UB>
  /// `rows × 1`.
  public var row: Tile<UB>
  public var k: Float
  public var empty: EmptyRow

  public static let mnemonic = "vector.exp2_fused"
  public static let summary =
    "result[r, c] = exp2(a[r, c] · k − row[r]), each step rounded in fp32; "
    + "where row[r] is −inf, zero or one"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, .placeholder, k: 1) }

  public init(
    _ result: Tile<UB>, _ a: Tile<UB>, _ row: Tile<UB>, k: Float, empty: EmptyRow = .zero
  ) {
    self.result = result
    self.a = a
    self.row = row
    self.k = k
    self.empty = empty
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
    visitor.tile("row", &row, .read)
    visitor.scalar("k", &k)
    visitor.choice("empty", &empty)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.column(row.ref, of: a.ref),
      TileRules.format(result.ref, in: [.bf16, .f32]),
      TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(row.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.exp2Fused, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let limits = datapath.source(row)
    let to = datapath.destination(result)
    let mode = datapath.settings.sfuMode
    datapath.zipColumn(to, from, limits) { result, value, limit, count in
      if limit == -.infinity {
        result.update(repeating: empty == .zero ? 0 : 1, count: count)
        return
      }
      Bulk.mul(result, value, scalar: k, count: count)
      Bulk.sub(result, result, scalar: limit, count: count)
      if to.format == .f32 {
        Bulk.special(.exp2, mode: mode, result, result, count: count)
      } else {
        // The widened BF16 value passes the narrowing of the row loop unchanged.
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: count) { words in
          guard let words = words.baseAddress else { return }
          Bulk.specialToBF16(.exp2, mode: mode, result, words, count: count)
          Bulk.bf16ToFloat(words, result, count: count)
        }
      }
    }
  }
}
