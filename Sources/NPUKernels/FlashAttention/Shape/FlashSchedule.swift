import NPUSim

/// Tile sizes and stages of ``FlashAttention``. Each rung chooses its own, and has the fields that its
/// program uses.
public struct FlashSchedule: Schedule {
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

  /// Keys that are fed and multiplied together.
  public var piece = 32
  /// Keys of a score tile that the vector unit exponentiates at a time.
  public var chunk = 32
  /// Columns of a tile in `right`: keys, or columns of v.
  public var rightColumns = 32
  /// Rows of the softmax at a time, where it is a kernel of its own.
  public var softmaxRows = 1
  public var queueOrder = QueueOrder.found

  /// A schedule of which the fields that follow from others hold the least that they may.
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

  /// What decides which fields there are: the program, and whether it encodes K and V.
  struct Kind: Sendable {
    var rung: FlashRung
    var isEncoding: Bool

    var isDecoding: Bool { rung == .decode || rung == .composed || rung == .spread }
    /// Whether the program has more than one slot of anything.
    var isStaged: Bool { rung != .scalar && rung != .online }
  }

  static let parameters: [ScheduleParameter<FlashSchedule>] = [
    .init(
      "tile.q", \.tileQ, .extent, "queries of a head in a tile, which share what they see",
      standard: "fastest, or as many as fit", affectsValues: true,
      condition: .init("all rungs but spread") { $0.rung != .spread }),
    .init(
      "tile.kv", \.tileKV, .blocks(of: 32), "keys of a step of the online softmax",
      standard: "cheapest, or as many as fit", affectsValues: true,
      condition: .init("all rungs but scalar") { $0.rung != .scalar }),
    .init(
      "tile.kv", \.tileKV, .extent, "keys of a step of the online softmax",
      standard: "as many as fit", affectsValues: true,
      condition: .init("rung scalar") { $0.rung == .scalar }),
    .init(
      "tile.heads", \.tileHeads, .extent, "heads whose rows share a score tile",
      standard: "as many as fit",
      condition: .init("rungs decode, composed and spread", \.isDecoding)),
    .init(
      "tile.staged", \.stagedRows, .blocks(of: 32), "rows of K and V that are encoded at a time",
      standard: "as many as fit, up to 128; 32 for many queries",
      condition: .init("K and V encoded on chip, rung scalar aside") {
        $0.isEncoding && $0.rung != .scalar
      }),
    .init(
      "tile.right", \.rightColumns, .extent, "keys, or columns of v, that are fed at a time",
      standard: "as many as fit twice",
      condition: .init("rungs decode, composed and spread", \.isDecoding),
      following: FlashDecodeLayout.mostRightColumns),
    .init(
      "tile.softmax", \.softmaxRows, .extent, "rows of the softmax at a time",
      standard: "as many as fit", condition: .init("rung unfused") { $0.rung == .unfused },
      following: FlashUnfusedLayout.mostSoftmaxRows),
    .init(
      "piece", \.piece, .blocks(of: 32), "keys that are fed and multiplied together",
      standard: "as many as fit, up to 128", condition: .init("rung online") { $0.rung == .online },
      following: FlashOnlineLayout.largestPiece),
    .init(
      "piece", \.piece, .blocks(of: 32), "keys that are fed and multiplied together",
      standard: "as many as fit, up to 128 or the lanes",
      condition: .init("rung pipelined") { $0.rung == .pipelined },
      following: FlashPipelinedLayout.largestPiece),
    .init(
      "chunk", \.chunk, .blocks(of: 32), "keys of a piece that are exponentiated at a time",
      standard: "as many as fit", condition: .init("rung pipelined") { $0.rung == .pipelined },
      following: FlashPipelinedLayout.largestChunk),
    .init(
      "stages.kv", \.kvStages, .slots, "slots of the rings in l1 that K and V stream through",
      standard: "as many as fit",
      condition: .init("rungs unfused, pipelined, decode, composed and spread", \.isStaged)),
    .init(
      "stages.rows", \.rowStages, .slots, "slots in ub of the rows that are to be encoded",
      standard: "as many as fit, up to 5",
      condition: .init("rungs decode, composed and spread, K and V encoded on chip") {
        $0.isEncoding && $0.isDecoding
      }),
    .init(
      "stages", \.stages, .slots, "slots of every other ring", standard: "fastest, up to 2",
      condition: .init("rungs unfused, pipelined, decode, composed and spread", \.isStaged)),
  ]

  /// An attention by a rung on a machine.
  struct Problem: ScheduleProblem {
    var rung: FlashRung
    var shape: FlashShape
    var machine: MachineConfiguration

    var kernel: String { "\(FlashAttention.name) (\(rung.rawValue))" }
    var remedy: String { "use a smaller --head-dim or a machine with larger memories" }
    var kind: Kind { Kind(rung: rung, isEncoding: shape.kvFormat != .mxint8) }
  }

  static func kind(of problem: Problem) -> Kind { problem.kind }

  static func smallest(_ problem: Problem) -> FlashSchedule {
    var plan = FlashSchedule(
      tileQ: 1, tileKV: problem.rung == .scalar ? 1 : MXINT8.blockSize)
    plan.follow(problem)
    return plan
  }

  static func candidates(for problem: Problem, given: ScheduleText.Given) -> [FlashSchedule] {
    problem.rung.program.candidates(for: problem)
  }

  /// 40 for each tile of scores.
  func microOps(_ problem: Problem) -> Double {
    40 * Double(problem.shape.rows) / Double(tileQ) * Double(problem.shape.kv) / Double(tileKV)
  }

  /// Pieces of another length are as many as fit.
  func stepping(
    _ parameter: ScheduleParameter<FlashSchedule>, to value: Int, _ problem: Problem
  ) -> FlashSchedule? {
    // How many heads come together pays in a cache that lies token by token, which is not known here.
    if problem.rung == .spread, parameter.path == \.tileHeads { return nil }
    var plan = self
    plan[keyPath: parameter.path] = value
    plan.follow(problem, except: [parameter.field.name: value])
    guard problem.rung == .pipelined, parameter.path == \.piece else { return plan.legal(problem) }
    plan.kvStages = 1
    guard let slots = FlashTuning(problem.shape, problem.machine).slots(plan) else { return nil }
    plan.kvStages = slots
    return plan.legal(problem)
  }

  /// Cuts what lies inside of tiles to them, and judges where parts of a tile may start.
  mutating func settle(_ problem: Problem) throws(NPUError) {
    piece = min(piece, tileKV)
    chunk = min(chunk, piece)
    softmaxRows = min(softmaxRows, tileQ, problem.shape.queries)
    switch problem.rung {
    case .pipelined:
      let unit = FlashPipelinedLayout.unit(problem.machine)
      guard piece % unit == 0 || piece == tileKV else {
        throw Self.misfit(
          "piece", piece, "a multiple of \(unit) (blocks and lanes) or tile.kv = \(tileKV)")
      }
      guard chunk == piece || piece % chunk == 0 && chunk % unit == 0 else {
        throw Self.misfit(
          "chunk", chunk, "piece = \(piece), or a part of it that is a multiple of \(unit)")
      }
    case .decode, .composed, .spread:
      if problem.rung == .spread {
        tileHeads = FlashSpreadWork(self, problem.shape).rows
      }
      let unit = FlashDecodeLayout.columnUnit(problem.machine)
      let widest = FlashDecodeLayout.widest(self, problem.shape)
      rightColumns = min(rightColumns, widest)
      guard rightColumns % unit == 0 || rightColumns == widest else {
        throw Self.misfit(
          "tile.right", rightColumns, "a multiple of \(unit) (alignment) or all \(widest)")
      }
    case .scalar, .unfused, .online: break
    }
  }

  private static func misfit(_ name: String, _ value: Int, _ needed: String) -> NPUError {
    NPUError(
      .usage, "\(name) needs \(needed), found \(value)",
      hint: "leave it out to have what goes with the other fields")
  }

  func buffers(_ problem: Problem) -> BufferPlan { layout(problem).buffers }

  private func layout(_ problem: Problem) -> any FlashLayout {
    problem.rung.program.layout(self, shape: problem.shape, machine: problem.machine)
  }
}
