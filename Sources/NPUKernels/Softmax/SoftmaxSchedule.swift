import NPUSim

/// Tile sizes and stages of ``Softmax``.
///
/// A row tile is some rows over the whole length, worked on in column tiles. `tiles` row tiles are in
/// flight at once, so that one has work while the results of the other become visible.
public struct SoftmaxSchedule: Schedule {
  /// Rows of a row tile.
  public var tileRows: Int
  /// Columns of a column tile: the whole row where that stays on chip.
  public var tileColumns: Int
  /// Slots of the ring of x tiles, which also hold the results until they are stored.
  public var stages: Int
  /// Row tiles in flight.
  public var tiles: Int
  public var queueOrder = QueueOrder.found

  static let parameters: [ScheduleParameter<SoftmaxSchedule>] = [
    .init("tile.rows", \.tileRows, .extent, "rows of a row tile", standard: "as many as fit"),
    .init(
      "tile.cols", \.tileColumns, .extent, "columns of a column tile",
      standard: "the whole row, or as many as fit", affectsValues: true),
    .init(
      "stages", \.stages, .slots, "slots of the ring of x tiles",
      standard: "as many as fit, up to 4"),
    .init(
      "tiles", \.tiles, .range(1...ScheduleField.Values.mostSlots), "row tiles in flight",
      standard: "2 where they fit"),
  ]

  static func smallest(_ problem: SoftmaxProblem) -> SoftmaxSchedule {
    SoftmaxSchedule(
      tileRows: 1, tileColumns: min(problem.columns, problem.columnUnit), stages: 1, tiles: 1)
  }

  /// Whole rows where one fits, else the widest column tiles.
  static func candidates(
    for problem: SoftmaxProblem, given: ScheduleText.Given
  ) -> [SoftmaxSchedule] {
    (problem.resident() ?? problem.streaming()).map { [$0] } ?? []
  }

  mutating func settle(_ problem: SoftmaxProblem) throws(NPUError) {
    tileRows = min(tileRows, problem.rows)
    tileColumns = min(tileColumns, problem.columns)
    guard tileColumns == problem.columns || tileColumns % problem.columnUnit == 0 else {
      throw NPUError(
        .usage,
        "tile.cols needs a multiple of \(problem.columnUnit) (lanes and alignment) or the whole "
          + "row, found \(tileColumns)")
    }
    guard stages >= tiles else {
      throw NPUError(
        .usage, "stages needs at least as many as tiles, found \(stages) for \(tiles)",
        hint: "each row tile in flight holds a slot")
    }
  }

  func buffers(_ problem: SoftmaxProblem) -> BufferPlan {
    let height = tileRows
    let width = min(tileColumns, problem.columns)
    let lanes = min(problem.machine.vector.lanes, width)
    return BufferPlan([
      PlannedBuffer(
        "x_tiles", .ub, .bf16, slots: stages, rows: height, columns: width),
      PlannedBuffer("work", .ub, .f32, slots: tiles, rows: height, columns: width),
      PlannedBuffer("partials", .ub, .f32, slots: tiles, rows: height, columns: lanes),
      PlannedBuffer(
        "columns", .ub, .f32, slots: tiles * SoftmaxProblem.columnTiles, rows: height, columns: 1),
    ])
  }

  init(tileRows: Int, tileColumns: Int, stages: Int, tiles: Int) {
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.stages = stages
    self.tiles = tiles
  }
}

/// What a schedule of ``Softmax`` is chosen for, and the schedules that fit.
struct SoftmaxProblem: ScheduleProblem, Sendable {
  let rows: Int
  let columns: Int
  let machine: MachineConfiguration

  var kernel: String { Softmax.name }
  var remedy: String { "use a machine with a larger ub or fewer lanes" }

  /// FP32 columns of one value a row that each row tile in flight has.
  static let columnTiles = 5

  /// Depths from the best to the least that is worth having.
  private static let depths: [(stages: Int, tiles: Int)] = [
    (4, 2), (3, 2), (2, 2), (2, 1), (1, 1),
  ]

  /// Column tiles start on whole lanes, on the alignment and, with that, on few bursts.
  var columnUnit: Int {
    Swift.max(machine.vector.lanes, Swift.max(1, machine[.ub].alignment / 2))
  }

  /// Elements of a tile: long enough to hide the time to the next micro-op, short enough that little
  /// is left to do at either end.
  private var target: Int { 128 * machine.vector.lanes }

  /// Rows of the core that has the most.
  private var rowsPerCore: Int { (rows + machine.cores - 1) / machine.cores }

  /// The largest tiles of whole rows; `nil` where no row fits with its successor.
  func resident() -> SoftmaxSchedule? {
    for depth in Self.depths where depth.stages > 1 {
      let tiles = min(depth.tiles, rowsPerCore)
      var height = Swift.max(
        1, min(target / columns, (rowsPerCore + tiles - 1) / tiles))
      while height >= 1 {
        let plan = SoftmaxSchedule(
          tileRows: height, tileColumns: columns, stages: depth.stages, tiles: tiles)
        if plan.fits(self) { return plan }
        height /= 2
      }
    }
    return nil
  }

  /// The widest column tiles of one row each; `nil` where none fits.
  func streaming() -> SoftmaxSchedule? {
    for depth in Self.depths {
      let tiles = min(depth.tiles, rowsPerCore)
      // A row on its own has nothing beside it: wider tiles make up for it.
      var units = Swift.max(1, target * (tiles > 1 ? 1 : 2) / columnUnit)
      while units >= 1 {
        let plan = SoftmaxSchedule(
          tileRows: 1, tileColumns: min(units * columnUnit, columns), stages: depth.stages,
          tiles: tiles)
        if plan.fits(self) { return plan }
        units = units > 8 ? units * 7 / 8 : units - 1
      }
    }
    return nil
  }
}
