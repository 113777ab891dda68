import NPUSim

/// Brings chunks of one operand to `l1`: loaded as they are, or loaded as BF16, encoded by the
/// vector unit piece by piece, and stored.
struct GemmStaging {
  /// A chunk in `l1`.
  struct Chunk {
    var slot: Ring<L1>.Slot
    var ready: Token
    var depth: Range<Int>
  }

  /// The last feed of a step, by the step's first place along the depth of the chunk.
  private struct Read {
    var place: Int
    var token: Token
  }

  private let tensor: BufferHandle<HBM>
  private let operand: GemmOperand
  /// Whether rows of the tensor run along k: a matrix as second operand.
  private let isDeep: Bool
  private let pieceRows: Int
  private var ring: Ring<L1>
  private var encoding: (values: Ring<UB>, encoded: Ring<UB>)?
  private var held = 0
  /// Who has read what of the chunk before, and of the chunk in place, for each slot of the ring.
  private var readers: [[Read]]
  private var reads: [[Read]]
  /// Positions of the operand's loads in the work, and what is done of them.
  private var queue: [Int] = []
  private var position = 0
  private var piece = 0
  private var target: Ring<L1>.Slot?

  init(
    _ operand: GemmOperand, _ model: GemmCostModel, tensor: BufferHandle<HBM>,
    _ memory: PlacedBuffers
  ) throws(NPUError) {
    self.operand = operand
    self.tensor = tensor
    isDeep = model.isDeep(operand)
    let names = operand == .input ? model.input : model.other
    ring = try memory.ring(names.chunks, in: L1.self)
    readers = Array(repeating: [], count: ring.buffer.slots)
    reads = readers
    guard model.operands == .bf16 else {
      pieceRows = ring.buffer.rows
      encoding = nil
      return
    }
    let values = try memory.ring(names.values, in: UB.self)
    pieceRows = values.buffer.rows
    encoding = (values, try memory.ring(names.encoded, in: UB.self))
  }

  /// Takes on the operand's loads of some work.
  mutating func begin(_ work: GemmWork) {
    queue = work.loads.indices.filter { work.loads[$0].operand == operand }
    position = 0
    piece = 0
    target = nil
  }

  /// The load that comes next or is in progress, by its position in the work.
  var next: Int? { position < queue.count ? queue[position] : nil }

  /// Whether the next piece needs no slot that steps still to be emitted read.
  var hasRoom: Bool { target != nil || held < ring.buffer.slots }

  /// Rows and columns of a load in the tensor.
  private func place(_ load: GemmLoad) -> (rows: Range<Int>, columns: Range<Int>) {
    isDeep ? (load.depth, load.lines) : (load.lines, load.depth)
  }

  /// Micro-op groups that a chunk takes.
  func pieces(_ load: GemmLoad) -> Int {
    encoding == nil ? 1 : (place(load).rows.count - 1) / pieceRows + 1
  }

  /// Emits the next piece of `load`, which ``next`` names; returns the chunk when it is complete.
  mutating func emitPiece(of load: GemmLoad, _ p: inout ProgramBuilder) -> Chunk? {
    if target == nil { held += 1 }
    let slot = target ?? ring.acquire()
    target = slot
    let ready = emit(piece, of: load, to: slot, &p)
    piece += 1
    guard piece == pieces(load) else { return nil }
    position += 1
    piece = 0
    target = nil
    return Chunk(slot: slot, ready: ready, depth: load.depth)
  }

  /// Emits piece `index` of a chunk; returns what makes it readable for feeds.
  private mutating func emit(
    _ index: Int, of load: GemmLoad, to slot: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) -> Token {
    let (rows, columns) = place(load)
    guard var rings = encoding.take() else {
      return p.emit(
        LoadL1(
          slot.tile(rows: rows.count, columns: columns.count),
          from: tensor.tile(
            row: rows.lowerBound, column: columns.lowerBound, rows: rows.count,
            columns: columns.count)), after: free(slot, load))
    }
    let first = index * pieceRows
    let count = min(pieceRows, rows.count - first)
    let values = rings.values.acquire()
    let loaded = p.emit(
      LoadUB(
        values.tile(rows: count, columns: columns.count),
        from: tensor.tile(
          row: rows.lowerBound + first, column: columns.lowerBound, rows: count,
          columns: columns.count)), after: values.free)
    let encoded = rings.encoded.acquire()
    let made = p.emit(
      EncodeMX(
        encoded.tile(rows: count, columns: columns.count),
        values.tile(rows: count, columns: columns.count)), after: loaded, and: encoded.free)
    rings.values.release(values, after: made)
    let stored = p.emit(
      StoreL1(
        slot.tile(row: first, rows: count, columns: columns.count),
        from: encoded.tile(rows: count, columns: columns.count)),
      after: made, and: free(slot, load))
    rings.encoded.release(encoded, after: stored)
    encoding = rings
    return stored
  }

  /// What must be read before a load overwrites a slot: a short chunk, the last of the depth, leaves
  /// the places beyond it alone.
  private func free(_ slot: Ring<L1>.Slot, _ load: GemmLoad) -> [Token] {
    readers[slot.index].compactMap { $0.place < load.depth.count ? $0.token : nil }
  }

  /// Notes that a step at `place` along the depth of a chunk is fed.
  mutating func read(_ chunk: Chunk, at place: Int, by token: Token) {
    let slot = chunk.slot.index
    let known = reads[slot].firstIndex { $0.place == place }
    if let known {
      reads[slot][known].token = token
    } else {
      reads[slot].append(Read(place: place, token: token))
    }
  }

  /// Frees a chunk once its feeds have read it.
  mutating func release(_ chunk: Chunk) {
    held -= 1
    // Feeds come in order, so whoever waits for a later one has waited for those kept here, too.
    let slot = chunk.slot.index
    swap(&readers[slot], &reads[slot])
    reads[slot].removeAll(keepingCapacity: true)
  }
}
