import NPUSim

/// Brings the tiles of k and v to `l1` as MXINT8 in the order in which they are fed: loaded as they
/// are, or loaded, encoded by the vector unit piece by piece, and stored.
struct FlashCacheStream {
  enum Operand {
    case key, value
  }

  /// Rows of k or v of one kv head that are fed together.
  struct Chunk {
    var operand: Operand
    var group: Int
    var keys: Range<Int>
  }

  /// A chunk in `l1`.
  struct Staged {
    var slot: Ring<L1>.Slot
    var ready: Token
  }

  /// The rings of the pieces on their way through `ub`.
  private struct Encoding {
    var rows: Ring<UB>
    var scales: Ring<UB>?
    var decoded: Ring<UB>?
    var keys: Ring<UB>
    var values: Ring<UB>
  }

  /// Rows of a chunk that are encoded at once.
  private struct Piece {
    var chunk: Int
    var keys: Range<Int>
  }

  private struct Loaded {
    var rows: Ring<UB>.Slot
    var scales: Ring<UB>.Slot?
    var token: Token
  }

  private let form: FlashShape
  private let tensors: FlashTensors
  private let rows: FlashCacheRows
  private let window: Int
  private let stagedRows: Int
  private var keyRing: Ring<L1>
  private var valueRing: Ring<L1>
  private var encoding: Encoding?
  private var lists: [Int: UInt32] = [:]

  private var chunks: [Chunk] = []
  private var pieces: [Piece] = []
  private var loaded: [Loaded] = []
  private var nextPiece = 0
  private var target: Ring<L1>.Slot?
  private var staged: [Staged] = []
  private var fed: [Token] = []

  init(
    _ kernel: FlashAttention, _ tensors: FlashTensors, _ memory: PlacedBuffers
  ) throws(NPUError) {
    form = kernel.form
    self.tensors = tensors
    rows = FlashCacheRows(kernel.form, table: tensors.pages)
    window = kernel.plan.kvStages
    stagedRows = kernel.plan.stagedRows
    keyRing = try memory.ring("k", in: L1.self)
    valueRing = try memory.ring("v", in: L1.self)
    if kernel.form.kvFormat != .mxint8 {
      encoding = Encoding(
        rows: try memory.ring("rows", in: UB.self),
        scales: kernel.form.kvFormat.isFP8 ? try memory.ring("scales", in: UB.self) : nil,
        decoded: kernel.rung == .composed ? try memory.ring("decoded", in: UB.self) : nil,
        keys: try memory.ring("k_mx", in: UB.self),
        values: try memory.ring("v_mx", in: UB.self))
    }
  }

  /// The rings that staging needs.
  static func buffers(
    _ form: FlashShape, _ plan: FlashSchedule, keyRows: Int, isComposed: Bool
  ) -> [PlannedBuffer] {
    let d = form.headDim
    var result = [
      PlannedBuffer("k", .l1, .mxint8, slots: plan.kvStages, rows: keyRows, columns: d),
      PlannedBuffer(
        "v", .l1, .mxint8, slots: plan.kvStages,
        rows: min(plan.tileKV, form.kv), columns: d, axis: .alongRows),
    ]
    guard form.kvFormat != .mxint8 else { return result }
    let lines = min(plan.stagedRows, plan.tileKV, form.kv)
    let ahead = plan.rowStages
    func add(
      _ name: String, _ format: ElementFormat, _ slots: Int, columns: Int,
      axis: BlockAxis = .alongColumns
    ) {
      result.append(
        PlannedBuffer(
          name, .ub, format, slots: slots, rows: lines, columns: columns,
          axis: axis))
    }
    add("rows", form.kvFormat.element, ahead, columns: d)
    if form.kvFormat.isFP8 { add("scales", .f32, ahead, columns: form.scaleBlocks) }
    if isComposed { add("decoded", .f32, 1, columns: d) }
    add("k_mx", .mxint8, plan.stages > 1 ? 2 : 1, columns: d)
    add("v_mx", .mxint8, plan.stages > 1 ? 2 : 1, columns: d, axis: .alongRows)
    return result
  }

  /// Takes on chunks in the order in which they will be fed.
  mutating func begin(_ chunks: [Chunk]) {
    self.chunks = chunks
    for (index, chunk) in chunks.enumerated() {
      let step = encoding == nil ? chunk.keys.count : stagedRows
      for start in stride(from: chunk.keys.lowerBound, to: chunk.keys.upperBound, by: step) {
        pieces.append(
          Piece(chunk: index, keys: start..<min(start + step, chunk.keys.upperBound)))
      }
    }
  }

  /// Whether a piece may be staged before the next chunk is fed: chunks are staged a window ahead.
  var wantsPiece: Bool {
    nextPiece < pieces.count && staged.count < fed.count + window
  }

  /// Stages the next piece.
  mutating func emitPiece(_ p: inout ProgramBuilder) {
    let piece = pieces[nextPiece]
    let chunk = chunks[piece.chunk]
    let isFirst = target == nil
    let slot = target ?? (chunk.operand == .key ? keyRing.acquire() : valueRing.acquire())
    target = slot
    let free = isFirst ? slot.free : []
    let ready: Token
    if var rings = encoding {
      ready = encode(piece, chunk, to: slot, after: free, &rings, &p)
      encoding = rings
    } else {
      ready = load(chunk, to: slot, after: free, &p)
    }
    nextPiece += 1
    if piece.keys.upperBound == chunk.keys.upperBound {
      staged.append(Staged(slot: slot, ready: ready))
      target = nil
    }
  }

  /// The next chunk to feed; it has been staged.
  var next: Staged { staged[fed.count] }

  /// Frees the chunk that ``next`` gave once the feed of `token` has read it.
  mutating func release(after token: Token) {
    let slot = next.slot
    if chunks[fed.count].operand == .key {
      keyRing.release(slot, after: token)
    } else {
      valueRing.release(slot, after: token)
    }
    fed.append(token)
  }

  // MARK: MXINT8

  /// Loads a chunk, page by page where the cache is paged.
  private func load(
    _ chunk: Chunk, to slot: Ring<L1>.Slot, after free: [Token], _ p: inout ProgramBuilder
  ) -> Token {
    let tensor = chunk.operand == .key ? tensors.k : tensors.v
    var start = chunk.keys.lowerBound
    while true {
      let place = rows.place(group: chunk.group, key: start)
      let page = form.page ?? form.kv
      let count = min(chunk.keys.upperBound - start, page - place.row)
      let token = p.emit(
        LoadL1(
          slot.tile(row: start - chunk.keys.lowerBound, rows: count, columns: form.headDim),
          from: tensor.tile(
            slot: place.slot, row: place.row, rows: count, columns: form.headDim)),
        after: free)
      start += count
      if start >= chunk.keys.upperBound { return token }
    }
  }

  // MARK: Other formats

  /// Encodes a piece that was loaded ahead, and stores it.
  private mutating func encode(
    _ piece: Piece, _ chunk: Chunk, to slot: Ring<L1>.Slot, after free: [Token],
    _ rings: inout Encoding, _ p: inout ProgramBuilder
  ) -> Token {
    while loaded.count < min(pieces.count, nextPiece + rings.rows.buffer.slots) {
      loaded.append(loadRows(pieces[loaded.count], &rings, &p))
    }
    let source = loaded[nextPiece]
    let count = piece.keys.count
    let d = form.headDim
    let encoded = chunk.operand == .key ? rings.keys.acquire() : rings.values.acquire()
    let result = encoded.tile(rows: count, columns: d)
    let raw = source.rows.tile(rows: count, columns: d)
    let tokens = [source.token] + encoded.free
    let read: Token
    let made: Token
    if let scales = source.scales {
      let factors = scales.tile(rows: count, columns: form.scaleBlocks)
      if var decoded = rings.decoded {
        let values = decoded.acquire().tile(rows: count, columns: d)
        rings.decoded = decoded
        p.emit(Cast(values, raw), after: source.token)
        read = p.emit(BlockBroadcast<MulRule>(values, values, factors), after: [])
        made = p.emit(EncodeMX(result, values), after: encoded.free)
      } else {
        made = p.emit(RequantiseFP8(result, raw, factors), after: tokens)
        read = made
      }
      rings.scales?.release(scales, after: read)
    } else {
      made = p.emit(EncodeMX(result, raw), after: tokens)
      read = made
    }
    rings.rows.release(source.rows, after: read)
    let stored = p.emit(
      StoreL1(
        slot.tile(row: piece.keys.lowerBound - chunk.keys.lowerBound, rows: count, columns: d),
        from: result), after: [made] + free)
    if chunk.operand == .key {
      rings.keys.release(encoded, after: stored)
    } else {
      rings.values.release(encoded, after: stored)
    }
    return stored
  }

  private mutating func loadRows(
    _ piece: Piece, _ rings: inout Encoding, _ p: inout ProgramBuilder
  ) -> Loaded {
    let chunk = chunks[piece.chunk]
    let slot = rings.rows.acquire()
    let isKey = chunk.operand == .key
    var token = fetch(
      slot.tile(rows: piece.keys.count, columns: form.headDim), isKey ? tensors.k : tensors.v,
      chunk.group, piece.keys, columns: form.headDim, after: slot.free, &p)
    var scaleSlot: Ring<UB>.Slot?
    if let scales = tensors.scales, let target = rings.scales?.acquire() {
      token = fetch(
        target.tile(rows: piece.keys.count, columns: form.scaleBlocks),
        isKey ? scales.k : scales.v, chunk.group, piece.keys, columns: form.scaleBlocks,
        after: target.free, &p)
      scaleSlot = target
    }
    return Loaded(rows: slot, scales: scaleSlot, token: token)
  }

  /// Loads rows of a tensor: as they lie, or through the list of a group's rows.
  private mutating func fetch(
    _ target: Tile<UB>, _ tensor: BufferHandle<HBM>, _ group: Int, _ keys: Range<Int>,
    columns: Int, after free: [Token], _ p: inout ProgramBuilder
  ) -> Token {
    guard form.page != nil else {
      return p.emit(
        LoadUB(
          target,
          from: tensor.tile(
            slot: group, row: keys.lowerBound, rows: keys.count, columns: columns)), after: free)
    }
    let list: UInt32
    if let known = lists[group] {
      list = known
    } else {
      list = p.indexList(
        (0..<form.kv).map { Int32(clamping: rows.row(group: group, key: $0)) })
      lists[group] = list
    }
    return p.emit(
      GatherUB(
        target,
        from: tensor.gathered(list, first: keys.lowerBound, rows: keys.count, columns: columns)),
      after: free)
  }
}
