import NPUSim

/// Tile sizes and stages of ``Rope``: a tile is some positions with all their heads, or some heads of
/// one position.
public struct RopeSchedule: Schedule {
  /// Positions of a tile: rows of the tables that are made at a time.
  public var tilePositions: Int
  /// Heads of a tile; fewer than all only where a tile is one position.
  public var tileHeads: Int
  /// Slots of the rings of x and out.
  public var stages: Int
  public var queueOrder = QueueOrder.found

  /// Slots of the rings of the tables.
  var tableStages: Int { min(2, stages) }

  static let parameters: [ScheduleParameter<RopeSchedule>] = [
    .init(
      "tile.positions", \.tilePositions, .extent,
      "positions of a tile: rows of the tables that are made at a time",
      standard: "a long pass of the lanes"),
    .init(
      "tile.heads", \.tileHeads, .extent,
      "heads of a tile, fewer than all only where a tile is one position",
      standard: "all, or as many as fit"),
    .init(
      "stages", \.stages, .slots, "slots of the rings of x and out",
      standard: "as many as fit, up to 3"),
  ]

  private init(tilePositions: Int, tileHeads: Int, stages: Int) {
    self.tilePositions = tilePositions
    self.tileHeads = tileHeads
    self.stages = stages
  }

  /// What a schedule is chosen for.
  struct Problem: ScheduleProblem, Sendable {
    var positions: Int
    var heads: Int
    var headDim: Int
    var table: ElementFormat
    var machine: MachineConfiguration

    var kernel: String { Rope.name }
    var remedy: String { "use a smaller --head-dim or a machine with a larger ub" }
  }

  static func smallest(_ problem: Problem) -> RopeSchedule {
    RopeSchedule(tilePositions: 1, tileHeads: 1, stages: 1)
  }

  /// Tiles of about 128 elements a lane with the deepest rings that fit.
  static func candidates(for shape: Problem, given: ScheduleText.Given) -> [RopeSchedule] {
    chosen(for: shape).map { [$0] } ?? []
  }

  private static func chosen(for shape: Problem) -> RopeSchedule? {
    let target = max(1, 128 * shape.machine.vector.lanes / (shape.heads * shape.headDim))
    let share = (shape.positions - 1) / max(1, shape.machine.cores) + 1
    for stages in [[3, 2], [1]] {
      var positions = min(share, target)
      while positions >= 1 {
        for count in stages {
          let plan = RopeSchedule(
            tilePositions: positions, tileHeads: shape.heads, stages: count)
          if plan.fits(shape) { return plan }
        }
        positions /= 2
      }
      var heads = shape.heads / 2
      while heads >= 1 {
        for count in stages {
          let plan = RopeSchedule(tilePositions: 1, tileHeads: heads, stages: count)
          if plan.fits(shape) { return plan }
        }
        heads /= 2
      }
    }
    return nil
  }

  func settle(_ problem: Problem) throws(NPUError) {
    guard tileHeads >= problem.heads || tilePositions == 1 else {
      throw NPUError(
        .usage,
        "tile.heads=\(tileHeads) of \(problem.heads) needs tile.positions=1, found "
          + "\(tilePositions)",
        hint: "a tile is whole positions, or a part of one")
    }
  }

  func buffers(_ problem: Problem) -> BufferPlan {
    let rows = min(tilePositions, (problem.positions - 1) / max(1, problem.machine.cores) + 1)
    let lines = rows * min(tileHeads, problem.heads)
    func lane(_ name: String) -> PlannedBuffer {
      PlannedBuffer(name, .ub, .bf16, slots: stages, rows: lines, columns: problem.headDim)
    }
    func made(_ name: String) -> PlannedBuffer {
      PlannedBuffer(
        name, .ub, problem.table, slots: tableStages, rows: rows, columns: problem.headDim / 2)
    }
    return BufferPlan([
      lane("x"), PlannedBuffer("inv_freq", .ub, .f32, rows: 1, columns: problem.headDim / 2),
      made("freq"), made("cos"), made("sin"), lane("out"),
    ])
  }
}
