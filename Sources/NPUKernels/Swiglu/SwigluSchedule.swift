import NPUSim

/// Tile sizes and rings of ``Swiglu``.
///
/// The encoded rows of a tile of tokens stay in `l1` while the weights stream past them: rows of a
/// weight matrix, which are columns of the product, come in chunks of the depth and enter the matrix
/// unit transposed, as `right`, in steps.
public struct SwigluSchedule: Schedule {
  /// Rows of x, or of h, that the weights pass at a time.
  public var tileTokens: Int
  /// Columns of a product at a time: rows of a weight matrix.
  public var tileColumns: Int
  /// Depth of one matmul; a multiple of 32.
  public var tileK: Int
  /// Depth of one load of weights; a multiple of 32. Whole rows where it exceeds them.
  public var chunkK: Int
  /// Chunks of weights that `l1` holds.
  public var weightStages: Int
  /// Tiles of encoded rows that `l1` holds: with two the next one is made while this one is used.
  public var rowStages: Int
  /// Slots of the rings in `left` and `right`.
  public var feedStages: Int
  /// Columns of x or h that are encoded at a time; a multiple of 32.
  public var pieceColumns: Int
  public var queueOrder = QueueOrder.found

  /// Slots of every other ring.
  static let stages = 2

  static let parameters: [ScheduleParameter<SwigluSchedule>] = [
    .init(
      "tile.tokens", \.tileTokens, .extent, "rows of x or h that the weights pass at a time",
      standard: "fastest"),
    .init(
      "tile.columns", \.tileColumns, .extent,
      "columns of a product at a time: rows of a weight matrix", standard: "fastest"),
    .init("tile.k", \.tileK, .blocks(of: 32), "depth of a matmul", standard: "fastest"),
    .init(
      "chunk.k", \.chunkK, .blocks(of: 32), "depth of a load of weights", standard: "fastest"),
    .init(
      "stages.weights", \.weightStages, .slots, "loads of weights that l1 holds",
      standard: "fastest"),
    .init(
      "stages.rows", \.rowStages, .slots, "tiles of encoded rows that l1 holds",
      standard: "fastest"),
    .init(
      "stages.feed", \.feedStages, .slots, "slots of the rings in left and right",
      standard: "fastest"),
    .init(
      "piece.columns", \.pieceColumns, .blocks(of: 32),
      "columns of x or h that are encoded at a time", standard: "fastest"),
  ]

  init(
    tileTokens: Int, tileColumns: Int, tileK: Int, chunkK: Int, weightStages: Int,
    rowStages: Int, feedStages: Int, pieceColumns: Int
  ) {
    self.tileTokens = tileTokens
    self.tileColumns = tileColumns
    self.tileK = tileK
    self.chunkK = chunkK
    self.weightStages = weightStages
    self.rowStages = rowStages
    self.feedStages = feedStages
    self.pieceColumns = pieceColumns
  }

  static func smallest(_ model: SwigluCostModel) -> SwigluSchedule { SwigluCostModel.smallest }

  /// The cheapest schedules by the model, each with a tile of its own.
  static func candidates(
    for model: SwigluCostModel, given: ScheduleText.Given
  ) -> [SwigluSchedule] {
    Array(model.ranked().prefix(10))
  }

  /// 7 for each matmul: feeds, a load, and what its sums pass.
  func microOps(_ model: SwigluCostModel) -> Double { 7 * model.steps(self) }

  /// Other sizes have other rings.
  func stepping(
    _ parameter: ScheduleParameter<SwigluSchedule>, to value: Int, _ model: SwigluCostModel
  ) -> SwigluSchedule? {
    var plan = self
    plan[keyPath: parameter.path] = value
    switch parameter.path {
    case \.tileTokens, \.tileColumns, \.tileK, \.chunkK: return model.fitted(plan)
    default: return plan.legal(model)
    }
  }

  func buffers(_ model: SwigluCostModel) -> BufferPlan { model.buffers(self) }
}

extension SwigluCostModel: ScheduleProblem {
  var kernel: String { Swiglu.name }
  var remedy: String { "use a smaller --hidden and --ffn or a machine with larger memories" }
}
