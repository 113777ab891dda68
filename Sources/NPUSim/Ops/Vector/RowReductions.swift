/// Adds a tile to the lane partials of its rows: a row sum that may stop and continue.
///
/// Lane j of `partials[r]` adds elements j, j + lanes, … of row r in that order, in FP32. With
/// `start` the lanes begin at their first elements; otherwise they go on, and the columns taken so
/// far must have been a multiple of the lanes.
public struct RowSum: MicroOp {
  /// `rows × min(lanes, elements of the row so far)`, FP32.
  public var partials: Tile<UB>
  public var a: Tile<UB>
  public var start: Bool

  public static let mnemonic = "vector.row_sum"
  public static let summary =
    "lane partials of the row sums of a: partials[r, j] = or += a[r, j + lanes·i] in order of i"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, start: true) }

  public init(_ partials: Tile<UB>, _ a: Tile<UB>, start: Bool) {
    self.partials = partials
    self.a = a
    self.start = start
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("partials", &partials, start ? .write : .update)
    visitor.tile("a", &a, .read)
    visitor.choice("start", &start)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    let present = min(layout.lanes, a.columns)
    if partials.rows != a.rows || (start && partials.columns != present)
      || (!start && partials.columns != layout.lanes)
    {
      return TileRules.shape(
        partials.ref, rows: a.rows, start ? present : layout.lanes, "one partial a lane")
    }
    return TileRules.first(
      TileRules.format(partials.ref, in: [.f32]),
      TileRules.format(a.ref, in: TileRules.floating))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.rowSum, elements: a.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = start ? datapath.destination(partials) : datapath.update(partials)
    let lanes = datapath.settings.lanes
    let values = datapath.scratch(0)
    // A lane's first element is stored where the row starts; further tiles only add.
    let offset = start ? 0 : lanes
    for row in 0..<from.rows {
      let lane = UnsafeMutableRawPointer(to.row(row)).assumingMemoryBound(to: Float.self)
      var column = 0
      while column < from.columns {
        let count = min(Datapath.chunk, from.columns - column)
        datapath.widen(
          from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
        let present = min(lanes, offset + column)
        let wasFinite = lane.isFinite(count: present)
        LaneReduction.accumulate(
          partials: lane, lanes: lanes, firstIndex: offset + column, values: values, count: count)
        if wasFinite && !lane.isFinite(count: to.columns) && values.isFinite(count: count) {
          for index in 0..<to.columns where lane[index].isInfinite {
            datapath.health.infinities += 1
          }
        }
        column += count
      }
    }
  }
}

/// Combines lane partials by halving: `result[r] = Σ partials[r]`, rounded once.
public struct RowFinish: MicroOp {
  /// `rows × 1`.
  public var result: Tile<UB>
  /// `rows × lanes present`, FP32.
  public var partials: Tile<UB>

  public static let mnemonic = "vector.row_finish"
  public static let summary =
    "result[r] = the lane partials of row r combined by halving, rounded once"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder) }

  public init(_ result: Tile<UB>, _ partials: Tile<UB>) {
    self.result = result
    self.partials = partials
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, .write)
    visitor.tile("partials", &partials, .read)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    if partials.columns > layout.lanes {
      return "found \(partials.columns) partials a row, needed at most \(layout.lanes) lanes"
    }
    return TileRules.first(
      TileRules.column(result.ref, of: partials.ref),
      TileRules.format(partials.ref, in: [.f32]),
      TileRules.format(result.ref, in: [.bf16, .f32]))
  }

  public func work(_ layout: TileLayout) -> Work {
    .vector(.rowSum, elements: partials.ref.elements)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(partials)
    let to = datapath.destination(result)
    for row in 0..<from.rows {
      let lanes = UnsafeRawPointer(from.row(row)).assumingMemoryBound(to: Float.self)
      let sum = LaneReduction.finish(lanes, lanes: datapath.settings.lanes, count: from.columns)
      let areFinite = sum.isFinite || (0..<from.columns).allSatisfy { lanes[$0].isFinite }
      datapath.setElement(to, row, sum, operands: OperandKind(areFinite: areFinite))
    }
  }
}

/// The maximum of each row: `result[r] = max(a[r, :])`, or with the maximum so far.
public struct RowMax: MicroOp {
  /// `rows × 1`.
  public var result: Tile<UB>
  public var a: Tile<UB>
  /// Begin anew; otherwise the value in `result` takes part.
  public var start: Bool

  public static let mnemonic = "vector.row_max"
  public static let summary =
    "result[r] = max of a[r, :], and of result[r] unless it starts; NaN if any is NaN"
  public static let queue = Queue.vector

  public init() { self.init(.placeholder, .placeholder, start: true) }

  public init(_ result: Tile<UB>, _ a: Tile<UB>, start: Bool) {
    self.result = result
    self.a = a
    self.start = start
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("result", &result, start ? .write : .update)
    visitor.tile("a", &a, .read)
    visitor.choice("start", &start)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.column(result.ref, of: a.ref), TileRules.format(a.ref, in: TileRules.floating),
      TileRules.format(result.ref, in: [.bf16, .f32]))
  }

  public func work(_ layout: TileLayout) -> Work { .vector(.rowMax, elements: a.ref.elements) }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(a)
    let to = start ? datapath.destination(result) : datapath.update(result)
    let values = datapath.scratch(0)
    for row in 0..<from.rows {
      var best = start ? -Float.infinity : datapath.element(to, row)
      var column = 0
      while column < from.columns {
        let count = min(Datapath.chunk, from.columns - column)
        datapath.widen(
          from.row(row) + column * from.format.bytes, from.format, to: values, count: count)
        for index in 0..<count { best = FP32.max(best, values[index]) }
        column += count
      }
      datapath.setElement(to, row, best, operands: nil)
    }
  }
}
