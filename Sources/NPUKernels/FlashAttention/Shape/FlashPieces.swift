import NPUSim

/// The pieces of K or of V in `l1`, brought in the order of their uses: loaded where they are MXINT8,
/// else encoded on the way. Encoded pieces that come back are kept in HBM as MXINT8.
struct FlashPieces {
  /// Keys of a group that are fed together. Those that begin at the same one are of one piece.
  struct Use {
    var group: Int
    var keys: Range<Int>
  }

  private let tensor: BufferHandle<HBM>
  /// Of FP8 codes.
  private let scales: BufferHandle<HBM>?
  /// The residency of each use, and what it or a later use of its piece reads.
  private var turns: ArraySlice<(stay: FlashResidency.Use, needed: Use)>
  private let pieceRing: Ring<L1>
  /// Encodes some rows at a time, where they are not MXINT8.
  private let lane: FlashEncodeLane?
  /// The encoded rows of each group that come back, in HBM.
  private let kept: BufferHandle<HBM>?
  private let firstGroup: Int

  /// What K and V keep on chip: `slots` pieces of `rows` keys of each in `l1`, and `staged` rows at a time
  /// that are encoded on the way, where they do not come encoded.
  static func buffers(
    _ slots: Int, rows: Int, _ form: FlashShape, staged: Int
  ) -> [PlannedBuffer] {
    let headDim = form.headDim
    func operand(_ name: String, _ axis: BlockAxis) -> [PlannedBuffer] {
      let pieces = PlannedBuffer(
        name, .l1, .mxint8, slots: slots, rows: rows, columns: headDim, axis: axis)
      guard form.kvFormat != .mxint8 else { return [pieces] }
      return [pieces]
        + FlashEncodeLane.buffers(
          name, form.kvFormat.element, rows: staged, columns: headDim,
          scales: form.kvFormat.isFP8 ? form.scaleBlocks : 0, axis: axis)
    }
    return operand("k", .alongColumns) + operand("v", .alongRows)
  }

  /// K and V of a core, whose uses are the same.
  static func both(
    _ tensors: FlashTensors, _ uses: [Use], core: Int, _ memory: PlacedBuffers,
    _ p: inout ProgramBuilder
  ) throws(NPUError) -> (keys: FlashPieces, values: FlashPieces) {
    (
      try FlashPieces("k", tensors.k, tensors.scales?.k, uses, core: core, memory, &p),
      try FlashPieces("v", tensors.v, tensors.scales?.v, uses, core: core, memory, &p)
    )
  }

  private init(
    _ name: String, _ tensor: BufferHandle<HBM>, _ scales: BufferHandle<HBM>?, _ uses: [Use],
    core: Int, _ memory: PlacedBuffers, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.tensor = tensor
    self.scales = scales
    let pieces = uses.map { $0.group * tensor.rows + $0.keys.lowerBound }
    var needed = uses
    var later: [Int: Int] = [:]
    for (index, piece) in pieces.enumerated().reversed() {
      let start = uses[index].keys.lowerBound
      needed[index].keys = start..<max(uses[index].keys.upperBound, later[piece] ?? start)
      later[piece] = needed[index].keys.upperBound
    }
    pieceRing = try memory.ring(name, in: L1.self)
    let count = pieceRing.buffer.slots
    let isLoaded = tensor.format == .mxint8
    // A third of the slots is loaded at a time.
    let stays = FlashResidency(pieces, slots: count, ahead: isLoaded ? (count + 2) / 3 : 1).uses
    turns = zip(stays, needed).map { (stay: $0, needed: $1) }[...]
    let groups = uses.map(\.group)
    firstGroup = groups.min() ?? 0
    lane = isLoaded ? nil : try FlashEncodeLane(name, hasScales: scales != nil, memory)
    kept =
      !isLoaded && stays.contains { $0.isReturn }
      ? try p.tensor(
        "\(name)_encoded_\(core)", .mxint8, slots: (groups.max() ?? 0) - firstGroup + 1,
        rows: tensor.rows, columns: tensor.columns, axis: pieceRing.buffer.axis, role: .scratch)
      : nil
  }

  /// The keys of the next use in `l1`: its piece is brought with all that later ones read, unless it is
  /// there.
  mutating func next(_ p: inout ProgramBuilder) -> Ring<L1>.Slot {
    let (stay, needed) = turns.removeFirst()
    let slot = pieceRing[stay.slot]
    guard stay.isFetch else { return slot }
    let (group, keys) = (needed.group, needed.keys)
    guard let lane, !stay.isReturn else {
      let source = lane == nil ? hbm(tensor, group, keys) : keptTile(group, keys)
      p.emit(LoadL1(slot.tile(rows: keys.count), from: source))
      return slot
    }
    for part in RowTile.pieces(keys, lane.rows) {
      lane.bring(
        FlashEncodeLane.Rows(
          source: hbm(tensor, group, part),
          destination: slot.tile(row: part.lowerBound - keys.lowerBound, rows: part.count),
          copy: stay.returns ? keptTile(group, part) : nil,
          scales: scales.map { hbm($0, group, part) }), &p)
    }
    return slot
  }

  private func hbm(_ tensor: BufferHandle<HBM>, _ slot: Int, _ keys: Range<Int>) -> Tile<HBM> {
    tensor.tile(slot: slot, row: keys.lowerBound, rows: keys.count)
  }

  private func keptTile(_ group: Int, _ keys: Range<Int>) -> Tile<HBM> {
    hbm(kept ?? tensor, group - firstGroup, keys)
  }
}
