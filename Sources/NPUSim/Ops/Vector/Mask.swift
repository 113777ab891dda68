/// Writes −∞ where a key may not be seen: `result[r, c] = a[r, c]` where
/// `lowest ≤ c − ⌊r / rowsPerPosition⌋ ≤ highest`, −∞ elsewhere.
///
/// Rows of a tile are queries, `rowsPerPosition` of them (the heads of a group, say) at one position;
/// columns are keys. ``init(_:_:row:column:causal:window:rowsPerPosition:)`` gives the bounds of the
/// common masks.
public struct Mask: MicroOp {
  public var result: Tile<UB>
  public var a: Tile<UB>
  public var lowest: Int32
  public var highest: Int32
  public var rowsPerPosition: Int32

  public static let mnemonic = "vector.mask"
  public static let summary =
    "result[r, c] = a[r, c] where lowest ≤ c − ⌊r / rows_per_position⌋ ≤ highest, −inf elsewhere"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, lowest: .min, highest: .max) }

  public init(
    _ result: Tile<UB>, _ a: Tile<UB>, lowest: Int32, highest: Int32, rowsPerPosition: Int32 = 1
  ) {
    self.result = result
    self.a = a
    self.lowest = lowest
    self.highest = highest
    self.rowsPerPosition = rowsPerPosition
  }

  /// The mask of a tile whose first row is the query at position `row` and whose first column is the
  /// key at position `column`.
  ///
  /// - Parameters:
  ///   - causal: a query sees no key after its own position.
  ///   - window: a query at position p sees no key before p − window + 1.
  public init(
    _ result: Tile<UB>, _ a: Tile<UB>, row: Int, column: Int, causal: Bool, window: Int? = nil,
    rowsPerPosition: Int = 1
  ) {
    let distance = row &- column
    self.init(
      result, a,
      lowest: window.map { Int32(clamping: distance &- $0 &+ 1) } ?? .min,
      highest: causal ? Int32(clamping: distance) : .max,
      rowsPerPosition: Int32(clamping: rowsPerPosition))
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("a", &a, .elementwise)
    visitor.integer("lowest", &lowest)
    visitor.integer("highest", &highest)
    visitor.integer("rows_per_position", &rowsPerPosition)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.sameShape(result.ref, a.ref),
      TileRules.format(result.ref, in: TileRules.floating),
      TileRules.format(a.ref, in: TileRules.floating),
      rowsPerPosition < 1 ? "found \(rowsPerPosition) rows per position, needed at least 1" : nil)
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.select, elements: result.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = datapath.destination(result)
    let values = datapath.scratch(0)
    for row in 0..<to.rows {
      let position = row / Int(max(1, rowsPerPosition))
      let first = max(0, min(to.columns, Int(lowest) + position))
      let end = max(first, min(to.columns, Int(highest) + position + 1))
      var column = 0
      while column < to.columns {
        let count = min(Datapath.chunk, to.columns - column)
        datapath.widen(
          from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
        let low = max(0, min(count, first - column))
        let high = max(low, min(count, end - column))
        (values).update(repeating: -.infinity, count: low)
        (values + high).update(repeating: -.infinity, count: count - high)
        datapath.narrow(
          values, to: to.row(row) + column * to.format.bytes, to.format, count: count,
          counting: false
        ) { OperandKind(values[$0]) }
        column += count
      }
    }
  }
}
