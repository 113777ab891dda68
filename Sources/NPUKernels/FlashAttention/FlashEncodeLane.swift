import NPUSim

/// Brings BF16 rows to `l1` as MXINT8: load, encode, store, some rows at a time. The next rows are
/// loaded as soon as these are encoded, so that the vector unit finds them ready.
struct FlashEncodeLane {
  /// Rows to bring: where from, where to, and where else in HBM the encoded rows are kept.
  struct Rows {
    var source: Tile<HBM>
    var destination: Tile<L1>
    var copy: Tile<HBM>?
  }

  private let values: BufferHandle<UB>
  private let encoded: BufferHandle<UB>
  /// Whether the rows that come next are loaded.
  private var isLoaded = false

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

  /// Emits the load of the rows that ``bring(_:_:)`` takes next. At most one load is ahead: a second
  /// one is not emitted.
  mutating func load(_ source: Tile<HBM>, _ p: inout ProgramBuilder) {
    guard !isLoaded else { return }
    p.emit(LoadUB(values.tile(rows: source.rows, columns: source.columns), from: source))
    isLoaded = true
  }

  /// Emits encode and store of rows, and their load where it has not been emitted.
  mutating func bring(_ rows: Rows, _ p: inout ProgramBuilder) {
    load(rows.source, &p)
    let target = encoded.tile(rows: rows.source.rows, columns: rows.source.columns)
    p.emit(EncodeMX(target, values.tile(rows: rows.source.rows, columns: rows.source.columns)))
    isLoaded = false
    p.emit(StoreL1(rows.destination, from: target))
    if let copy = rows.copy { p.emit(StoreHBM(copy, from: target)) }
  }
}
