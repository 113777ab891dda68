/// `result = round(a)`: one rounding to the result's format. FP8 results saturate if asked to.
public struct Cast: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>
  /// Overflow of an FP8 result gives the largest finite value instead of NaN or infinity.
  public var saturating: Bool

  public static let mnemonic = "vector.cast"
  public static let summary =
    "result = a rounded once to the result's format; e8m0 as a source only"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, saturating: true) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, saturating: Bool = true) {
    self.result = result
    self.a = a
    self.saturating = saturating
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
    visitor.choice("saturating", &saturating)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    let formats: FormatSet = [.bf16, .f16, .f32, .e4m3fn, .e5m2]
    return TileRules.first(
      TileRules.sameShape(result.ref, a.ref), TileRules.format(result.ref, in: formats),
      TileRules.format(a.ref, in: [.bf16, .f16, .f32, .e4m3fn, .e5m2, .e8m0]))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.cast, elements: result.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    if to.format == .bf16 && (from.format == .e4m3fn || from.format == .e5m2) {
      let format: FP8Block.Format = from.format == .e5m2 ? .e5m2 : .e4m3fn
      for row in 0..<to.rows {
        let words = UnsafeMutableRawPointer(to.row(row)).assumingMemoryBound(to: UInt16.self)
        Bulk.fp8ToBF16(from.row(row), words, count: to.columns, format: format)
        datapath.countNonFinite(bf16: words, count: to.columns) { _ in .nonFinite }
      }
      return
    }
    datapath.mapRows(to, from, saturating: saturating) { result, value, count in
      result.update(from: value, count: count)
    }
  }
}

/// `result = a`, byte for byte, inside `ub`.
public struct CopyUB: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>

  public static let mnemonic = "vector.copy"
  public static let summary = "result = a; same shape and format"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>) {
    self.result = result
    self.a = a
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.copy(result.ref, a.ref),
      a.format == .mxint8
        ? .tile(
          a.ref, found: "mxint8", needed: "a format without scales",
          remedy: .said("put a vector.decode_mx before")) : nil)
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.copy, elements: result.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    for row in 0..<from.rows {
      to.row(row).update(from: from.row(row), count: from.columns * from.format.bytes)
    }
  }
}

/// `result[c, r] = a[r, c]` inside `ub`.
public struct TransposeUB: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>

  public static let mnemonic = "vector.transpose"
  public static let summary = "result[c, r] = a[r, c]; same format, not mxint8"
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
    if result.rows != a.columns || result.columns != a.rows {
      return TileRules.shape(result.ref, rows: a.columns, a.rows, "as a is transposed")
    }
    if a.format == .mxint8 {
      return .tile(
        a.ref, found: "mxint8", needed: "a format without scales",
        remedy: .said("put a vector.decode_mx before, or move it with feed.left_transposed"))
    }
    if result.format != a.format {
      return .tile(
        result.ref, found: result.format.name, needed: "\(a.format.name) as a",
        remedy: .formats([a.format]))
    }
    return nil
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.transpose, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    let size = a.format.bytes
    for row in 0..<to.rows {
      for column in 0..<to.columns {
        (to.row(row) + column * size).update(from: from.row(column) + row * size, count: size)
      }
    }
  }
}

/// `result = value` everywhere.
public struct Fill: MicroOp {
  public var result: Tile<UB>
  public var value: Float

  public static let mnemonic = "vector.fill"
  public static let summary = "result = an fp32 immediate, rounded once to the result's format"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, 0) }

  public init(_ result: Tile<UB>, _ value: Float) {
    self.result = result
    self.value = value
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.scalar("value", &value)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.format(result.ref, in: TileRules.floating)
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.duplicate, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let to = datapath.destination(result)
    let values = datapath.scratch(0)
    for index in 0..<min(Datapath.chunk, to.columns) { values[index] = value }
    for row in 0..<to.rows {
      var column = 0
      while column < to.columns {
        let count = min(Datapath.chunk, to.columns - column)
        datapath.narrow(
          values, to: to.row(row) + column * to.format.bytes, to.format, count: count,
          counting: false
        ) { OperandKind(values[$0]) }
        column += count
      }
    }
  }
}

/// `result = |a|`.
public struct Abs: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>

  public static let mnemonic = "vector.abs"
  public static let summary = "result = |a|, rounded once to the result's format"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>) {
    self.result = result
    self.a = a
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.abs, elements: result.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    datapath.mapRows(to, from) { result, value, count in
      for index in 0..<count {
        let magnitude = value[index].bitPattern & 0x7FFF_FFFF
        // A NaN made by an operation is the canonical one.
        result[index] = FP32.canonical(Float(bitPattern: magnitude))
      }
    }
  }
}
