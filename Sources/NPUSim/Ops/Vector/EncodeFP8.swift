/// FP8 codes with one scale for each 128 columns of a row, as one micro-op.
///
/// The format of the scales chooses the rule: FP32 scales as ``FP8Block/encode(_:format:)``, E8M0
/// scales as ``FP8Block/encode(_:format:roundsUp:)``. The last block of a row may be short.
public struct EncodeFP8: MicroOp {
  /// E4M3FN or E5M2.
  public var codes: Tile<UB>
  /// `rows × ⌈columns / 128⌉`, FP32 or E8M0.
  public var scales: Tile<UB>
  /// BF16, FP16 or FP32.
  public var a: Tile<UB>
  /// Whether an E8M0 scale is the smallest power of two not below the exact scale; without effect on
  /// FP32 scales.
  public var roundScale: Bool

  public static let mnemonic = "vector.encode_fp8"
  public static let summary =
    "codes = a / scales in e4m3fn or e5m2, scales[r, b] = amax of a[r, 128·b ..< 128·b + 128] / "
    + "largest code, in f32 or e8m0"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, .placeholder, roundScale: true) }

  public init(_ codes: Tile<UB>, _ scales: Tile<UB>, _ a: Tile<UB>, roundScale: Bool = true) {
    self.codes = codes
    self.scales = scales
    self.a = a
    self.roundScale = roundScale
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("codes", &codes, .write)
    visitor.tile("scales", &scales, .write)
    visitor.tile("a", &a, .read)
    visitor.choice("round_scale", &roundScale)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(codes.ref, a.ref), TileRules.blockScales(scales.ref, of: a.ref),
      TileRules.format(codes.ref, in: [.e4m3fn, .e5m2]),
      TileRules.format(scales.ref, in: [.f32, .e8m0]),
      TileRules.format(a.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.encodeFP8, elements: a.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(codes)
    let steps = datapath.destination(scales)
    let format: FP8Block.Format = to.format == .e5m2 ? .e5m2 : .e4m3fn
    let rule: FP8Block.ScaleRule =
      steps.format == .f32 ? .fp32 : .e8m0(roundsUp: roundScale)
    if from.format == .bf16 && to.isApart(from: from) && steps.isApart(from: from) {
      return encodeWords(&datapath, from, to, steps, format, rule)
    }
    let values = datapath.scratch(0)
    for row in 0..<from.rows {
      var column = 0
      while column < from.columns {
        let count = min(Datapath.chunk, from.columns - column)
        datapath.widen(
          from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
        var start = 0
        while start < count {
          let present = min(FP8Block.blockSize, count - start)
          let out = to.row(row) + column + start
          let word = FP8Block.encode(
            values + start, count: present, format: format, rule: rule, codes: out)
          store(word, steps, row, (column + start) / FP8Block.blockSize)
          datapath.health.countNonFinite(out, format, count: present) {
            OperandKind(values[start + $0])
          }
          start += present
        }
        column += count
      }
    }
  }

  /// Rows of BF16 words, straight from words to codes.
  private func encodeWords(
    _ datapath: inout Datapath, _ from: TileView, _ to: TileView, _ steps: TileView,
    _ format: FP8Block.Format, _ rule: FP8Block.ScaleRule
  ) {
    let words = UnsafeMutableRawPointer(datapath.scratch(0)).assumingMemoryBound(to: UInt32.self)
    let most = Datapath.chunk * FP8Block.blockSize
    for row in 0..<from.rows {
      var column = 0
      while column < from.columns {
        let present = min(most, from.columns - column)
        let codes = to.row(row) + column
        FP8Block.encodeRow(
          bf16: from.words(row) + column, count: present, format: format, rule: rule,
          codes: codes, scales: words)
        for block in 0..<FP8Block.blocks(present) {
          store(words[block], steps, row, column / FP8Block.blockSize + block)
        }
        let values = from.words(row) + column
        datapath.health.countNonFinite(codes, format, count: present) {
          OperandKind(BF16(bits: values[$0]).float)
        }
        column += present
      }
    }
  }

  private func store(_ word: UInt32, _ steps: TileView, _ row: Int, _ block: Int) {
    if steps.format == .f32 {
      UnsafeMutableRawPointer(steps.row(row)).storeBytes(
        of: word, toByteOffset: 4 * block, as: UInt32.self)
    } else {
      steps.row(row)[block] = UInt8(truncatingIfNeeded: word)
    }
  }
}
