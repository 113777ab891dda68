import NPUSim

/// Brings BF16 rows to `l1` as MXINT8: load, encode, store, some rows at a time. The next rows are
/// loaded as soon as these are encoded, so that the vector unit finds them ready.
struct FlashEncodeLane {
  /// Rows to bring: where from, where to, and where else in HBM the encoded rows are kept.
  struct Rows {
    var source: Tile<HBM>
    var destination: Tile<L1>
    /// What must have passed before the destination is overwritten.
    var free: [Token]
    var copy: Tile<HBM>?
  }

  private let values: BufferHandle<UB>
  private let encoded: BufferHandle<UB>
  /// Load of the rows that come next.
  private var loaded: Token?
  /// The encode that read `values` last, the stores that read `encoded` last.
  private var valuesRead: Token?
  private var encodedRead: Token?

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

  /// Emits the load of the rows that ``bring(_:_:)`` takes next, after `made` where a micro-op writes
  /// them. At most one load is ahead: a second one is not emitted.
  mutating func load(
    _ source: Tile<HBM>, after made: Token? = nil, _ p: inout ProgramBuilder
  ) {
    guard loaded == nil else { return }
    let target = values.tile(rows: source.rows, columns: source.columns)
    loaded = p.emit(
      LoadUB(target, from: source), after: valuesRead, and: made.map { [$0] } ?? [])
  }

  /// Emits encode and store of rows, and their load where it has not been emitted; returns the tokens
  /// of the stores to `l1` and to HBM.
  mutating func bring(_ rows: Rows, _ p: inout ProgramBuilder) -> (stored: Token, copied: Token?) {
    load(rows.source, &p)
    let target = encoded.tile(rows: rows.source.rows, columns: rows.source.columns)
    let source = values.tile(rows: rows.source.rows, columns: rows.source.columns)
    let made = p.emit(EncodeMX(target, source), after: loaded, and: encodedRead.map { [$0] } ?? [])
    loaded = nil
    valuesRead = made
    let stored = p.emit(StoreL1(rows.destination, from: target), after: made, and: rows.free)
    let copied = rows.copy.map { p.emit(StoreHBM($0, from: target), after: made) }
    encodedRead = copied ?? stored
    return (stored, copied)
  }
}
