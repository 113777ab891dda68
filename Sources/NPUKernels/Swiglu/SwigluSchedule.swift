import NPUSim

/// Tile sizes and rings of ``Swiglu``.
///
/// The encoded rows of a tile of tokens stay in `l1` while the weights stream past them: rows of a
/// weight matrix, which are columns of the product, come in chunks of the depth and enter the matrix
/// unit transposed, as `right`, in steps.
public struct SwigluSchedule: Sendable, Hashable {
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

  /// Slots of every other ring.
  static let stages = 2

  /// Names and values, for reports and `--schedule`.
  public var fields: ScheduleFields {
    ScheduleFields([
      .extent("tile.tokens", tileTokens), .extent("tile.columns", tileColumns),
      .extent("tile.k", tileK),
      .extent("chunk.k", chunkK), .slots("stages.weights", weightStages),
      .slots("stages.rows", rowStages),
      .slots("stages.feed", feedStages), .extent("piece.columns", pieceColumns),
    ])
  }

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

  /// The cheapest schedule by the model, or the fields of `text` checked.
  init(_ model: SwigluCostModel, overriding text: String?) throws(NPUError) {
    guard let plan = model.best() else {
      throw NPUError(
        .program,
        "swiglu does not fit \(model.machine.name): "
          + (model.overflow(SwigluCostModel.smallest) ?? "no tile is small enough"),
        hint: "use a smaller --hidden and --ffn or a machine with larger memories")
    }
    self = plan
    guard let text else { return }
    let wanted = try plan.fields.applying(text)
    self = SwigluSchedule(
      tileTokens: wanted["tile.tokens"], tileColumns: wanted["tile.columns"],
      tileK: wanted["tile.k"], chunkK: wanted["chunk.k"], weightStages: wanted["stages.weights"],
      rowStages: wanted["stages.rows"], feedStages: wanted["stages.feed"],
      pieceColumns: wanted["piece.columns"])
    try check(model, standard: plan)
  }

  private func check(_ model: SwigluCostModel, standard: SwigluSchedule) throws(NPUError) {
    for (name, value) in [("tile.k", tileK), ("chunk.k", chunkK), ("piece.columns", pieceColumns)]
    where value % MXINT8.blockSize != 0 {
      throw NPUError(.usage, "\(name) needs a multiple of 32 (whole blocks), found \(value)")
    }
    if let wrong = model.overflow(self) {
      throw NPUError(
        .program, "this schedule does not fit \(model.machine.name): \(wrong)",
        hint: "the schedule chosen by itself is \(standard.fields.text)")
    }
  }
}
