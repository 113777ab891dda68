import NPUSim

/// Which of the two operands.
enum GemmOperand: Sendable {
  case input, other
}

/// Brings chunks of one operand to `l1`: loaded as they are, or loaded as BF16, encoded by the
/// vector unit piece by piece, and stored.
struct GemmStaging {
  /// A chunk in `l1`.
  struct Chunk {
    let slot: Ring<L1>.Slot
    /// Its place along k.
    let depth: Range<Int>
  }

  private let tensor: BufferHandle<HBM>
  /// Where the operand was encoded before, as it lies then.
  private let ahead: GemmAhead?
  /// Lines of the tensor that are loaded at a time.
  private let lines: Int
  /// Whether rows of the tensor run along k: a matrix as second operand.
  private let isDeep: Bool
  private var ring: Ring<L1>
  /// The values and the codes of pieces that are encoded.
  private var encoding: (values: Ring<UB>, codes: Ring<UB>)?

  init(
    _ operand: GemmOperand, _ model: GemmCostModel, _ plan: GemmSchedule,
    tensor: BufferHandle<HBM>, ahead: GemmAhead? = nil, _ memory: PlacedBuffers
  ) throws(NPUError) {
    self.tensor = tensor
    self.ahead = ahead
    // A long load in parts, each of which may take the place of lines that are no longer used.
    lines = operand == .other && plan.otherChunks > 1 ? Self.linesOfLongLoad : .max
    isDeep = model.form.isDeep(operand)
    let names = operand == .input ? model.input : model.other
    ring = try memory.ring(names.chunks, in: L1.self)
    guard model.encodes(operand, plan) else { return }
    encoding = (
      try memory.ring(names.values, in: UB.self), try memory.ring(names.encoded, in: UB.self)
    )
  }

  private static let linesOfLongLoad = 32

  /// Brings some rows of the first operand, or columns of the second, at a place along k.
  mutating func bring(
    _ lines: Range<Int>, _ depth: Range<Int>, _ p: inout ProgramBuilder
  ) -> Chunk {
    let place = isDeep ? RowTile(rows: depth, columns: lines) : RowTile(rows: lines, columns: depth)
    let slot = ring.next()
    if let ahead {
      p.emit(LoadL1(slot.tile(as: place), from: ahead.tile(place)))
      return Chunk(slot: slot, depth: depth)
    }
    guard var encoding else {
      for rows in RowTile.pieces(place.rows, min(self.lines, place.rows.count)) {
        let part = slot.tile(
          row: rows.lowerBound - place.rows.lowerBound, rows: rows.count,
          columns: place.columns.count)
        p.emit(LoadL1(part, from: tensor.tile(RowTile(rows: rows, columns: place.columns))))
      }
      return Chunk(slot: slot, depth: depth)
    }
    for rows in RowTile.pieces(place.rows, encoding.values.buffer.rows) {
      let piece = RowTile(rows: rows, columns: place.columns)
      let values = encoding.values.load(tensor.tile(piece), &p)
      let codes = encoding.codes.next().tile(as: piece)
      p.emit(EncodeMX(codes, values))
      p.emit(
        StoreL1(
          slot.tile(
            row: rows.lowerBound - place.rows.lowerBound, rows: rows.count,
            columns: place.columns.count), from: codes))
    }
    self.encoding = encoding
    return Chunk(slot: slot, depth: depth)
  }
}
