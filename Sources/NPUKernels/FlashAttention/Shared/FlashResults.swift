import NPUSim

/// Makes and stores the results of query rows from m, l and O: out = O / l and lse = m·ln2 + ln l,
/// 0 and −∞ where l = 0.
struct FlashResults {
  /// What is known of a query tile at the end.
  struct Row {
    var tile: FlashQueryTile
    /// l, m and O, FP32.
    var sum: Tile<UB>
    var limit: Tile<UB>
    var output: Tile<UB>
    /// Rows at the top whose query sees no key: NaN that reached their O is not their result.
    var blind: Int
  }

  private let tensors: FlashTensors
  private let inverses: BufferHandle<UB>
  private let logarithms: BufferHandle<UB>
  private var logSumRing: Ring<UB>
  private var resultRing: Ring<UB>

  /// What it keeps in `ub`, for `inFlight` tiles at a time.
  static func buffers(rows: Int, headDim: Int, inFlight: Int) -> [PlannedBuffer] {
    ["inverse", "log_l", "lse_rows"].map {
      PlannedBuffer($0, .ub, .f32, slots: inFlight, rows: rows, columns: 1)
    } + [PlannedBuffer("out_rows", .ub, .bf16, slots: inFlight, rows: rows, columns: headDim)]
  }

  init(_ tensors: FlashTensors, _ memory: PlacedBuffers) throws(NPUError) {
    self.tensors = tensors
    inverses = try memory.buffer("inverse", in: UB.self)
    logarithms = try memory.buffer("log_l", in: UB.self)
    logSumRing = try memory.ring("lse_rows", in: UB.self)
    resultRing = try memory.ring("out_rows", in: UB.self)
  }

  /// Results of some tiles, micro-op by micro-op in turn.
  mutating func finish(_ rows: [Row], _ p: inout ProgramBuilder) {
    func inverse(_ position: Int) -> Tile<UB> {
      inverses.tile(slot: position, rows: rows[position].tile.rows)
    }
    func logarithm(_ position: Int) -> Tile<UB> {
      logarithms.tile(slot: position, rows: rows[position].tile.rows)
    }
    for (position, row) in rows.enumerated() {
      p.emit(Special<ReciprocalRule>(inverse(position), row.sum))
    }
    for (position, row) in rows.enumerated() {
      p.emit(Special<LogRule>(logarithm(position), row.sum))
    }
    for (position, row) in rows.enumerated() {
      p.emit(SelectScalar(inverse(position), where: row.sum, inverse(position), else: 0))
    }
    let logSums = rows.map { logSumRing.next().tile(rows: $0.tile.rows) }
    for (logSum, row) in zip(logSums, rows) {
      p.emit(WithScalar<MulRule>(logSum, row.limit, FlashReference.ln2))
    }
    for (position, logSum) in logSums.enumerated() {
      p.emit(Elementwise<AddRule>(logSum, logSum, logarithm(position)))
    }
    for (position, row) in rows.enumerated() {
      let result = resultRing.next().tile(rows: row.tile.rows)
      p.emit(RowBroadcast<MulRule>(result, row.output, inverse(position)))
      if row.blind > 0 { p.emit(Fill(result.rows(0..<row.blind), 0)) }
      store(row.tile, result, logSums[position], &p)
    }
  }

  /// out = 0 and lse = −∞ for queries that see no key.
  mutating func finishBlind(_ tile: FlashQueryTile, _ p: inout ProgramBuilder) {
    let logSum = logSumRing.next().tile(rows: tile.rows)
    p.emit(Fill(logSum, -.infinity))
    let result = resultRing.next().tile(rows: tile.rows)
    p.emit(Fill(result, 0))
    store(tile, result, logSum, &p)
  }

  private func store(
    _ tile: FlashQueryTile, _ result: Tile<UB>, _ logSum: Tile<UB>, _ p: inout ProgramBuilder
  ) {
    p.emit(StoreHBM(tensors.out.tile(row: tile.firstRow, rows: tile.rows), from: result))
    p.emit(StoreHBM(tensors.lse.tile(row: tile.firstRow, rows: tile.rows), from: logSum))
  }
}
