import NPUSim

/// Tile sizes and stages of a kernel that streams a matrix through `ub`, tile by tile.
public struct RowSchedule: Sendable, Hashable {
  /// Rows of a tile.
  public var tileRows: Int
  /// Columns of a tile.
  public var tileColumns: Int
  /// Slots of the rings between the queues: tiles that are loaded, worked on and stored at a time.
  public var stages: Int

  /// Names and values, for reports and `--schedule`.
  public var fields: ScheduleFields {
    ScheduleFields([
      .extent("tile.rows", tileRows), .extent("tile.columns", tileColumns),
      .slots("stages", stages),
    ])
  }

  /// What a schedule is chosen for.
  struct Problem {
    var kernel: String
    var rows: Int
    var columns: Int
    /// What columns of a tile that does not hold whole rows are a multiple of.
    var columnUnit = 1
    /// Whether a tile should hold whole rows even where that makes it large.
    var prefersWholeRows = false
    /// What the tiles in flight need in `ub`.
    var footprint: RowFootprint
    /// Event IDs that tiles of so many columns in so many stages take between a pair of queues.
    var events: (_ tileColumns: Int, _ stages: Int) -> Int = { $1 }
    /// Elements of a tile for each lane that are aimed at: a pass over a tile is then long against
    /// what starting it costs.
    var elementsPerLane = 128
  }

  private init(tileRows: Int, tileColumns: Int, stages: Int) {
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.stages = stages
  }

  /// Tiles that amortise what a micro-op costs by itself, in as many stages as fit, at most three; or
  /// the fields of `text` checked.
  ///
  /// Throws `.usage` for fields that make no sense and `.program` where nothing fits.
  init(_ problem: Problem, overriding text: String?) throws(NPUError) {
    guard let plan = Self.chosen(problem) else {
      let unit = min(problem.columnUnit, problem.columns)
      throw NPUError(
        .program,
        "\(problem.kernel) does not fit \(problem.footprint.machine.name): "
          + (problem.footprint.overflow(tileRows: 1, tileColumns: unit, stages: 1)
            ?? "no tile is small enough"),
        hint: "use a machine with a larger ub")
    }
    self = plan
    guard let text else { return }
    let wanted = try plan.fields.applying(text)
    tileRows = wanted["tile.rows"]
    tileColumns = wanted["tile.columns"]
    stages = wanted["stages"]
    try check(problem, standard: plan)
  }

  /// The largest tiles up to the size that is aimed at, the deepest rings that go with them; nothing
  /// overlaps in one stage, so that comes last.
  private static func chosen(_ problem: Problem) -> RowSchedule? {
    for stages in [[3, 2], [1]] {
      if let plan = chosen(problem, stages: stages) { return plan }
    }
    return nil
  }

  private static func chosen(_ problem: Problem, stages choices: [Int]) -> RowSchedule? {
    let machine = problem.footprint.machine
    let unit = problem.columnUnit
    let target = max(1, problem.elementsPerLane * machine.vector.lanes)
    let share = (problem.rows - 1) / max(1, machine.cores) + 1
    let wholeRows = problem.prefersWholeRows || problem.columns <= target
    var columns = wholeRows ? problem.columns : roundedUp(target, to: unit)
    while true {
      var rows = max(1, min(share, target / columns))
      while true {
        for stages in choices {
          let plan = RowSchedule(tileRows: rows, tileColumns: columns, stages: stages)
          if plan.overflow(problem) == nil { return plan }
        }
        if rows == 1 { break }
        rows = (rows + 1) / 2
      }
      if columns <= unit { return nil }
      columns = roundedUp((columns + 1) / 2, to: unit, below: columns)
    }
  }

  private static func roundedUp(_ value: Int, to unit: Int, below limit: Int = .max) -> Int {
    let up = (value + unit - 1) / unit * unit
    return up < limit ? up : max(unit, up - unit)
  }

  /// What does not fit, or `nil`.
  private func overflow(_ problem: Problem) -> String? {
    let events = problem.events(tileColumns, stages)
    if let limit = problem.footprint.machine.eventsPerPair, events > limit {
      return "stages needs \(events) event IDs, the machine has \(limit) for a pair of queues"
    }
    return problem.footprint.overflow(
      tileRows: min(tileRows, problem.rows), tileColumns: min(tileColumns, problem.columns),
      stages: stages)
  }

  private func check(_ problem: Problem, standard: RowSchedule) throws(NPUError) {
    guard tileColumns >= problem.columns || tileColumns % problem.columnUnit == 0 else {
      throw NPUError(
        .usage,
        "tile.columns needs a multiple of \(problem.columnUnit), or the whole row of "
          + "\(problem.columns), found \(tileColumns)")
    }
    if let wrong = overflow(problem) {
      throw NPUError(
        .program, "this schedule does not fit \(problem.footprint.machine.name): \(wrong)",
        hint: "the schedule chosen by itself is \(standard.fields.text)")
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
