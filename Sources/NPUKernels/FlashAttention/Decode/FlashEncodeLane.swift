import NPUSim

/// Brings BF16 rows to `l1` as MXINT8: load, encode, store, some rows at a time.
struct FlashEncodeLane {
  /// Rows to bring: where from, where to, and where else in HBM the encoded rows are kept.
  struct Rows {
    var source: Tile<HBM>
    var destination: Tile<L1>
    var copy: Tile<HBM>?
  }

  /// The most rows at a time.
  var rows: Int { values.rows }

  private let values: BufferHandle<UB>
  private let encoded: BufferHandle<UB>

  /// What it keeps in `ub`, for up to `rows` rows at a time.
  static func buffers(
    _ name: String, rows: Int, columns: Int, axis: BlockAxis = .alongColumns
  ) -> [PlannedBuffer] {
    [
      PlannedBuffer(name + "_bf16", .ub, .bf16, rows: rows, columns: columns),
      PlannedBuffer(name + "_mx", .ub, .mxint8, rows: rows, columns: columns, axis: axis),
    ]
  }

  init(_ name: String, _ memory: PlacedBuffers) throws(NPUError) {
    values = try memory.buffer(name + "_bf16", in: UB.self)
    encoded = try memory.buffer(name + "_mx", in: UB.self)
  }

  /// Emits load, encode and store of rows.
  func bring(_ rows: Rows, _ p: inout ProgramBuilder) {
    let source = values.tile(rows: rows.source.rows, columns: rows.source.columns)
    let target = encoded.tile(rows: rows.source.rows, columns: rows.source.columns)
    p.emit(LoadUB(source, from: rows.source))
    p.emit(EncodeMX(target, source))
    p.emit(StoreL1(rows.destination, from: target))
    if let copy = rows.copy { p.emit(StoreHBM(copy, from: target)) }
  }
}
