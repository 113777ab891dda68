import NPUSim

/// Tile sizes and stages of ``Rope``: a tile is some positions with all their heads, or some heads of
/// one position.
public struct RopeSchedule: Sendable, Hashable {
  /// Positions of a tile: rows of the tables that are made at a time.
  public var tilePositions: Int
  /// Heads of a tile; fewer than all only where a tile is one position.
  public var tileHeads: Int
  /// Slots of the rings of x and out.
  public var stages: Int

  /// Slots of the rings of the tables.
  var tableStages: Int { min(2, stages) }

  /// Names and values, for reports and `--schedule`.
  public var fields: ScheduleFields {
    ScheduleFields([
      .extent("tile.positions", tilePositions), .extent("tile.heads", tileHeads),
      .slots("stages", stages),
    ])
  }

  private init(tilePositions: Int, tileHeads: Int, stages: Int) {
    self.tilePositions = tilePositions
    self.tileHeads = tileHeads
    self.stages = stages
  }

  /// Tiles of about 128 elements a lane with the deepest rings that fit, or the fields of `text`
  /// checked.
  init(
    positions: Int, heads: Int, headDim: Int, table: ElementFormat, machine: MachineConfiguration,
    overriding text: String?
  ) throws(NPUError) {
    let shape = Shape(
      positions: positions, heads: heads, headDim: headDim, table: table, machine: machine)
    guard let plan = Self.chosen(shape) else {
      let smallest = RopeSchedule(tilePositions: 1, tileHeads: 1, stages: 1)
      throw NPUError(
        .program,
        "rope does not fit \(machine.name): "
          + (shape.overflow(smallest) ?? "no tile is small enough"),
        hint: "use a smaller --head-dim or a machine with a larger ub")
    }
    self = plan
    guard let text else { return }
    let wanted = try plan.fields.applying(text)
    tilePositions = wanted["tile.positions"]
    tileHeads = wanted["tile.heads"]
    stages = wanted["stages"]
    guard tileHeads >= heads || tilePositions == 1 else {
      throw NPUError(
        .usage,
        "tile.heads=\(tileHeads) of \(heads) needs tile.positions=1, found \(tilePositions)",
        hint: "a tile is whole positions, or a part of one")
    }
    if let wrong = shape.overflow(self) {
      throw NPUError(
        .program, "this schedule does not fit \(machine.name): \(wrong)",
        hint: "the schedule chosen by itself is \(plan.fields.text)")
    }
  }

  private static func chosen(_ shape: Shape) -> RopeSchedule? {
    let target = max(1, 128 * shape.machine.vector.lanes / (shape.heads * shape.headDim))
    let share = (shape.positions - 1) / max(1, shape.machine.cores) + 1
    for stages in [[3, 2], [1]] {
      var positions = min(share, target)
      while positions >= 1 {
        for count in stages {
          let plan = RopeSchedule(
            tilePositions: positions, tileHeads: shape.heads, stages: count)
          if shape.overflow(plan) == nil { return plan }
        }
        positions /= 2
      }
      var heads = shape.heads / 2
      while heads >= 1 {
        for count in stages {
          let plan = RopeSchedule(tilePositions: 1, tileHeads: heads, stages: count)
          if shape.overflow(plan) == nil { return plan }
        }
        heads /= 2
      }
    }
    return nil
  }

  /// What a schedule is judged against.
  private struct Shape {
    var positions: Int
    var heads: Int
    var headDim: Int
    var table: ElementFormat
    var machine: MachineConfiguration

    /// What does not fit, or `nil`.
    func overflow(_ plan: RopeSchedule) -> String? {
      // Two stores for each table slot at a time, one for each slot of out.
      let events = plan.stages + 2 * plan.tableStages
      if let limit = machine.eventsPerPair, events > max(3, limit) {
        return "stages needs \(events) event IDs, the machine has \(limit) for a pair of queues"
      }
      let places = min(plan.tilePositions, positions)
      let lines = places * min(plan.tileHeads, heads)
      typealias Part = RowFootprint.Part
      let footprint = RowFootprint(
        machine: machine,
        parts: [
          Part(perStage: 2, rows: .exactly(lines), columns: .exactly(headDim), bytes: 2),
          Part(
            fixed: 3 * plan.tableStages, columns: .exactly(headDim / 2), bytes: table.bytes),
          Part(fixed: 1, rows: .exactly(1), columns: .exactly(headDim / 2), bytes: 4),
        ])
      return footprint.overflow(tileRows: places, tileColumns: headDim, stages: plan.stages)
    }
  }
}
