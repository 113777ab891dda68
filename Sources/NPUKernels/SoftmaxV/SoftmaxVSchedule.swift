import NPUSim

/// Tile sizes and stages of ``SoftmaxV``.
///
/// A *job* is up to `rows` query rows: whole kv groups where they are small, a part of one group
/// where it is large. Its exponentials are made for all rows at once in tiles of `kv` columns; v
/// streams through a deep ring in `l1`, one tile for each group and kv tile.
public struct SoftmaxVSchedule: Sendable, Hashable {
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

  /// Names and values, for reports and `--schedule`.
  public var fields: ScheduleFields {
    ScheduleFields([
      .extent("tile.rows", tileRows), .extent("tile.kv", tileKV),
      .extent("tile.columns", tileColumns),
      .slots("stages.v", vStages), .slots("stages.scores", scoreStages), .slots("stages", stages),
      .slots("drain.parts", drainParts),
    ])
  }

  /// The largest tiles and deepest rings that fit, or the fields of `overriding` checked.
  init(
    rows: Int, groups: Int, kv: Int, headDim: Int, machine: MachineConfiguration,
    overriding text: String?
  ) throws(NPUError) {
    let unit = max(32, machine.vector.lanes)
    let shape = SoftmaxVFootprint(
      rows: rows, groups: groups, kv: kv, headDim: headDim, machine: machine)
    var best: SoftmaxVSchedule?
    var tile = max(unit, min(128 / unit * unit, (kv + unit - 1) / unit * unit))
    search: while tile >= unit {
      for stages in [2, 1] {
        var rowTile = min(128, rows * groups)
        while rowTile >= 1 {
          var columns = shape.alignedColumns(headDim)
          while true {
            let candidate = SoftmaxVSchedule(
              tileRows: rowTile, tileKV: tile, tileColumns: columns, vStages: max(2, stages),
              scoreStages: stages, stages: stages,
              drainParts: max(1, min(4, (machine.eventsPerPair ?? 8) / stages)))
            if shape.overflow(candidate) == nil {
              best = candidate
              break search
            }
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
    guard var plan = best else {
      let smallest = SoftmaxVSchedule(
        tileRows: 1, tileKV: unit, tileColumns: shape.alignedColumns(1), vStages: 2,
        scoreStages: 1, stages: 1, drainParts: 1)
      throw NPUError(
        .program,
        "softmax_v does not fit \(machine.name): "
          + (shape.overflow(smallest) ?? "no tile is small enough"),
        hint: "use a smaller --head-dim or a machine with larger memories")
    }
    // v is what streams: give it the deepest ring that the event IDs and l1 allow.
    let limit = min(machine.eventsPerPair ?? 8, 8)
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
    self = plan
    guard let text else { return }
    let chosen = try fields.applying(text)
    tileRows = chosen["tile.rows"]
    tileKV = chosen["tile.kv"]
    tileColumns = chosen["tile.columns"]
    vStages = chosen["stages.v"]
    scoreStages = chosen["stages.scores"]
    stages = chosen["stages"]
    drainParts = chosen["drain.parts"]
    guard tileKV % unit == 0 else {
      throw NPUError(
        .usage, "tile.kv needs a multiple of \(unit) (blocks and lanes), found \(tileKV)")
    }
    guard tileColumns == shape.alignedColumns(tileColumns) || tileColumns >= headDim else {
      throw NPUError(
        .usage, "tile.columns needs a multiple of \(shape.columnUnit), found \(tileColumns)")
    }
    if let wrong = shape.overflow(self) {
      throw NPUError(
        .program, "this schedule does not fit \(machine.name): \(wrong)",
        hint: "the schedule chosen by itself is \(plan.fields.text)")
    }
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

/// The bytes that a schedule of softmax_v needs in each memory.
struct SoftmaxVFootprint {
  let rows: Int
  let groups: Int
  let kv: Int
  let headDim: Int
  let machine: MachineConfiguration

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
