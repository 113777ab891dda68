import NPUSim

/// Tile sizes and stages of a kernel that streams a matrix through `ub`, tile by tile.
public struct RowSchedule: Schedule {
  /// Rows of a tile.
  public var tileRows: Int
  /// Columns of a tile.
  public var tileColumns: Int
  /// Slots of the rings between the queues: tiles that are loaded, worked on and stored at a time.
  public var stages: Int
  public var queueOrder = QueueOrder.found

  static let parameters: [ScheduleParameter<RowSchedule>] = [
    .init("tile.rows", \.tileRows, .extent, "rows of a tile", standard: "a long pass of the lanes"),
    .init(
      "tile.columns", \.tileColumns, .extent, "columns of a tile",
      standard: "a long pass of the lanes"),
    .init(
      "stages", \.stages, .slots, "tiles that are loaded, worked on and stored at a time",
      standard: "as many as fit, up to 3"),
  ]

  /// What a schedule is chosen for.
  struct Problem: ScheduleProblem, Sendable {
    var kernel: String
    var rows: Int
    var columns: Int
    /// What columns of a tile that does not hold whole rows are a multiple of.
    var columnUnit = 1
    /// The same of rows.
    var rowUnit = 1
    /// How many such matrices there are, of which tiles are dealt out to the cores; `nil` where the rows
    /// of one are.
    var copies: Int?
    /// Whether a tile should hold whole rows even where that makes it large.
    var prefersWholeRows = false
    var machine: MachineConfiguration
    /// What a core keeps on chip for tiles of the size of the schedule given.
    var rings: @Sendable (_ largest: RowSchedule) -> BufferPlan
    /// Elements of a tile for each lane that are aimed at: a pass over a tile is then long against
    /// what starting it costs.
    var elementsPerLane = 128

    var remedy: String { "use a machine with a larger ub" }

    /// The rows of a core that has its even share.
    var share: Int {
      let (all, isOver) = rows.multipliedReportingOverflow(by: copies ?? 1)
      return min(rows, isOver ? rows : (all - 1) / max(1, machine.cores) + 1)
    }
  }

  private init(tileRows: Int, tileColumns: Int, stages: Int) {
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.stages = stages
  }

  static func smallest(_ problem: Problem) -> RowSchedule {
    RowSchedule(
      tileRows: problem.rowUnit, tileColumns: min(problem.columnUnit, problem.columns), stages: 1)
  }

  /// The largest tiles up to the size that is aimed at, which amortise what a micro-op costs by itself,
  /// and the deepest rings that go with them; nothing overlaps in one stage, so that comes last. Then
  /// what a half and a quarter of the size would give.
  static func candidates(for problem: Problem, given: ScheduleText.Given) -> [RowSchedule] {
    var plans: [RowSchedule] = []
    for part in [1, 2, 4] {
      var shorter = problem
      shorter.elementsPerLane /= part
      if let plan = chosen(for: shorter), !plans.contains(plan) { plans.append(plan) }
    }
    return plans
  }

  private static func chosen(for problem: Problem) -> RowSchedule? {
    for stages in [[3, 2], [1]] {
      if let plan = chosen(problem, stages: stages) { return plan }
    }
    return nil
  }

  private static func chosen(_ problem: Problem, stages choices: [Int]) -> RowSchedule? {
    let machine = problem.machine
    let unit = problem.columnUnit
    let target = max(1, problem.elementsPerLane * machine.vector.lanes)
    let share = problem.share
    let wholeRows = problem.prefersWholeRows || problem.columns <= target
    var columns = wholeRows ? problem.columns : roundedUp(target, to: unit)
    while true {
      var rows = roundedUp(max(1, min(share, target / columns)), to: problem.rowUnit)
      while true {
        for stages in choices {
          let plan = RowSchedule(tileRows: rows, tileColumns: columns, stages: stages)
          if plan.fits(problem) { return plan }
        }
        if rows <= problem.rowUnit { break }
        rows = roundedUp((rows + 1) / 2, to: problem.rowUnit, below: rows)
      }
      if columns <= unit { return nil }
      columns = roundedUp((columns + 1) / 2, to: unit, below: columns)
    }
  }

  private static func roundedUp(_ value: Int, to unit: Int, below limit: Int = .max) -> Int {
    let up = (value + unit - 1) / unit * unit
    return up < limit ? up : max(unit, up - unit)
  }

  /// What a core keeps for tiles as large as those of the core with the most rows.
  func buffers(_ problem: Problem) -> BufferPlan {
    problem.rings(
      RowSchedule(
        tileRows: Self.roundedUp(
          min(tileRows, problem.copies == nil ? problem.share : problem.rows),
          to: problem.rowUnit),
        tileColumns: min(tileColumns, problem.columns), stages: stages))
  }

  /// 16 for each tile.
  func microOps(_ problem: Problem) -> Double {
    16 * Double(problem.copies ?? 1) * (Double(problem.rows) / Double(tileRows) + 1)
      * (Double(problem.columns) / Double(tileColumns) + 1)
  }

  func settle(_ problem: Problem) throws(NPUError) {
    guard tileRows >= problem.rows || tileRows % problem.rowUnit == 0 else {
      throw NPUError(
        .usage,
        "tile.rows needs a multiple of \(problem.rowUnit), or all \(problem.rows) rows, found "
          + "\(tileRows)")
    }
    guard tileColumns >= problem.columns || tileColumns % problem.columnUnit == 0 else {
      throw NPUError(
        .usage,
        "tile.columns needs a multiple of \(problem.columnUnit), or the whole row of "
          + "\(problem.columns), found \(tileColumns)")
    }
  }

  // MARK: Tiles of a core

  /// The tiles of a core: rows in contiguous ranges, or, where there are fewer rows than cores, (row,
  /// column tile) pairs.
  func tiles(rows: Int, columns: Int, core: Int, of cores: Int) -> [RowTile] {
    if rows >= cores {
      return RowTile.cut(
        rows: WorkSplit.range(rows, core: core, of: cores), columns: 0..<columns,
        tileRows: tileRows, tileColumns: tileColumns)
    }
    let all = RowTile.cut(
      rows: 0..<rows, columns: 0..<columns, tileRows: 1, tileColumns: tileColumns)
    return Array(all[WorkSplit.range(all.count, core: core, of: cores)])
  }

  /// The row tiles of a core where a row stays on one core, each cut into its column tiles.
  func rowTiles(rows: Int, columns: Int, core: Int, of cores: Int) -> [[RowTile]] {
    RowTile.pieces(WorkSplit.range(rows, core: core, of: cores), tileRows).map { part in
      RowTile.pieces(0..<columns, tileColumns).map { RowTile(rows: part, columns: $0) }
    }
  }
}
