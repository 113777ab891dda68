import NPUSim

/// Brings rows to `l1` as MXINT8: load, encode, store, some rows at a time. They are BF16, or FP8 codes
/// with their scales.
struct FlashEncodeLane {
  /// Rows to bring: where from, where to, and where else in HBM the encoded rows are kept.
  struct Rows {
    var source: Tile<HBM>
    var destination: Tile<L1>
    var copy: Tile<HBM>?
    /// Of FP8 codes.
    var scales: Tile<HBM>?
  }

  /// The most rows at a time.
  var rows: Int { values.rows }

  private let values: BufferHandle<UB>
  private let factors: BufferHandle<UB>?
  private let encoded: BufferHandle<UB>

  /// What it keeps in `ub`, for up to `rows` rows at a time.
  ///
  /// - Parameter scales: scales of a row of FP8 codes; of BF16 there are none.
  static func buffers(
    _ name: String, _ format: ElementFormat = .bf16, rows: Int, columns: Int, scales: Int = 0,
    axis: BlockAxis = .alongColumns
  ) -> [PlannedBuffer] {
    let values = PlannedBuffer(
      name + (scales > 0 ? "_fp8" : "_bf16"), .ub, format, rows: rows, columns: columns)
    let encoded = PlannedBuffer(
      name + "_mx", .ub, .mxint8, rows: rows, columns: columns, axis: axis)
    guard scales > 0 else { return [values, encoded] }
    return [
      values, PlannedBuffer(name + "_scale", .ub, .f32, rows: rows, columns: scales), encoded,
    ]
  }

  init(
    _ name: String, hasScales: Bool = false, _ memory: PlacedBuffers
  ) throws(NPUError) {
    values = try memory.buffer(name + (hasScales ? "_fp8" : "_bf16"), in: UB.self)
    factors = hasScales ? try memory.buffer(name + "_scale", in: UB.self) : nil
    encoded = try memory.buffer(name + "_mx", in: UB.self)
  }

  /// Emits load, encode and store of rows.
  func bring(_ rows: Rows, _ p: inout ProgramBuilder) {
    let source = values.tile(rows: rows.source.rows, columns: rows.source.columns)
    let target = encoded.tile(rows: rows.source.rows, columns: rows.source.columns)
    p.emit(LoadUB(source, from: rows.source))
    if let scales = rows.scales, let factors = factors?.tile(rows: rows.source.rows) {
      p.emit(LoadUB(factors, from: scales))
      p.emit(RequantiseFP8(target, source, factors))
    } else {
      p.emit(EncodeMX(target, source))
    }
    p.emit(StoreL1(rows.destination, from: target))
    if let copy = rows.copy { p.emit(StoreHBM(copy, from: target)) }
  }
}
