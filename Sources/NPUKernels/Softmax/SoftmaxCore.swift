import NPUSim

/// Emits the rows of one core. Some row tiles go through the column tiles together, so that one has
/// work while the results of the other become visible.
struct SoftmaxCore {
  private let kernel: Softmax
  private let plan: SoftmaxSchedule
  private let x: BufferHandle<HBM>
  private let out: BufferHandle<HBM>
  /// Tiles of x, overwritten by the result.
  private var xRing: Ring<UB>
  /// Maxima, differences, exponentials.
  private let workRing: Ring<UB>
  private let partialRing: Ring<UB>
  /// `SoftmaxProblem.columnTiles` slots for each slot of the others.
  private let columns: BufferHandle<UB>

  /// A row tile.
  private struct Lane {
    let rows: Range<Int>
    let work: Ring<UB>.Slot
    let partials: Tile<UB>
    /// The present maxima, and where the next ones go.
    var maximum: Tile<UB>
    var otherMaximum: Tile<UB>
    /// Of one column tile, and what brings the sums before it to its maximum.
    let tileMaximum: Tile<UB>
    let factor: Tile<UB>
    let inverse: Tile<UB>
    /// All of x, where it stays on chip.
    var x: Tile<UB>?
  }

  init(
    _ kernel: Softmax, x: BufferHandle<HBM>, out: BufferHandle<HBM>, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.kernel = kernel
    self.x = x
    self.out = out
    plan = kernel.plan
    let memory = try p.allocate(kernel.buffers)
    xRing = try memory.ring("x_tiles", in: UB.self)
    workRing = try memory.ring("work", in: UB.self)
    partialRing = try memory.ring("partials", in: UB.self)
    columns = try memory.buffer("columns", in: UB.self)
  }

  private func lane(_ index: Int, _ rows: Range<Int>) -> Lane {
    let work = workRing[index]
    func column(_ number: Int) -> Tile<UB> {
      columns.tile(slot: work.index * SoftmaxProblem.columnTiles + number, rows: rows.count)
    }
    return Lane(
      rows: rows, work: work, partials: partialRing[index].tile(rows: rows.count),
      maximum: column(0), otherMaximum: column(1), tileMaximum: column(2), factor: column(3),
      inverse: column(4))
  }

  mutating func emit(rows: Range<Int>, _ p: inout ProgramBuilder) {
    let tiles = RowTile.pieces(rows, plan.tileRows)
    for (number, wave) in RowTile.pieces(tiles.indices, plan.tiles).enumerated() {
      p.pushScope("rows", iteration: number)
      emit(wave.enumerated().map { lane($0, tiles[$1]) }, &p)
      p.popScope()
    }
  }

  /// Maximum, sum and result of some row tiles. Rows that stay on chip are loaded once and their
  /// exponentials kept, others are loaded for each pass.
  private mutating func emit(_ lanes: [Lane], _ p: inout ProgramBuilder) {
    var lanes = lanes
    if kernel.isResident {
      for index in lanes.indices { lanes[index].x = xRing.load(x.tile(place(0, lanes[index])), &p) }
    }
    if !kernel.isOnline { takeMaxima(lanes, &p) }
    for tile in 0..<kernel.columnTiles {
      for index in lanes.indices { addExponentials(tile, &lanes[index], &p) }
    }
    for lane in lanes { p.emit(RowFinish(lane.inverse, lane.partials)) }
    for lane in lanes { p.emit(Special<ReciprocalRule>(lane.inverse, lane.inverse)) }
    for tile in 0..<kernel.columnTiles {
      for lane in lanes {
        let x = take(tile, lane, &p)
        if lane.x == nil { exponentiate(x, lane, &p) }
        p.emit(RowBroadcast<MulRule>(x, work(of: x, lane), lane.inverse))
        p.emit(StoreHBM(out.tile(place(tile, lane)), from: x))
      }
    }
  }

  /// The exponentials of a column tile, added to the sums, which are brought to a maximum that rises.
  private mutating func addExponentials(
    _ tile: Int, _ lane: inout Lane, _ p: inout ProgramBuilder
  ) {
    let x = take(tile, lane, &p)
    let isFirst = tile == 0
    if kernel.isOnline { raiseMaximum(x, isFirst: isFirst, &lane, &p) }
    let rescales = kernel.isOnline && !isFirst
    exponentiate(x, lane, rescales: rescales, &p)
    if rescales { p.emit(RowBroadcast<MulRule>(lane.partials, lane.partials, lane.factor)) }
    p.emit(RowSum(lane.partials, work(of: x, lane), start: isFirst))
  }

  private func place(_ tile: Int, _ lane: Lane) -> RowTile {
    let first = tile * plan.tileColumns
    return RowTile(rows: lane.rows, columns: first..<first + kernel.width(tile))
  }

  /// A column tile of x, loaded unless it is on chip.
  private mutating func take(_ tile: Int, _ lane: Lane, _ p: inout ProgramBuilder) -> Tile<UB> {
    lane.x ?? xRing.load(x.tile(place(tile, lane)), &p)
  }

  private func work(of x: Tile<UB>, _ lane: Lane) -> Tile<UB> {
    lane.work.tile(rows: x.rows, columns: x.columns)
  }

  // MARK: Maxima

  /// The maxima over all columns: of x that is on chip, or of all its tiles laid on each other.
  private mutating func takeMaxima(_ lanes: [Lane], _ p: inout ProgramBuilder) {
    if !kernel.isResident {
      for tile in 0..<kernel.columnTiles {
        for lane in lanes {
          let x = take(tile, lane, &p)
          let target = work(of: x, lane)
          if tile == 0 {
            p.emit(Cast(target, x))
          } else {
            p.emit(Elementwise<MaxRule>(target, target, x))
          }
        }
      }
    }
    for lane in lanes {
      let all = lane.x ?? lane.work.tile(as: place(0, lane))
      takeMaximum(of: all, isWork: !kernel.isResident, to: lane.maximum, lane, &p)
    }
  }

  /// The maxima so far with those of one column tile.
  private func raiseMaximum(
    _ x: Tile<UB>, isFirst: Bool, _ lane: inout Lane, _ p: inout ProgramBuilder
  ) {
    takeMaximum(of: x, isWork: false, to: lane.tileMaximum, lane, &p)
    guard !isFirst else {
      p.emit(WithScalar<MaxRule>(lane.maximum, lane.tileMaximum, Softmax.lowest))
      return
    }
    p.emit(Elementwise<MaxRule>(lane.otherMaximum, lane.maximum, lane.tileMaximum))
    swap(&lane.maximum, &lane.otherMaximum)
  }

  /// Halves on each other in work while that pays, then along the rows. The maximum does not depend on
  /// the order.
  private func takeMaximum(
    of tile: Tile<UB>, isWork: Bool, to target: Tile<UB>, _ lane: Lane, _ p: inout ProgramBuilder
  ) {
    let unit = max(1, kernel.machine[.ub].alignment / 2)
    var (tile, isWork) = (tile, isWork)
    while true {
      // What lies in work is narrowed in place: no column is read and written by one micro-op, so the
      // second part is the narrower one. It starts on the alignment.
      let width = tile.columns
      let start = (isWork ? (width + 1) / 2 + unit - 1 : width / 2) / unit * unit
      let folded = width - start
      let kept = max(start, folded)
      guard start > 0, folded > 0,
        MaximumTuning.foldPays(
          rows: plan.tileRows, width: width, folded: folded, kept: kept, kernel.machine)
      else { break }
      let (first, second) = (tile.columns(0..<folded), tile.columns(start..<width))
      p.emit(Elementwise<MaxRule>(work(of: first, lane), first, second))
      tile = lane.work.tile(rows: tile.rows, columns: kept)
      isWork = true
    }
    p.emit(RowMax(target, tile, start: true))
  }

  // MARK: Exponentials

  /// work = exp(x − m), and with `rescales` the factor exp(m − m') of what was summed before.
  private func exponentiate(
    _ x: Tile<UB>, _ lane: Lane, rescales: Bool = false, _ p: inout ProgramBuilder
  ) {
    let result = work(of: x, lane)
    if rescales { p.emit(Elementwise<SubRule>(lane.factor, lane.otherMaximum, lane.maximum)) }
    p.emit(RowBroadcast<SubRule>(result, x, lane.maximum))
    for tile in (rescales ? [lane.factor] : []) + [result] {
      if kernel.isBase2 {
        p.emit(WithScalar<MulRule>(tile, tile, Softmax.log2e))
        p.emit(Special<Exp2Rule>(tile, tile))
      } else {
        p.emit(Special<ExpRule>(tile, tile))
      }
    }
  }
}
