import NPUSim

/// Brings rows of k and v to `l1` as MXINT8: loaded as they are, or loaded, encoded by the vector unit
/// piece by piece, and stored.
struct FlashCacheStream {
  enum Operand {
    case key, value
  }

  /// Rows of k or v that are brought together: of one kv head, or of several side by side.
  struct Chunk {
    var operand: Operand
    var groups: Range<Int>
    var keys: Range<Int>

    /// Of one kv head.
    init(_ operand: Operand, group: Int, keys: Range<Int>) {
      self.init(operand, groups: group..<group + 1, keys: keys)
    }

    init(_ operand: Operand, groups: Range<Int>, keys: Range<Int>) {
      (self.operand, self.groups, self.keys) = (operand, groups, keys)
    }
  }

  /// The rings of the pieces on their way through `ub`.
  private struct Encoding {
    var rows: Ring<UB>
    var scales: Ring<UB>?
    let decoded: BufferHandle<UB>?
    var keys: Ring<UB>
    var values: Ring<UB>
  }

  private let form: FlashShape
  private let tensors: FlashTensors
  /// k and v with the rows of several kv heads as one, where they lie so.
  private let wide: (k: BufferHandle<HBM>?, v: BufferHandle<HBM>?)
  private let rows: FlashCacheRows
  private let stagedRows: Int
  private var keyRing: Ring<L1>
  private var valueRing: Ring<L1>
  private var encoding: Encoding?
  private var lists: [Int: UInt32] = [:]

  /// - Parameter groups: kv heads whose rows are brought together.
  init(
    _ kernel: FlashAttention, _ tensors: FlashTensors, groups: Int = 1, _ memory: PlacedBuffers,
    _ p: inout ProgramBuilder
  ) throws(NPUError) {
    form = kernel.form
    self.tensors = tensors
    wide = (
      try p.sideBySide(tensors.k, slots: groups), try p.sideBySide(tensors.v, slots: groups)
    )
    rows = FlashCacheRows(kernel.form, table: tensors.pages)
    stagedRows = kernel.plan.stagedRows
    keyRing = try memory.ring("k", in: L1.self)
    valueRing = try memory.ring("v", in: L1.self)
    if kernel.form.kvFormat != .mxint8 {
      encoding = Encoding(
        rows: try memory.ring("rows", in: UB.self),
        scales: kernel.form.kvFormat.isFP8 ? try memory.ring("scales", in: UB.self) : nil,
        decoded: kernel.rung == .composed ? try memory.buffer("decoded", in: UB.self) : nil,
        keys: try memory.ring("k_mx", in: UB.self),
        values: try memory.ring("v_mx", in: UB.self))
    }
  }

  /// The rings that staging needs, for rows of `groups` kv heads side by side.
  static func buffers(
    _ form: FlashShape, _ plan: FlashSchedule, keyRows: Int, groups: Int = 1, isComposed: Bool
  ) -> [PlannedBuffer] {
    let d = form.headDim * groups
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
    if form.kvFormat.isFP8 { add("scales", .f32, ahead, columns: form.scaleBlocks * groups) }
    if isComposed { add("decoded", .f32, 1, columns: d) }
    add("k_mx", .mxint8, plan.stages > 1 ? 2 : 1, columns: d)
    add("v_mx", .mxint8, plan.stages > 1 ? 2 : 1, columns: d, axis: .alongRows)
    return result
  }

  /// Brings a chunk to a slot of its operand.
  mutating func bring(_ chunk: Chunk, _ p: inout ProgramBuilder) -> Ring<L1>.Slot {
    let slot = chunk.operand == .key ? keyRing.next() : valueRing.next()
    if var rings = encoding {
      for keys in RowTile.pieces(chunk.keys, stagedRows) {
        encode(keys, of: chunk, to: slot, &rings, &p)
      }
      encoding = rings
    } else {
      load(chunk, to: slot, &p)
    }
    return slot
  }

  // MARK: MXINT8

  /// Loads a chunk, page by page where the cache is paged.
  private func load(_ chunk: Chunk, to slot: Ring<L1>.Slot, _ p: inout ProgramBuilder) {
    let tensor = chunk.operand == .key ? tensors.k : tensors.v
    var start = chunk.keys.lowerBound
    while start < chunk.keys.upperBound {
      let page = form.page ?? form.kv
      let count = min(chunk.keys.upperBound - start, page - start % page)
      for (index, group) in chunk.groups.enumerated() {
        let place = rows.place(group: group, key: start)
        p.emit(
          LoadL1(
            slot.tile(
              row: start - chunk.keys.lowerBound, column: index * form.headDim, rows: count,
              columns: form.headDim),
            from: tensor.tile(
              slot: place.slot, row: place.row, rows: count, columns: form.headDim)))
      }
      start += count
    }
  }

  // MARK: Other formats

  /// Loads some rows of a chunk, encodes and stores them.
  private mutating func encode(
    _ keys: Range<Int>, of chunk: Chunk, to slot: Ring<L1>.Slot, _ rings: inout Encoding,
    _ p: inout ProgramBuilder
  ) {
    let isKey = chunk.operand == .key
    let (count, d) = (keys.count, form.headDim * chunk.groups.count)
    let rows = rings.rows.next().tile(rows: count, columns: d)
    if let wide = isKey ? wide.k : wide.v, wide.columns == d {
      let slot = chunk.groups.lowerBound / chunk.groups.count
      p.emit(LoadUB(rows, from: wide.tile(slot: slot, row: keys.lowerBound, rows: count)))
    } else {
      fetch(rows, isKey ? tensors.k : tensors.v, chunk.groups, keys, &p)
    }
    let encoded = isKey ? rings.keys.next() : rings.values.next()
    let result = encoded.tile(rows: count, columns: d)
    if let scales = tensors.scales, let factors = rings.scales?.next().tile(rows: count) {
      fetch(factors, isKey ? scales.k : scales.v, chunk.groups, keys, &p)
      if let decoded = rings.decoded {
        let values = decoded.tile(rows: count, columns: d)
        p.emit(Cast(values, rows))
        p.emit(BlockBroadcast<MulRule>(values, values, factors))
        p.emit(EncodeMX(result, values))
      } else {
        p.emit(RequantiseFP8(result, rows, factors))
      }
    } else {
      p.emit(EncodeMX(result, rows))
    }
    p.emit(
      StoreL1(
        slot.tile(row: keys.lowerBound - chunk.keys.lowerBound, rows: count, columns: d),
        from: result))
  }

  /// Loads rows of a tensor, those of a group beside those of the one before.
  private mutating func fetch(
    _ target: Tile<UB>, _ tensor: BufferHandle<HBM>, _ groups: Range<Int>, _ keys: Range<Int>,
    _ p: inout ProgramBuilder
  ) {
    let width = target.columns / groups.count
    for (index, group) in groups.enumerated() {
      fetch(target.columns(index * width..<(index + 1) * width), tensor, group, keys, &p)
    }
  }

  /// Loads rows of a tensor: as they lie, or through the list of a group's rows.
  private mutating func fetch(
    _ target: Tile<UB>, _ tensor: BufferHandle<HBM>, _ group: Int, _ keys: Range<Int>,
    _ p: inout ProgramBuilder
  ) {
    let (first, count) = (keys.lowerBound, keys.count)
    guard form.page != nil else {
      p.emit(
        LoadUB(
          target, from: tensor.tile(slot: group, row: first, rows: count, columns: target.columns)))
      return
    }
    let list: UInt32
    if let known = lists[group] {
      list = known
    } else {
      list = p.indexList(
        (0..<form.kv).map { Int32(clamping: rows.row(group: group, key: $0)) })
      lists[group] = list
    }
    p.emit(
      GatherUB(
        target, from: tensor.gathered(list, first: first, rows: count, columns: target.columns)))
  }
}
