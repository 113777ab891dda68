/// Rotates pairs of columns: `a' = fl32(a·c) − fl32(b·s)`, `b' = fl32(b·c) + fl32(a·s)`, the sum in
/// FP32 and rounded once to the result's format.
///
/// Costs what its three passes over the row cost one by one (two products, one sum); that the
/// pairing of neighbours costs no more than that of halves is assumed.
public struct RotatePairs: MicroOp {
  /// Which columns of a row of d form pair i.
  public enum Pairing: String, OperandChoice, CaseIterable {
    /// 2i and 2i + 1.
    case interleaved
    /// i and i + d/2.
    case halfSplit = "half-split"
  }

  /// `rows × d`, d even.
  public var result: Tile<UB>
  public var a: Tile<UB>
  /// `rows × d/2`, or `1 × d/2` for all rows; BF16 or FP32.
  public var cosine: Tile<UB>
  /// As ``cosine``.
  public var sine: Tile<UB>
  public var pairing: Pairing

  public static let mnemonic = "vector.rotate_pairs"
  public static let summary =
    "pairs (a, b) of a row's columns become (a·cos − b·sin, b·cos + a·sin), each step rounded in "
    + "fp32; pairs 2i, 2i + 1 or i, i + d/2"
  public static let queue = Queue.vector

  public init() {
    self.init(.placeholder, .placeholder, cosine: .placeholder, sine: .placeholder, .halfSplit)
  }

  public init(
    _ result: Tile<UB>, _ a: Tile<UB>, cosine: Tile<UB>, sine: Tile<UB>, _ pairing: Pairing
  ) {
    self.result = result
    self.a = a
    self.cosine = cosine
    self.sine = sine
    self.pairing = pairing
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .read)
    visitor.tile("cosine", &cosine, .read)
    visitor.tile("sine", &sine, .read)
    visitor.choice("pairing", &pairing)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    if a.columns % 2 != 0 { return "found \(a.columns) columns, needed an even number" }
    for table in [cosine, sine]
    where table.columns * 2 != a.columns || (table.rows != a.rows && table.rows != 1) {
      return .tile(
        table.ref, found: TileRules.shape(table.ref),
        needed: "\(a.rows) × \(a.columns / 2), or 1 × \(a.columns / 2): an angle each pair",
        remedy: .shape(rows: table.rows == 1 ? 1 : a.rows, columns: a.columns / 2))
    }
    return TileRules.first(
      TileRules.sameShape(result.ref, a.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(cosine.ref, in: [.bf16, .f32]),
      TileRules.format(sine.ref, in: [.bf16, .f32]))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.mul, elements: 3 * result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let cosines = datapath.source(cosine)
    let sines = datapath.source(sine)
    let to = datapath.destination(result)
    let half = from.columns / 2
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, 6 * half)) { work in
      guard let value = work.baseAddress else { return }
      let rotated = value + 2 * half
      let c = value + 4 * half
      let s = value + 5 * half
      for row in 0..<to.rows {
        datapath.widen(from.row(row), from.format, to: value, count: 2 * half)
        if row == 0 || cosines.rows > 1 {
          datapath.widen(cosines.row(row), cosines.format, to: c, count: half)
        }
        if row == 0 || sines.rows > 1 {
          datapath.widen(sines.row(row), sines.format, to: s, count: half)
        }
        switch pairing {
        case .interleaved: rotate(value, rotated, c, s, half, step: 2, distance: 1)
        case .halfSplit: rotate(value, rotated, c, s, half, step: 1, distance: half)
        }
        datapath.narrow(rotated, to: to.row(row), to.format, count: 2 * half) { index in
          let pair = pairing == .interleaved ? index / 2 : index % half
          let other = pairing == .interleaved ? index ^ 1 : (index + half) % (2 * half)
          return OperandKind(
            areFinite: value[index].isFinite && value[other].isFinite && c[pair].isFinite
              && s[pair].isFinite)
        }
      }
    }
  }

  @inline(__always)
  private func rotate(
    _ value: UnsafePointer<Float>, _ rotated: UnsafeMutablePointer<Float>,
    _ c: UnsafePointer<Float>, _ s: UnsafePointer<Float>, _ half: Int, step: Int, distance: Int
  ) {
    for index in 0..<half {
      let first = step &* index
      let a = value[first]
      let b = value[first &+ distance]
      rotated[first] = FP32.sub(FP32.mul(a, c[index]), FP32.mul(b, s[index]))
      rotated[first &+ distance] = FP32.add(FP32.mul(b, c[index]), FP32.mul(a, s[index]))
    }
  }
}
