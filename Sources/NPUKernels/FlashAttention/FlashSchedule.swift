import NPUSim

/// Tile sizes and stages of ``FlashAttention``. Each rung chooses its own, and has the fields that its
/// program uses (``FlashRung/uses(_:for:)``).
public struct FlashSchedule: Sendable, Hashable {
  /// Queries of a head in one tile; tiles start at multiples of it.
  public var tileQ: Int
  /// Keys of a step of the online softmax, a multiple of 32: part of the definition.
  public var tileKV: Int
  /// Heads whose rows share a score tile.
  public var tileHeads: Int
  /// Rows of K and V that the vector unit encodes at a time, a multiple of 32.
  public var stagedRows: Int
  /// Slots of the rings in `l1` that K and V stream through.
  public var kvStages: Int
  /// Slots of the ring in `ub` that rows to be encoded are loaded into.
  public var rowStages: Int
  /// Slots of every other ring.
  public var stages: Int

  public init(
    tileQ: Int, tileKV: Int, tileHeads: Int = 1, stagedRows: Int = 32, kvStages: Int = 1,
    rowStages: Int = 1, stages: Int = 1
  ) {
    self.tileQ = tileQ
    self.tileKV = tileKV
    self.tileHeads = tileHeads
    self.stagedRows = stagedRows
    self.kvStages = kvStages
    self.rowStages = rowStages
    self.stages = stages
  }

  /// Names and values of a rung's fields, for reports and `--schedule`.
  func fields(of rung: FlashRung, for shape: FlashShape) -> ScheduleFields {
    ScheduleFields(
      [
        .extent("tile.q", tileQ), .extent("tile.kv", tileKV), .extent("tile.heads", tileHeads),
        .extent("tile.staged", stagedRows), .slots("stages.kv", kvStages),
        .slots("stages.rows", rowStages), .slots("stages", stages),
      ].filter { rung.uses($0.name, for: shape) })
  }

  /// The first candidate of the rung that fits the machine, or the fields of `text` checked.
  ///
  /// Throws `.usage` for a field that makes no sense, `.program` where nothing fits or the chosen
  /// fields do not.
  init(
    _ rung: FlashRung, shape: FlashShape, machine: MachineConfiguration, overriding text: String?
  ) throws(NPUError) {
    let program = rung.program
    let candidates = program.candidates(shape, machine: machine)
    guard
      let plan = candidates.first(where: {
        program.overflow($0, shape: shape, machine: machine) == nil
      })
    else {
      let reason = candidates.last.flatMap {
        program.overflow($0, shape: shape, machine: machine)
      }
      throw NPUError(
        .program,
        "flash_attention (\(rung.rawValue)) does not fit \(machine.name): "
          + (reason ?? "it has no schedule for this shape"),
        hint: "use a smaller --head-dim or a machine with larger memories")
    }
    self = plan
    guard let text else { return }
    for field in try fields(of: rung, for: shape).applying(text).fields {
      switch field.name {
      case "tile.q": tileQ = field.value
      case "tile.kv": tileKV = field.value
      case "tile.heads": tileHeads = field.value
      case "tile.staged": stagedRows = field.value
      case "stages.kv": kvStages = field.value
      case "stages.rows": rowStages = field.value
      default: stages = field.value
      }
    }
    for (name, value) in [("tile.kv", tileKV), ("tile.staged", stagedRows)]
    where value % MXINT8.blockSize != 0 && rung != .scalar {
      throw NPUError(
        .usage, "\(name) needs a multiple of \(MXINT8.blockSize), found \(value)",
        hint: "a block of 32 elements shares one scale")
    }
    if let wrong = program.overflow(self, shape: shape, machine: machine) {
      throw NPUError(
        .program, "this schedule does not fit \(machine.name): \(wrong)",
        hint: "the schedule chosen by itself is \(plan.fields(of: rung, for: shape).text)")
    }
  }
}
