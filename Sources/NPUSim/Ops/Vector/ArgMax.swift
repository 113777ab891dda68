/// The place of the first maximum of each row, with the maximum itself; a row may come in several
/// tiles.
///
/// NaN counts as larger than any number, and the first NaN wins. A tile's column c is element
/// `base + c` of the row.
public struct ArgMax: MicroOp {
  /// `rows × 1`, Int32.
  public var index: Tile<UB>
  /// `rows × 1`, FP32: the element at ``index``.
  public var maximum: Tile<UB>
  /// BF16, FP16 or FP32.
  public var a: Tile<UB>
  /// Index of the tile's first column in its row.
  public var base: Int32
  /// Begin anew; otherwise what `index` and `maximum` hold goes first.
  public var start: Bool

  public static let mnemonic = "vector.arg_max"
  public static let summary =
    "index[r] = base + the first column of the maximum of a[r, :], maximum[r] = the element; "
    + "goes on from both unless it starts; NaN is the largest"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, .placeholder, base: 0, start: true) }

  public init(
    _ index: Tile<UB>, _ maximum: Tile<UB>, _ a: Tile<UB>, base: Int32 = 0, start: Bool = true
  ) {
    self.index = index
    self.maximum = maximum
    self.a = a
    self.base = base
    self.start = start
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("index", &index, start ? .write : .update)
    visitor.tile("maximum", &maximum, start ? .write : .update)
    visitor.tile("a", &a, .read)
    visitor.integer("base", &base)
    visitor.choice("start", &start)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    if base < 0 || Int(base) + a.columns - 1 > Int(Int32.max) {
      return "found base \(base), needed indices from 0 to \(Int32.max)"
    }
    return TileRules.first(
      a.columns < 1 ? "found no column, needed at least one" : nil,
      TileRules.column(index.ref, of: a.ref), TileRules.column(maximum.ref, of: a.ref),
      TileRules.format(index.ref, in: [.i32]), TileRules.format(maximum.ref, in: [.f32]),
      TileRules.format(a.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.rowMax, elements: a.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let indices = start ? datapath.destination(index) : datapath.update(index)
    let maxima = start ? datapath.destination(maximum) : datapath.update(maximum)
    let values = datapath.scratch(0)
    for row in 0..<from.rows {
      let place = UnsafeMutableRawPointer(indices.row(row)).assumingMemoryBound(to: Int32.self)
      var best = start ? -Float.infinity : datapath.element(maxima, row)
      var found = start ? base : place[0]
      var isFirst = start
      var column = 0
      while column < from.columns {
        let count = min(Datapath.chunk, from.columns - column)
        datapath.widen(
          from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
        for offset in 0..<count {
          let value = values[offset]
          // Not "value > best": false for a NaN on either side.
          if isFirst || (!best.isNaN && !(value <= best)) {
            best = value
            found = base &+ Int32(truncatingIfNeeded: column &+ offset)
            isFirst = false
          }
        }
        column += count
      }
      place[0] = found
      datapath.setElement(maxima, row, best, operands: nil)
    }
  }
}
