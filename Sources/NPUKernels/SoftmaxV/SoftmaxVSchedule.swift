import NPUSim

/// Tile sizes and stages of ``SoftmaxV``.
///
/// A *job* is up to `rows` query rows: whole kv groups where they are small, a part of one group
/// where it is large. Its exponentials are made for all rows at once in tiles of `kv` columns; v
/// streams through a deep ring in `l1`, one tile for each group and kv tile.
public struct SoftmaxVSchedule: Schedule {
  /// Query rows of a job.
  public var tileRows: Int
  /// Columns of a score tile and rows of a v tile; a multiple of 32 and of the lanes.
  public var tileKV: Int
  /// Columns of v that one matmul takes.
  public var tileColumns: Int
  /// Slots of the v ring in `l1`.
  public var vStages: Int
  /// Slots of the score ring in `ub`.
  public var scoreStages: Int
  /// Slots of every other ring.
  public var stages: Int

  /// Parts in which the rows of a job leave the accumulators.
  public var drainParts: Int
  public var queueOrder = QueueOrder.found

  /// The groups of each part: halves that shrink towards the end, so that little is left to do after
  /// the last matmul.
  func parts(groups: Int) -> [Range<Int>] {
    var left = 0..<groups
    var result: [Range<Int>] = []
    while !left.isEmpty {
      let isLast = result.count == drainParts - 1
      let part = left.prefix(isLast ? left.count : (left.count + 1) / 2)
      result.append(part)
      left = part.upperBound..<groups
    }
    return result
  }

  /// Rows of the largest part of a job of `rows` rows.
  func partRows(rows: Int, perGroup: Int) -> Int {
    if rows <= perGroup { return rows }
    return (parts(groups: rows / perGroup).map(\.count).max() ?? 1) * perGroup
  }

  static let parameters: [ScheduleParameter<SoftmaxVSchedule>] = [
    .init("tile.rows", \.tileRows, .extent, "query rows of a job", standard: "fastest"),
    .init(
      "tile.kv", \.tileKV, .blocks(of: 32), "columns of a score tile and rows of a v tile",
      standard: "fastest"),
    .init(
      "tile.columns", \.tileColumns, .extent, "columns of v that one matmul takes",
      standard: "fastest"),
    .init(
      "stages.v", \.vStages, .slots, "slots of the v ring in l1",
      standard: "fastest"),
    .init(
      "stages.scores", \.scoreStages, .slots, "slots of the score ring in ub",
      standard: "fastest"),
    .init(
      "stages", \.stages, .slots, "slots of every other ring", standard: "fastest"),
    .init(
      "drain.parts", \.drainParts, .range(1...ScheduleField.Values.mostSlots),
      "parts in which the rows of a job leave the accumulators",
      standard: "fastest"),
  ]

  static func smallest(_ shape: SoftmaxVProblem) -> SoftmaxVSchedule {
    SoftmaxVSchedule(
      tileRows: 1, tileKV: shape.unit, tileColumns: shape.alignedColumns(1), vStages: 1,
      scoreStages: 1, stages: 1, drainParts: 1)
  }

  /// The largest tiles and deepest rings that fit, then what would be chosen with fewer slots or with
  /// tiles of another width.
  static func candidates(
    for shape: SoftmaxVProblem, given: ScheduleText.Given
  ) -> [SoftmaxVSchedule] {
    var plans: [SoftmaxVSchedule] = []
    for width in [128, 64, 256] {
      for slots in [8, 4, 2] {
        if let plan = deepest(shape, width: width, slots: slots), !plans.contains(plan) {
          plans.append(plan)
        }
      }
    }
    return plans
  }

  /// 30 for each score tile of a job.
  func microOps(_ shape: SoftmaxVProblem) -> Double {
    30 * (Double(shape.rows * shape.groups) / Double(tileRows) + 1)
      * (Double(shape.kv) / Double(tileKV) + 1)
  }

  /// The largest tiles of at most `width` columns, and the deepest rings of so many slots.
  private static func deepest(
    _ shape: SoftmaxVProblem, width: Int, slots: Int
  ) -> SoftmaxVSchedule? {
    guard
      var plan = largest(shape, width: width, slots: slots, vStages: 2)
        ?? largest(shape, width: width, slots: slots, vStages: 1)
    else { return nil }
    // v is what streams: give it the deepest ring that l1 allows.
    while plan.vStages < slots {
      plan.vStages += 1
      if !plan.fits(shape) {
        plan.vStages -= 1
        break
      }
    }
    if plan.stages > 1 {
      plan.scoreStages = 3
      if !plan.fits(shape) { plan.scoreStages = 2 }
    }
    return plan
  }

  /// The largest tiles and deepest other rings that fit beside `vStages` slots of v.
  private static func largest(
    _ shape: SoftmaxVProblem, width: Int, slots: Int, vStages: Int
  ) -> SoftmaxVSchedule? {
    let unit = shape.unit
    var tile = max(unit, min(width / unit * unit, (shape.kv + unit - 1) / unit * unit))
    while tile >= unit {
      for stages in [2, 1] {
        var rowTile = min(128, shape.rows * shape.groups)
        while rowTile >= 1 {
          var columns = shape.alignedColumns(shape.headDim)
          while true {
            let candidate = SoftmaxVSchedule(
              tileRows: rowTile, tileKV: tile, tileColumns: columns, vStages: vStages,
              scoreStages: stages, stages: stages, drainParts: max(1, min(4, slots / stages)))
            if candidate.fits(shape) { return candidate }
            // One unit, or a whole row that is no wider, does not get narrower.
            let narrower = shape.alignedColumns(columns / 2)
            if narrower >= columns { break }
            columns = narrower
          }
          rowTile /= 2
        }
      }
      tile -= unit
    }
    return nil
  }

  func settle(_ shape: SoftmaxVProblem) throws(NPUError) {
    guard tileKV % shape.unit == 0 else {
      throw NPUError(
        .usage, "tile.kv needs a multiple of \(shape.unit) (blocks and lanes), found \(tileKV)")
    }
    guard tileColumns == shape.alignedColumns(tileColumns) || tileColumns >= shape.headDim else {
      throw NPUError(
        .usage, "tile.columns needs a multiple of \(shape.columnUnit), found \(tileColumns)")
    }
  }

  func buffers(_ shape: SoftmaxVProblem) -> BufferPlan {
    let height = min(tileRows, shape.rows * shape.groups)
    let width = min(tileKV, shape.kv)
    let parts = partRows(rows: height, perGroup: shape.rows)
    let drained = shape.machine.matrix.accumulator.format
    func ring(
      _ name: String, _ space: Space, _ format: ElementFormat, slots: Int? = nil,
      rows: Int? = nil, columns: Int, axis: BlockAxis = .alongColumns
    ) -> PlannedBuffer {
      PlannedBuffer(
        name, space, format, slots: slots ?? stages, rows: rows ?? height,
        columns: columns, axis: axis)
    }
    return BufferPlan([
      ring(
        "v", .l1, .mxint8, slots: vStages, rows: width, columns: shape.headDim, axis: .alongRows),
      ring("p", .l1, .mxint8, columns: width), ring("left", .left, .mxint8, columns: width),
      ring(
        "right", .right, .mxint8, rows: width, columns: min(tileColumns, shape.headDim),
        axis: .alongRows), ring("acc", .acc, drained, columns: shape.headDim),
      ring("scores", .ub, .bf16, slots: scoreStages, columns: width),
      ring("exp", .ub, .bf16, columns: width), ring("exp_mx", .ub, .mxint8, columns: width),
      ring("partials", .ub, .f32, columns: min(shape.machine.vector.lanes, shape.kv)),
      ring("inv", .ub, .bf16, columns: 1), ring("sum", .ub, .bf16, columns: 1),
      ring("max", .ub, .bf16, columns: 1),
      ring("scaled_v", .ub, .bf16, rows: parts, columns: shape.headDim),
      ring("out", .ub, .bf16, rows: parts, columns: shape.headDim),
    ])
  }

  private init(
    tileRows: Int, tileKV: Int, tileColumns: Int, vStages: Int, scoreStages: Int, stages: Int,
    drainParts: Int
  ) {
    self.tileRows = tileRows
    self.tileKV = tileKV
    self.tileColumns = tileColumns
    self.vStages = vStages
    self.scoreStages = scoreStages
    self.stages = stages
    self.drainParts = drainParts
  }
}

/// What a schedule of ``SoftmaxV`` is chosen for.
struct SoftmaxVProblem: ScheduleProblem, Sendable {
  /// Query rows of a group.
  let rows: Int
  let groups: Int
  let kv: Int
  let headDim: Int
  let machine: MachineConfiguration

  var kernel: String { SoftmaxV.name }
  var remedy: String { "use a smaller --head-dim or a machine with larger memories" }

  /// What a score tile is a multiple of: whole blocks and whole groups of lanes.
  var unit: Int { max(32, machine.vector.lanes) }

  /// Columns at which a tile of v, `acc` or `ub` may start.
  var columnUnit: Int {
    let alignment = [Space.l1, .right, .acc, .ub].map { machine[$0].alignment }.max() ?? 32
    return max(32, alignment)
  }

  /// `columns` rounded down to whole units, but at least one; whole rows stay whole.
  func alignedColumns(_ columns: Int) -> Int {
    columns >= headDim
      ? headDim : min(headDim, max(columnUnit, columns / columnUnit * columnUnit))
  }
}
