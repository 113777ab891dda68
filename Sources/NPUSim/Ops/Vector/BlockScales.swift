/// The largest finite magnitude of each 128 columns of a row; 0 where none is finite.
public struct BlockAbsMax: MicroOp {
  /// `rows × ⌈columns / 128⌉`, FP32.
  public var result: Tile<UB>
  /// BF16, FP16 or FP32.
  public var a: Tile<UB>

  public static let mnemonic = "vector.block_abs_max"
  public static let summary =
    "result[r, b] = max |a[r, c]| over the finite elements of block b of 128 columns, or 0"
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
      TileRules.blockScales(result.ref, of: a.ref), TileRules.format(result.ref, in: [.f32]),
      TileRules.format(a.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.rowMax, elements: a.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    let values = datapath.scratch(0)
    datapath.forEachRun(of: from) { datapath, row, column, count in
      datapath.widen(
        from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
      let maxima = UnsafeMutableRawPointer(to.row(row)).assumingMemoryBound(to: Float.self)
      var start = 0
      while start < count {
        let present = min(FP8Block.blockSize, count - start)
        maxima[(column + start) / FP8Block.blockSize] =
          FP8Block.finiteMaximum(values + start, count: present)
        start += present
      }
    }
  }
}

/// `result[r, c] = a[r, c] ∘ b[r, c / 128]`: one value of `b` for each 128 columns of a row.
public struct BlockBroadcast<Rule: ArithmeticRule>: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>
  /// `rows × ⌈columns / 128⌉`, FP32, BF16 or E8M0.
  public var b: Tile<UB>

  public static var mnemonic: String { "vector.\(Rule.name)_block" }
  public static var summary: String {
    "result[r, c] = \(Rule.formula) with b one value for each 128 columns of a row, in fp32"
  }
  public static var queue: Queue { .vector }

  public init() { self.init(.placeholder, .placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, _ b: Tile<UB>) {
    self.result = result
    self.a = a
    self.b = b
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
    visitor.tile("b", &b, .read)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.blockScales(b.ref, of: a.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(b.ref, in: [.f32, .bf16, .e8m0]))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.rowBroadcast, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let factors = datapath.source(b)
    let to = datapath.destination(result)
    let values = datapath.scratch(0)
    let results = datapath.scratch(1)
    let steps = datapath.scratch(2)
    datapath.forEachRun(of: to) { datapath, row, column, count in
      datapath.widen(
        from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
      var start = 0
      while start < count {
        let present = min(FP8Block.blockSize, count - start)
        var factor: Float = 0
        let block = (column + start) / FP8Block.blockSize
        datapath.widen(
          factors.row(row) + block * factors.format.bytes, factors.format, to: &factor, count: 1)
        Rule.apply(results + start, values + start, scalar: factor, present)
        steps[start / FP8Block.blockSize] = factor
        start += present
      }
      datapath.narrow(
        results, to: to.row(row) + column * to.format.bytes, to.format, count: count,
        counting: !Rule.selects
      ) { index in
        let factor = steps[index / FP8Block.blockSize]
        // The scale of a block of zeros is 0.
        let isPole = Rule.operation == .div && factor == 0 && values[index].isFinite
        return isPole ? .pole : OperandKind(values[index], factor)
      }
    }
  }
}

/// `result = |a|` as a power of two: E8M0 scales.
public struct CastScale: MicroOp {
  /// E8M0.
  public var result: Tile<UB>
  /// BF16 or FP32.
  public var a: Tile<UB>
  public var rounding: E8M0.Mode

  public static let mnemonic = "vector.cast_scale"
  public static let summary =
    "result = |a| as e8m0, rounded to the power of two below, above, or nearest"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, .ceil) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, _ rounding: E8M0.Mode) {
    self.result = result
    self.a = a
    self.rounding = rounding
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .read)
    visitor.choice("rounding", &rounding)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.format(result.ref, in: [.e8m0]),
      TileRules.format(a.ref, in: [.bf16, .f32]))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.cast, elements: result.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    let values = datapath.scratch(0)
    datapath.forEachRun(of: to) { datapath, row, column, count in
      datapath.widen(
        from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
      let bytes = to.row(row) + column
      for index in 0..<count { bytes[index] = E8M0(values[index], mode: rounding).bits }
    }
  }
}

extension E8M0.Mode: OperandChoice {}
