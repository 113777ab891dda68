import NPUSim

/// Tile sizes and stages of ``Softmax``.
///
/// A row tile is some rows over the whole length, worked on in column tiles. `tiles` row tiles are in
/// flight at once, so that one has work while the results of the other become visible.
public struct SoftmaxSchedule: Sendable, Hashable {
  /// Rows of a row tile.
  public var tileRows: Int
  /// Columns of a column tile: the whole row where that stays on chip.
  public var tileColumns: Int
  /// Slots of the ring of x tiles, which also hold the results until they are stored.
  public var stages: Int
  /// Row tiles in flight.
  public var tiles: Int

  /// Names and values, for reports and `--schedule`.
  public var fields: ScheduleFields {
    ScheduleFields([
      .extent("tile.rows", tileRows), .extent("tile.cols", tileColumns), .slots("stages", stages),
      .slots("tiles", tiles),
    ])
  }

  /// Whole rows where one fits, else the widest column tiles; or the fields of `overriding`, checked.
  init(rows: Int, columns: Int, machine: MachineConfiguration, overriding text: String?)
    throws(NPUError)
  {
    let shape = SoftmaxFootprint(rows: rows, columns: columns, machine: machine)
    guard let plan = shape.resident() ?? shape.streaming() else {
      let smallest = SoftmaxSchedule(
        tileRows: 1, tileColumns: min(columns, shape.columnUnit), stages: 1, tiles: 1)
      throw NPUError(
        .program,
        "softmax does not fit \(machine.name): "
          + (shape.overflow(smallest) ?? "no tile is small enough"),
        hint: "use a machine with a larger ub or fewer lanes")
    }
    self = plan
    guard let text else { return }
    let chosen = try fields.applying(text)
    tileRows = min(chosen["tile.rows"], rows)
    tileColumns = min(chosen["tile.cols"], columns)
    stages = chosen["stages"]
    tiles = chosen["tiles"]
    guard tileColumns == columns || tileColumns % shape.columnUnit == 0 else {
      throw NPUError(
        .usage,
        "tile.cols needs a multiple of \(shape.columnUnit) (lanes and alignment) or the whole row, "
          + "found \(tileColumns)")
    }
    guard stages >= tiles else {
      throw NPUError(
        .usage, "stages needs at least as many as tiles, found \(stages) for \(tiles)",
        hint: "each row tile in flight holds a slot")
    }
    let limit = machine.eventsPerPair ?? SoftmaxFootprint.mostStages
    guard stages <= limit else {
      throw NPUError(
        .usage, "stages needs at most \(limit), found \(stages)",
        hint: "each slot takes an event ID between load and vector")
    }
    if let wrong = shape.overflow(self) {
      throw NPUError(
        .program, "this schedule does not fit \(machine.name): \(wrong)",
        hint: "the schedule chosen by itself is \(plan.fields.text)")
    }
  }

  init(tileRows: Int, tileColumns: Int, stages: Int, tiles: Int) {
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.stages = stages
    self.tiles = tiles
  }
}

/// The bytes that a schedule of softmax needs in `ub`, and the schedules that fit.
struct SoftmaxFootprint {
  let rows: Int
  let columns: Int
  let machine: MachineConfiguration

  /// FP32 columns of one value a row that each row tile in flight has; see ``SoftmaxLane``.
  static let columnTiles = 5

  /// Stages where the event IDs set no limit.
  static let mostStages = ScheduleField.mostSlots

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
      let stages = min(depth.stages, machine.eventsPerPair ?? depth.stages)
      guard stages >= tiles else { continue }
      var height = Swift.max(
        1, min(target / columns, (rowsPerCore + tiles - 1) / tiles))
      while height >= 1 {
        let plan = SoftmaxSchedule(
          tileRows: height, tileColumns: columns, stages: stages, tiles: tiles)
        if overflow(plan) == nil { return plan }
        height /= 2
      }
    }
    return nil
  }

  /// The widest column tiles of one row each; `nil` where none fits.
  func streaming() -> SoftmaxSchedule? {
    for depth in Self.depths {
      let tiles = min(depth.tiles, rowsPerCore)
      let stages = min(depth.stages, machine.eventsPerPair ?? depth.stages)
      guard stages >= tiles else { continue }
      // A row on its own has nothing beside it: wider tiles make up for it.
      var units = Swift.max(1, target * (tiles > 1 ? 1 : 2) / columnUnit)
      while units >= 1 {
        let plan = SoftmaxSchedule(
          tileRows: 1, tileColumns: min(units * columnUnit, columns), stages: stages, tiles: tiles)
        if overflow(plan) == nil { return plan }
        units = units > 8 ? units * 7 / 8 : units - 1
      }
    }
    return nil
  }

  /// What does not fit, or `nil`.
  func overflow(_ plan: SoftmaxSchedule) -> String? {
    guard let capacity = machine[.ub].bytes else { return nil }
    let alignment = Swift.max(1, machine[.ub].alignment)
    func padded(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }
    let height = plan.tileRows
    let width = min(plan.tileColumns, columns)
    let lane =
      padded(4 * width) + padded(4 * min(machine.vector.lanes, width))
      + Self.columnTiles * padded(4)
    // At most 2^16 stages of rows of at most 2^30 columns: only the last product can overflow.
    let (needed, isTooLarge) = height.multipliedReportingOverflow(
      by: plan.stages * padded(2 * width) + plan.tiles * lane)
    if isTooLarge || needed > capacity {
      let found = isTooLarge ? "more than 2^63" : "\(needed)"
      return "ub holds \(capacity) bytes, needed \(found)"
    }
    return nil
  }
}
