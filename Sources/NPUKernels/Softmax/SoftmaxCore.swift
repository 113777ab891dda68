import NPUSim

/// Emits the row tiles of one core, as many in flight as the schedule says: each phase for one after
/// the other, so that a result becomes visible while the vector unit works on the other's.
struct SoftmaxCore {
  private let kernel: Softmax
  private let plan: SoftmaxSchedule
  private let x: BufferHandle<HBM>
  private let out: BufferHandle<HBM>
  /// Tiles of x, overwritten by the result.
  private var ring: Ring<UB>
  /// Maxima, differences, exponentials: one slot for each row tile in flight.
  private let work: BufferHandle<UB>
  private let partials: BufferHandle<UB>
  /// `SoftmaxProblem.columnTiles` slots for each row tile in flight.
  private let columns: BufferHandle<UB>

  /// The tiles of x in the order of their use.
  private var visits: [Visit] = []
  private var loads: [Tile<UB>] = []
  private var fetched = 0
  /// Tiles of x that the program is done with.
  private var released = 0

  private struct Visit {
    var rows: Range<Int>
    var tile: Int
  }

  /// A row tile in flight.
  private struct Lane {
    let index: Int
    let rows: Range<Int>
    /// Column tile in hand, and its visit.
    var tile = 0
    var visit = 0
    /// Which of the two maxima is the present one.
    var parity = 0

    init(index: Int, rows: Range<Int>) {
      self.index = index
      self.rows = rows
    }
  }

  /// The columns of one value a row.
  private enum Column: Int {
    case maximum, otherMaximum, tileMaximum, factor, inverse
  }

  init(
    _ kernel: Softmax, x: BufferHandle<HBM>, out: BufferHandle<HBM>, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.kernel = kernel
    self.x = x
    self.out = out
    plan = kernel.plan
    let memory = try p.allocate(kernel.buffers)
    ring = try memory.ring("x_tiles", in: UB.self)
    work = try memory.buffer("work", in: UB.self)
    partials = try memory.buffer("partials", in: UB.self)
    columns = try memory.buffer("columns", in: UB.self)
  }

  mutating func emit(rows: Range<Int>, _ p: inout ProgramBuilder) {
    let starts = Array(stride(from: rows.lowerBound, to: rows.upperBound, by: plan.tileRows))
    let tiles = starts.map { $0..<min($0 + plan.tileRows, rows.upperBound) }
    let phases = kernel.phases
    let waves = stride(from: 0, to: tiles.count, by: plan.tiles).map {
      Array(tiles[$0..<min($0 + plan.tiles, tiles.count)])
    }
    for wave in waves {
      for case .fetch(let tile) in phases {
        visits += wave.map { Visit(rows: $0, tile: tile) }
      }
    }
    for (number, wave) in waves.enumerated() {
      p.pushScope("rows", iteration: number)
      var lanes = wave.enumerated().map { Lane(index: $0.offset, rows: $0.element) }
      for phase in phases {
        for index in lanes.indices { emit(phase, &lanes[index], &p) }
      }
      p.popScope()
    }
  }

  // MARK: Tiles

  private func width(_ lane: Lane) -> Int { kernel.width(lane.tile) }

  private func workTile(_ lane: Lane, column: Int = 0, width: Int? = nil) -> Tile<UB> {
    work.tile(
      slot: lane.index, column: column, rows: lane.rows.count, columns: width ?? self.width(lane))
  }

  private func partialTile(_ lane: Lane) -> Tile<UB> {
    partials.tile(slot: lane.index, rows: lane.rows.count)
  }

  private func column(_ column: Column, _ lane: Lane) -> Tile<UB> {
    columns.tile(
      slot: lane.index * SoftmaxProblem.columnTiles + column.rawValue, rows: lane.rows.count)
  }

  private func maximum(_ lane: Lane) -> Tile<UB> {
    column(lane.parity == 0 ? .maximum : .otherMaximum, lane)
  }

  private func otherMaximum(_ lane: Lane) -> Tile<UB> {
    column(lane.parity == 0 ? .otherMaximum : .maximum, lane)
  }

  // MARK: Loads

  /// Loads as far ahead as there are slots that the program is done with.
  private mutating func loadAhead(_ p: inout ProgramBuilder) {
    while loads.count < min(visits.count, released + plan.stages) {
      let visit = visits[loads.count]
      let tile = ring.next().tile(rows: visit.rows.count, columns: kernel.width(visit.tile))
      p.emit(
        LoadUB(
          tile,
          from: x.tile(
            row: visit.rows.lowerBound, column: visit.tile * plan.tileColumns, rows: tile.rows,
            columns: tile.columns)))
      loads.append(tile)
    }
  }

  private mutating func release(_ p: inout ProgramBuilder) {
    released += 1
    loadAhead(&p)
  }

  // MARK: Phases

  private mutating func emit(_ phase: SoftmaxPhase, _ lane: inout Lane, _ p: inout ProgramBuilder) {
    if case .fetch(let tile) = phase {
      loadAhead(&p)
      lane.tile = tile
      lane.visit = fetched
      fetched += 1
      return
    }
    let x = loads[lane.visit]
    switch phase {
    case .fetch: break
    case .collect(let isFirst):
      let target = workTile(lane)
      if isFirst {
        p.emit(Cast(target, x))
      } else {
        p.emit(Elementwise<MaxRule>(target, target, x))
      }
      release(&p)
    case .fold(let source, let start, let width):
      p.emit(
        Elementwise<MaxRule>(
          workTile(lane, width: width), self.source(source, lane, column: 0, width: width),
          self.source(source, lane, column: start, width: width)))
    case .rowMaximum(let source, let width):
      let target = kernel.isOnline ? column(.tileMaximum, lane) : maximum(lane)
      p.emit(RowMax(target, self.source(source, lane, column: 0, width: width), start: true))
    case .floor:
      p.emit(WithScalar<MaxRule>(maximum(lane), column(.tileMaximum, lane), Softmax.lowest))
    case .renew:
      p.emit(
        Elementwise<MaxRule>(otherMaximum(lane), maximum(lane), column(.tileMaximum, lane)))
      lane.parity = 1 - lane.parity
    case .difference(let shift):
      if shift.rescales {
        p.emit(
          Elementwise<SubRule>(column(.factor, lane), otherMaximum(lane), maximum(lane)))
      }
      p.emit(RowBroadcast<SubRule>(workTile(lane), x, maximum(lane)))
      if !shift.keepsX { release(&p) }
    case .toBase2(let shift):
      for tile in shifted(shift, lane) { p.emit(WithScalar<MulRule>(tile, tile, Softmax.log2e)) }
    case .exponential(let shift):
      for tile in shifted(shift, lane) {
        if kernel.isBase2 {
          p.emit(Special<Exp2Rule>(tile, tile))
        } else {
          p.emit(Special<ExpRule>(tile, tile))
        }
      }
    case .rescale, .sum, .finish, .invert: reduce(phase, lane, &p)
    case .scale:
      p.emit(RowBroadcast<MulRule>(x, workTile(lane), column(.inverse, lane)))
      p.emit(
        StoreHBM(
          out.tile(
            row: lane.rows.lowerBound, column: lane.tile * plan.tileColumns, rows: x.rows,
            columns: x.columns), from: x))
      release(&p)
    }
  }

  /// Row sums from lane partials.
  private func reduce(_ phase: SoftmaxPhase, _ lane: Lane, _ p: inout ProgramBuilder) {
    let partials = partialTile(lane)
    let inverse = column(.inverse, lane)
    switch phase {
    case .rescale:
      p.emit(RowBroadcast<MulRule>(partials, partials, column(.factor, lane)))
    case .sum(let isFirst):
      p.emit(RowSum(partials, workTile(lane), start: isFirst))
    case .finish: p.emit(RowFinish(inverse, partials))
    case .invert: p.emit(Special<ReciprocalRule>(inverse, inverse))
    default: break
    }
  }

  private func source(
    _ source: SoftmaxPhase.Source, _ lane: Lane, column: Int, width: Int
  ) -> Tile<UB> {
    switch source {
    case .x: loads[lane.visit].columns(column..<column + width)
    case .work: workTile(lane, column: column, width: width)
    }
  }

  /// The factor where it takes part, then the differences.
  private func shifted(_ shift: SoftmaxPhase.Shift, _ lane: Lane) -> [Tile<UB>] {
    (shift.rescales ? [column(.factor, lane)] : []) + [workTile(lane)]
  }
}
