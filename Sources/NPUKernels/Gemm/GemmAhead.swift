import NPUSim

/// The first operand of a product, encoded once and kept in HBM: as slots, each of a load's depth, so that a
/// load is one run of bytes for the payloads and one for the scales, however short it is.
struct GemmAhead {
  private let source: BufferHandle<HBM>
  private let encoded: BufferHandle<HBM>
  private var values: Ring<UB>
  private var codes: Ring<UB>

  /// Throws as `ProgramBuilder.tensor` does.
  static func tensor(
    _ problem: GemmProblem, _ p: inout ProgramBuilder
  ) throws(NPUError) -> BufferHandle<HBM>? {
    guard problem.plan.isAhead else { return nil }
    let depth = problem.model.chunk(problem.plan, .input)
    return try p.tensor(
      problem.interface.input.name + "_encoded", .mxint8, slots: (problem.k - 1) / depth + 1,
      rows: problem.m, columns: depth, role: .scratch)
  }

  init(
    _ model: GemmCostModel, source: BufferHandle<HBM>, encoded: BufferHandle<HBM>,
    _ memory: PlacedBuffers
  ) throws(NPUError) {
    self.source = source
    self.encoded = encoded
    values = try memory.ring(model.input.values, in: UB.self)
    codes = try memory.ring(model.input.encoded, in: UB.self)
  }

  /// Encodes some rows, all along the depth.
  mutating func encode(_ rows: Range<Int>, _ p: inout ProgramBuilder) {
    let (lines, width) = (values.buffer.rows, values.buffer.columns)
    for part in RowTile.pieces(rows, lines) {
      for columns in RowTile.pieces(0..<source.columns, width) where !p.hasOverflowed {
        let piece = RowTile(rows: part, columns: columns)
        let values = values.load(source.tile(piece), &p)
        let codes = codes.next().tile(as: piece)
        p.emit(EncodeMX(codes, values))
        let depth = encoded.columns
        for slot in columns.lowerBound / depth...(columns.upperBound - 1) / depth {
          let start = slot * depth
          let taken = columns.clamped(to: start..<start + depth)
          p.emit(
            StoreHBM(
              encoded.tile(
                slot: slot, row: part.lowerBound, column: taken.lowerBound - start,
                rows: part.count, columns: taken.count),
              from: codes.columns(
                taken.lowerBound - columns.lowerBound..<taken.upperBound - columns.lowerBound)))
        }
      }
    }
  }

  /// Some rows of one load's depth.
  func tile(_ place: RowTile) -> Tile<HBM> {
    encoded.tile(
      slot: place.columns.lowerBound / encoded.columns, row: place.rows.lowerBound,
      rows: place.rows.count, columns: place.columns.count)
  }
}
