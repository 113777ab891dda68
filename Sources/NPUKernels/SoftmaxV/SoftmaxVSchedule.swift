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

  /// Parts in which the rows of a job leave the accumulators; bounded by the event IDs between the
  /// matrix unit and the drain.
  public var drainParts: Int

  /// Groups of each part: halves that shrink towards the end, so that little is left to do after
  /// the last matmul.
  func chunks(groups: Int) -> [Int] {
    var left = groups
    var result: [Int] = []
    while left > 0 {
      let isLast = result.count == drainParts - 1
      let count = isLast ? left : (left + 1) / 2
      result.append(count)
      left -= count
    }
    return result
  }

  /// Rows of the largest part of a job of `rows` rows.
  func chunkRows(rows: Int, perGroup: Int) -> Int {
    if rows <= perGroup { return rows }
    return (chunks(groups: rows / perGroup).max() ?? 1) * perGroup
  }

  static let parameters: [ScheduleParameter<SoftmaxVSchedule>] = [
    .init("tile.rows", \.tileRows, .extent, "query rows of a job", standard: "as many as fit"),
    .init(
      "tile.kv", \.tileKV, .blocks(of: 32), "columns of a score tile and rows of a v tile",
      standard: "as many as fit"),
    .init(
      "tile.columns", \.tileColumns, .extent, "columns of v that one matmul takes",
      standard: "all, or as many as fit"),
    .init(
      "stages.v", \.vStages, .slots, "slots of the v ring in l1",
      standard: "as many as fit, up to 8"),
    .init(
      "stages.scores", \.scoreStages, .slots, "slots of the score ring in ub",
      standard: "as many as fit, up to 3"),
    .init(
      "stages", \.stages, .slots, "slots of every other ring", standard: "as many as fit, up to 2"),
    .init(
      "drain.parts", \.drainParts, .range(1...ScheduleField.Values.mostSlots),
      "parts in which the rows of a job leave the accumulators",
      standard: "as many as events allow, up to 4"),
  ]

  static func smallest(_ shape: SoftmaxVFootprint) -> SoftmaxVSchedule {
    SoftmaxVSchedule(
      tileRows: 1, tileKV: shape.unit, tileColumns: shape.alignedColumns(1), vStages: 2,
      scoreStages: 1, stages: 1, drainParts: 1)
  }

  /// The largest tiles and deepest rings that fit.
  static func chosen(
    for shape: SoftmaxVFootprint, given: ScheduleText.Given
  ) -> SoftmaxVSchedule? {
    guard var plan = largest(shape) else { return nil }
    // v is what streams: give it the deepest ring that the event IDs and l1 allow.
    let limit = min(shape.machine.eventsPerPair ?? 8, 8)
    while plan.vStages < limit {
      plan.vStages += 1
      if shape.overflow(plan) != nil {
        plan.vStages -= 1
        break
      }
    }
    if plan.stages > 1 {
      plan.scoreStages = 3
      if shape.overflow(plan) != nil { plan.scoreStages = 2 }
    }
    return plan
  }

  private static func largest(_ shape: SoftmaxVFootprint) -> SoftmaxVSchedule? {
    let unit = shape.unit
    var tile = max(unit, min(128 / unit * unit, (shape.kv + unit - 1) / unit * unit))
    while tile >= unit {
      for stages in [2, 1] {
        var rowTile = min(128, shape.rows * shape.groups)
        while rowTile >= 1 {
          var columns = shape.alignedColumns(shape.headDim)
          while true {
            let candidate = SoftmaxVSchedule(
              tileRows: rowTile, tileKV: tile, tileColumns: columns, vStages: max(2, stages),
              scoreStages: stages, stages: stages,
              drainParts: max(1, min(4, (shape.machine.eventsPerPair ?? 8) / stages)))
            if shape.overflow(candidate) == nil { return candidate }
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

  func settle(_ shape: SoftmaxVFootprint) throws(NPUError) {
    guard tileKV % shape.unit == 0 else {
      throw NPUError(
        .usage, "tile.kv needs a multiple of \(shape.unit) (blocks and lanes), found \(tileKV)")
    }
    guard tileColumns == shape.alignedColumns(tileColumns) || tileColumns >= shape.headDim else {
      throw NPUError(
        .usage, "tile.columns needs a multiple of \(shape.columnUnit), found \(tileColumns)")
    }
  }

  func overflow(_ shape: SoftmaxVFootprint) -> String? { shape.overflow(self) }

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

/// The bytes that a schedule of softmax_v needs in each memory.
struct SoftmaxVFootprint: ScheduleProblem {
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

  /// What does not fit, or `nil`.
  func overflow(_ plan: SoftmaxVSchedule) -> String? {
    let tileRows = min(plan.tileRows, rows * groups)
    let kvBlocks = (min(plan.tileKV, kv) + 31) / 32 * 32
    let scoreColumns = min(plan.tileKV, kv)
    let accBytes = machine.matrix.accumulator == .bf16 ? 2 : 4
    let lanes = machine.vector.lanes
    let ub = machine[.ub].alignment
    func padded(_ bytes: Int, _ space: Space) -> Int {
      let unit = max(1, machine[space].alignment)
      return (bytes + unit - 1) / unit * unit
    }
    let encoded = tileRows * padded(kvBlocks, .ub)
    // Scales in ub are bytes of the buffer, placed on the alignment.
    let encodedScales = (tileRows * (kvBlocks / 32) * plan.stages + ub) / max(1, ub) * max(1, ub)
    let column = tileRows * padded(4, .ub)
    let needs: [(Space, Int)] = [
      (
        .l1,
        plan.vStages * kvBlocks * padded(headDim, .l1) + plan.stages * tileRows
          * padded(kvBlocks, .l1)
      ),
      (.left, plan.stages * tileRows * padded(kvBlocks, .left)),
      (.right, plan.stages * kvBlocks * padded(plan.tileColumns, .right)),
      (.acc, plan.stages * tileRows * padded(headDim * accBytes, .acc)),
      (
        .ub,
        (plan.scoreStages + plan.stages) * tileRows * padded(scoreColumns * 2, .ub)
          + plan.stages * encoded + encodedScales
          + plan.stages * (tileRows * padded(min(lanes, kv) * 4, .ub) + 3 * column)
          + 2 * plan.stages * plan.chunkRows(rows: tileRows, perGroup: rows)
          * padded(headDim * 2, .ub)
      ),
    ]
    for (space, bytes) in needs {
      if let capacity = machine[space].bytes, bytes > capacity {
        return "\(space.name) holds \(capacity) bytes, needed \(bytes)"
      }
    }
    return nil
  }
}
