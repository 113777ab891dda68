import NPUSim

/// Tile sizes, rings and the rung of the ladder of gemm, gevm and dot_product.
///
/// Operands come to `l1` in *chunks* of `chunkK` of the depth, a tile of rows or columns wide; a
/// chunk is fed to the matrix unit in steps of `tileK`. The first operand's loads may be several
/// chunks long: its scales lie along the depth, so that a short load takes a few bytes of a burst. Without slabs both operands stream, a chunk
/// for each output tile. With slabs one operand is *kept*: all chunks of `slabs` of its tiles stay in
/// `l1` while the other one's tiles pass by, and each of those is used by all slabs.
public struct GemmSchedule: Schedule {
  /// 1 direct, 2 tiled, 3 double-buffered, 4 blocked for reuse.
  public var rung: Int
  /// Rows of an output tile.
  public var tileM: Int
  /// Columns of an output tile.
  public var tileN: Int
  /// Depth of one matmul; a multiple of 32.
  public var tileK: Int
  /// Depth of a load of the second operand; a multiple of `tileK`.
  public var chunkK: Int
  /// Chunks in a load of the first operand.
  public var inputChunks: Int
  /// Chunks in a load of the second operand.
  public var otherChunks = 1
  /// 1 where the first operand is encoded once and kept in HBM, from where its chunks are loaded; 0 where
  /// it is encoded on its way to `l1`, as often as it is loaded.
  public var ahead = 0
  /// Loads of the first operand that `l1` holds.
  public var inputStages: Int
  /// Loads of the second operand that `l1` holds.
  public var otherStages: Int
  /// Slots of the rings in `left` and `right`.
  public var feedStages: Int
  /// Output tiles that `acc` holds.
  public var accStages: Int
  /// Tiles of the kept operand; 0 where both stream.
  public var slabs: Int
  /// Which operand is kept: 1 the first, 2 the second.
  public var kept: Int
  /// How the second operand enters the matrix unit: 1 as `right`, 2 transposed as `left`.
  public var otherSide: Int
  /// Rows of the first operand that the vector unit encodes at a time.
  public var inputPiece = 1
  /// Rows of the second operand, along the depth, that the vector unit encodes at a time.
  public var otherPiece = 32
  /// Rows of the product that meet a residual or a gate at a time; elements where the accumulators hold a
  /// column.
  public var partnerPiece = 1
  public var queueOrder = QueueOrder.found

  /// Whether the second operand enters as `left`: the accumulators hold a column.
  var isTransposed: Bool { otherSide == 2 }

  /// Depth of a load of an operand.
  func depth(ofLoad operand: GemmOperand) -> Int {
    chunkK * (operand == .input ? inputChunks : otherChunks)
  }

  /// Whether the first operand, where it is not encoded, is encoded before anything is multiplied.
  var isAhead: Bool { ahead == 1 }

  static let parameters: [ScheduleParameter<GemmSchedule>] = [
    .init(
      "rung", \.rung, .range(1...4),
      "what the other fields start from: 1 direct, 2 tiled, 3 double-buffered, 4 blocked for reuse",
      standard: "fastest"),
    .init("tile.m", \.tileM, .extent, "rows of an output tile", standard: "fastest"),
    .init("tile.n", \.tileN, .extent, "columns of an output tile", standard: "fastest"),
    .init("tile.k", \.tileK, .blocks(of: 32), "depth of a matmul", standard: "fastest"),
    .init(
      "chunk.k", \.chunkK, .extent, "depth of a load of the second operand: a multiple of tile.k",
      standard: "fastest"),
    .init(
      "chunks.input", \.inputChunks, .extent, "chunks in a load of the first operand",
      standard: "fastest"),
    .init(
      "chunks.other", \.otherChunks, .extent, "chunks in a load of the second operand",
      standard: "fastest", condition: .init("linear", \.canEncodeAhead)),
    .init(
      "ahead", \.ahead, .range(0...1),
      "1: the first operand is encoded once, before, and kept in HBM; 0: as often as it is loaded",
      standard: "fastest", condition: .init("linear", \.canEncodeAhead)),
    .init(
      "stages.input", \.inputStages, .slots, "loads of the first operand that l1 holds",
      standard: "fastest"),
    .init(
      "stages.other", \.otherStages, .slots, "loads of the second operand that l1 holds",
      standard: "fastest"),
    .init(
      "stages.feed", \.feedStages, .slots, "slots of the rings in left and right",
      standard: "fastest"),
    .init(
      "stages.acc", \.accStages, .slots, "output tiles that acc holds",
      standard: "fastest"),
    .init(
      "slabs", \.slabs, .range(0...ShapeLimits.maximumExtent),
      "tiles of one operand that stay in l1 while the other's pass; 0 where both stream",
      standard: "fastest"),
    .init(
      "kept", \.kept, .range(1...2), "with slabs, the operand that stays: 1 first, 2 second",
      standard: "fastest"),
    .init(
      "other.side", \.otherSide, .range(1...2),
      "how the second operand enters the matrix unit: 1 as right, 2 transposed as left",
      standard: "fastest"),
    .init(
      "piece.input", \.inputPiece, .extent, "rows of the first operand that are encoded at a time",
      standard: "fastest", condition: .init("--operands bf16") { $0.encodes(.input) },
      following: { $1.model.largestPieces($0).input }),
    .init(
      "piece.other", \.otherPiece, .extent, "depth of the second operand that is encoded at a time",
      standard: "fastest", condition: .init("--operands bf16") { $0.encodes(.other) },
      following: { $1.model.largestPieces($0).other }),
    .init(
      "piece.residual", \.partnerPiece, .extent,
      "rows of the accumulators to which the residual is added at a time",
      standard: "fastest", condition: .init("--residual") { $0.partner == .residual },
      following: { $1.model.largestPieces($0).partner }),
    .init(
      "piece.gate", \.partnerPiece, .extent,
      "rows of the accumulators that are multiplied with the gate at a time",
      standard: "fastest", condition: .init("--gate") { $0.partner == .gate },
      following: { $1.model.largestPieces($0).partner }),
  ]

  /// A product, and what messages call its kernel.
  struct Problem: ScheduleProblem {
    var kernel: String
    var model: GemmCostModel

    var machine: MachineConfiguration { model.machine }
    var remedy: String { "use a machine with larger memories" }
  }

  /// BF16 operands are encoded on chip.
  static func kind(of problem: Problem) -> GemmForm { problem.model.form }

  static func smallest(_ problem: Problem) -> GemmSchedule { GemmSearch.smallest }

  /// The cheapest schedules by the model, of the rung that is given.
  static func candidates(
    for problem: Problem, given: ScheduleText.Given
  ) throws(NPUError) -> [GemmSchedule] {
    let rung = given["rung"]
    let plans = GemmSearch(problem.model).candidates(rung: rung)
    guard plans.isEmpty, let rung else {
      return plans.map {
        var plan = $0
        plan.follow(problem)
        return plan
      }
    }
    throw NPUError(
      .program, "rung \(rung) does not fit \(problem.machine.name) at this shape",
      hint: "1 direct, 2 tiled, 3 double-buffered, 4 blocked for reuse")
  }

  init(
    rung: Int, tileM: Int, tileN: Int, tileK: Int, chunkK: Int, inputChunks: Int = 1,
    inputStages: Int, otherStages: Int, feedStages: Int, accStages: Int, slabs: Int, kept: Int,
    otherSide: Int
  ) {
    self.rung = rung
    self.tileM = tileM
    self.tileN = tileN
    self.tileK = tileK
    self.chunkK = chunkK
    self.inputChunks = inputChunks
    self.inputStages = inputStages
    self.otherStages = otherStages
    self.feedStages = feedStages
    self.accStages = accStages
    self.slabs = slabs
    self.kept = kept
    self.otherSide = otherSide
  }

  mutating func settle(_ problem: Problem) throws(NPUError) {
    let model = problem.model
    inputPiece = min(inputPiece, isAhead ? model.m : model.rows(self))
    let isDeep = model.form.isDeep(.other)
    let all = isDeep ? model.chunk(self, .other) : model.columns(self)
    otherPiece = min(otherPiece, all)
    guard !isDeep || otherPiece % MXINT8.blockSize == 0 || otherPiece == all else {
      throw NPUError(
        .usage,
        "piece.other needs a multiple of \(MXINT8.blockSize) (whole blocks), or the whole load of "
          + "\(all), found \(otherPiece)")
    }
    partnerPiece = min(partnerPiece, model.accumulators(self).rows)
    guard chunkK % tileK == 0 else {
      throw NPUError(
        .usage, "chunk.k needs a multiple of tile.k = \(tileK), found \(chunkK)")
    }
    guard otherSide == 1 || (model.m == 1 && model.n > 1) else {
      throw NPUError(
        .usage, "other.side=2 needs a product with one row and several columns",
        hint: "a transposed accumulator tile can be stored only as one column")
    }
    let (input, other) = model.leastStages(self)
    guard inputStages >= input, otherStages >= other else {
      throw NPUError(
        .usage,
        "the chunks that are in use together need stages.input=\(input) and "
          + "stages.other=\(other), found \(inputStages) and \(otherStages)",
        hint: "use fewer slabs or a larger chunk.k")
    }
  }

  /// With the search, some ten milliseconds.
  static var mostStepped: Int { 1 << 13 }

  /// What is not moved itself keeps what it stands for: loads stay as long as they were, rings as deep
  /// together, and a rung what it is called.
  func stepping(
    _ parameter: ScheduleParameter<GemmSchedule>, to value: Int, _ problem: Problem
  ) -> GemmSchedule? {
    guard rung > 2, parameter.path != \.rung else { return nil }
    if isAhead || parameter.path == \.ahead || parameter.path == \.otherChunks {
      guard [\.feedStages, \.inputPiece, \.partnerPiece].contains(parameter.path) else {
        return nil
      }
      var plan = self
      plan[keyPath: parameter.path] = value
      return plan.legal(problem)
    }
    var plan = self
    plan[keyPath: parameter.path] = value
    var isFitted = true
    switch parameter.path {
    case \.inputStages: plan.otherStages += inputStages - value
    case \.otherStages: plan.inputStages += otherStages - value
    case \.feedStages, \.accStages, \.inputPiece, \.otherPiece, \.partnerPiece: break
    case \.tileK:
      plan.chunkK = GemmCostModel.tiles(chunkK, value) * value
      isFitted = false
    case \.chunkK:
      plan.chunkK = GemmCostModel.tiles(value, tileK) * tileK
      if rung == 4 { plan.inputChunks = max(1, depth(ofLoad: .input) / plan.chunkK) }
      isFitted = false
    default: isFitted = false
    }
    let isBlocked = plan.slabs > 0 || plan.inputChunks > 1
    guard isBlocked == (rung == 4), plan.inputStages > 0, plan.otherStages > 0 else { return nil }
    if !isFitted {
      guard let fitted = GemmSearch(problem.model).fitted(plan) else { return nil }
      plan = fitted
    }
    plan.follow(problem, except: [parameter.field.name: value])
    let model = problem.model
    // The model is not exact; what it thinks much worse is not worth a trial.
    return model.cycles(plan) < 1.2 * model.cycles(self) ? plan.legal(problem) : nil
  }

  func buffers(_ problem: Problem) -> BufferPlan { problem.model.buffers(self) }

  /// Four for each matmul: feeds, and a load or a drain.
  func microOps(_ problem: Problem) -> Double { 4 * problem.model.steps(self) }
}
