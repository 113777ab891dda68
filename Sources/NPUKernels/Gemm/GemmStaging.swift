import NPUSim

/// Brings chunks of one operand to `l1`: loaded as they are, or loaded as BF16, encoded by the
/// vector unit piece by piece, and stored.
struct GemmStaging {
  /// The rings through which chunks are encoded.
  private struct Encoding {
    let values: Ring<UB>
    let encoded: Ring<UB>
  }

  private let tensor: BufferHandle<HBM>
  /// Whether rows of the tensor run along k: a matrix as second operand.
  private let isDeep: Bool
  private let pieceRows: Int
  private let ring: Ring<L1>
  private let encoding: Encoding?
  /// Pieces that have been encoded.
  private var encoded = 0
  /// Chunks in `l1`.
  private var held = 0
  /// Positions of the operand's loads in the work; by position, which of them it is.
  private let queue: [Int]
  private let turns: [Int]
  /// What is done of the loads.
  private var turn = 0
  private var piece = 0

  init(
    _ operand: GemmOperand, of work: GemmWork, _ model: GemmCostModel, tensor: BufferHandle<HBM>,
    _ memory: PlacedBuffers
  ) throws(NPUError) {
    self.tensor = tensor
    isDeep = model.isDeep(operand)
    var queue: [Int] = []
    var turns: [Int] = []
    for (index, load) in work.loads.enumerated() {
      turns.append(queue.count)
      if load.operand == operand { queue.append(index) }
    }
    self.queue = queue
    self.turns = turns
    let names = operand == .input ? model.input : model.other
    ring = try memory.ring(names.chunks, in: L1.self)
    guard model.operands == .bf16 else {
      pieceRows = ring.buffer.rows
      encoding = nil
      return
    }
    let values = try memory.ring(names.values, in: UB.self)
    pieceRows = values.buffer.rows
    encoding = Encoding(values: values, encoded: try memory.ring(names.encoded, in: UB.self))
  }

  /// The load that comes next or is in progress, by its position in the work.
  var next: Int? { turn < queue.count ? queue[turn] : nil }

  /// Whether the next piece needs no slot that steps still to be emitted read.
  var hasRoom: Bool { piece > 0 || held < ring.buffer.slots }

  /// Where the chunk lies that a load of the work brings.
  func slot(ofLoad index: Int) -> Ring<L1>.Slot { ring[turns[index]] }

  /// Rows and columns of a load in the tensor.
  private func place(_ load: GemmLoad) -> RowTile {
    isDeep
      ? RowTile(rows: load.depth, columns: load.lines)
      : RowTile(rows: load.lines, columns: load.depth)
  }

  /// Micro-op groups that a chunk takes.
  func pieces(_ load: GemmLoad) -> Int {
    encoding == nil ? 1 : (place(load).rows.count - 1) / pieceRows + 1
  }

  /// Emits the next piece of `load`, which ``next`` names.
  mutating func emitPiece(of load: GemmLoad, _ p: inout ProgramBuilder) {
    if piece == 0 { held += 1 }
    emit(piece, of: place(load), to: ring[turn], &p)
    piece += 1
    if piece == pieces(load) {
      turn += 1
      piece = 0
    }
  }

  private mutating func emit(
    _ index: Int, of chunk: RowTile, to slot: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    let columns = chunk.columns.count
    guard let encoding else {
      p.emit(
        LoadL1(slot.tile(rows: chunk.rows.count, columns: columns), from: tensor.tile(chunk)))
      return
    }
    let first = index * pieceRows
    let rows = min(pieceRows, chunk.rows.count - first)
    var part = chunk
    part.rows = chunk.rows.dropFirst(first).prefix(rows)
    let values = encoding.values[encoded].tile(rows: rows, columns: columns)
    let codes = encoding.encoded[encoded].tile(rows: rows, columns: columns)
    encoded += 1
    p.emit(LoadUB(values, from: tensor.tile(part)))
    p.emit(EncodeMX(codes, values))
    p.emit(StoreL1(slot.tile(row: first, rows: rows, columns: columns), from: codes))
  }

  /// Gives up a chunk: no later step reads it.
  mutating func release() { held -= 1 }
}
