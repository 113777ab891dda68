import NPUSim

/// Tile sizes, rings and the rung of the ladder of gemm, gevm and dot_product.
///
/// Operands come to `l1` in *chunks* of `chunkK` of the depth, a tile of rows or columns wide; a
/// chunk is fed to the matrix unit in steps of `tileK`. The first operand's loads may be several
/// chunks long: its scales lie along the depth, so that a short load takes a few bytes of a burst. Without slabs both operands stream, a chunk
/// for each output tile. With slabs one operand is *kept*: all chunks of `slabs` of its tiles stay in
/// `l1` while the other one's tiles pass by, and each of those is used by all slabs.
public struct GemmSchedule: Sendable, Hashable {
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

  /// Whether the second operand enters as `left`: the accumulators hold a column.
  var isTransposed: Bool { otherSide == 2 }

  /// Depth of a load of an operand.
  func depth(ofLoad operand: GemmOperand) -> Int {
    operand == .input ? chunkK * inputChunks : chunkK
  }

  /// Names and values, for reports and `--schedule`.
  public var fields: ScheduleFields {
    ScheduleFields([
      .choice("rung", rung, 1...4), .extent("tile.m", tileM), .extent("tile.n", tileN),
      .extent("tile.k", tileK),
      .extent("chunk.k", chunkK), .extent("chunks.input", inputChunks),
      .slots("stages.input", inputStages),
      .slots("stages.other", otherStages),
      .slots("stages.feed", feedStages), .slots("stages.acc", accStages),
      .choice("slabs", slabs, 0...ShapeLimits.maximumExtent), .choice("kept", kept, 1...2),
      .choice("other.side", otherSide, 1...2),
    ])
  }

  /// The cheapest schedule by the model, or of the rung that `text` names, with the fields of `text`
  /// in place.
  init(_ model: GemmCostModel, kernel: String, overriding text: String?) throws(NPUError) {
    let search = GemmSearch(model)
    guard let standard = search.best() else {
      throw NPUError(
        .program,
        "\(kernel) does not fit \(model.machine.name): "
          + (model.overflow(GemmSearch.smallest) ?? "no tile is small enough"),
        hint: "use a machine with larger memories")
    }
    self = standard
    guard let text else { return }
    let named = try standard.fields.applying(text)
    if named["rung"] != rung || text.contains("rung") {
      guard let base = search.best(rung: named["rung"]) else {
        throw NPUError(
          .program, "rung \(named["rung"]) does not fit \(model.machine.name) at this shape",
          hint: "1 direct, 2 tiled, 3 double-buffered, 4 blocked for reuse")
      }
      self = base
    }
    let base = self
    take(try base.fields.applying(text))
    try check(model, base)
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

  private mutating func take(_ fields: ScheduleFields) {
    tileM = fields["tile.m"]
    tileN = fields["tile.n"]
    tileK = fields["tile.k"]
    chunkK = fields["chunk.k"]
    inputChunks = fields["chunks.input"]
    inputStages = fields["stages.input"]
    otherStages = fields["stages.other"]
    feedStages = fields["stages.feed"]
    accStages = fields["stages.acc"]
    slabs = fields["slabs"]
    kept = fields["kept"]
    otherSide = fields["other.side"]
  }

  private func check(_ model: GemmCostModel, _ base: GemmSchedule) throws(NPUError) {
    guard tileK % 32 == 0 else {
      throw NPUError(.usage, "tile.k needs a multiple of 32 (whole blocks), found \(tileK)")
    }
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
    if let wrong = model.overflow(self) {
      throw NPUError(
        .program, "this schedule does not fit \(model.machine.name): \(wrong)",
        hint: "the schedule chosen by itself is \(base.fields.text)")
    }
  }
}
