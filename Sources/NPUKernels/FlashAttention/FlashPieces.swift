import NPUSim

/// The pieces of K or of V in `l1`, brought in the order of their uses: loaded where they are MXINT8,
/// else encoded on the way. Encoded pieces that come back are kept in HBM as MXINT8.
struct FlashPieces {
  /// Where the rows come from.
  struct Source {
    var tensor: BufferHandle<HBM>
    var axis: BlockAxis
    /// Keys of a group, keys of a kv tile, keys of a piece, rows that are encoded at a time.
    var kv: Int
    var tileKV: Int
    var piece: Int
    var staged: Int

    /// Pieces of a kv tile.
    var perTile: Int { (tileKV - 1) / piece + 1 }
    /// Pieces of a group.
    var perGroup: Int { ((kv - 1) / tileKV + 1) * perTile }

    /// Group and keys of a piece.
    func place(_ piece: Int) -> (group: Int, keys: Range<Int>) {
      let inGroup = piece % perGroup
      let tile = inGroup / perTile * tileKV
      let start = tile + inGroup % perTile * self.piece
      return (piece / perGroup, start..<min(start + self.piece, min(kv, tile + tileKV)))
    }
  }

  private let source: Source
  private let residency: FlashResidency
  /// By use: the keys of its piece that it or a later use reads.
  private let needed: [Int]
  private let slots: BufferHandle<L1>
  private var lane: FlashEncodeLane?
  /// The encoded rows of each group that come back, in HBM.
  private let kept: BufferHandle<HBM>?
  private let firstGroup: Int

  /// Uses whose piece has been asked for, and rows of the next one that have been.
  private var fetched = 0
  private var rowsDone = 0

  /// What K and V keep on chip: `slots` pieces of `rows` keys of each in `l1`, and `staged` rows at a time
  /// that are encoded on the way; `nil` where they come encoded.
  static func buffers(_ slots: Int, rows: Int, headDim: Int, staged: Int?) -> [PlannedBuffer] {
    func operand(_ name: String, _ axis: BlockAxis) -> [PlannedBuffer] {
      let pieces = PlannedBuffer(
        name, .l1, .mxint8, slots: slots, rows: rows, columns: headDim, axis: axis)
      guard let staged else { return [pieces] }
      return [pieces] + FlashEncodeLane.buffers(name, rows: staged, columns: headDim, axis: axis)
    }
    return operand("k", .alongColumns) + operand("v", .alongRows)
  }

  /// - Parameters:
  ///   - uses: the piece of each use, in order.
  ///   - rows: the keys that each use reads, from the first one of its piece.
  init(
    _ name: String, _ source: Source, uses: [Int], rows: [Int], core: Int, _ memory: PlacedBuffers,
    _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.source = source
    var needed = rows
    var later: [Int: Int] = [:]
    for index in uses.indices.reversed() {
      needed[index] = max(rows[index], later[uses[index]] ?? 0)
      later[uses[index]] = needed[index]
    }
    self.needed = needed
    slots = try memory.buffer(name, in: L1.self)
    let count = slots.slots
    let isLoaded = source.tensor.format == .mxint8
    // A third of the slots is loaded at a time.
    residency = FlashResidency(
      uses, slots: count, ahead: isLoaded ? (count + 2) / 3 : 1)
    let groups = uses.map { $0 / source.perGroup }
    firstGroup = groups.min() ?? 0
    guard !isLoaded else {
      lane = nil
      kept = nil
      return
    }
    lane = try FlashEncodeLane(name, memory)
    kept =
      residency.uses.contains { $0.isReturn }
      ? try p.tensor(
        "\(name)_encoded_\(core)", .mxint8, slots: (groups.max() ?? 0) - firstGroup + 1,
        rows: source.kv, columns: slots.columns, axis: source.axis, role: .scratch) : nil
  }

  /// The keys of use `use` in `l1`.
  mutating func take(
    _ use: Int, rows: Int, columns: Int, _ p: inout ProgramBuilder
  ) -> Tile<L1> {
    while fetched <= use { advance(before: use, &p) }
    return slots.tile(slot: residency.uses[use].slot, rows: rows, columns: columns)
  }

  /// Emits the next part of a fetch if it may come before use `use`; false where there is none.
  @discardableResult
  mutating func advance(before use: Int, _ p: inout ProgramBuilder) -> Bool {
    skipPresent()
    let limit = use + residency.ahead
    guard fetched < residency.uses.count, fetched <= limit else { return false }
    if lane == nil {
      guard fetched <= use + 1 else { return false }
      loadAll(upTo: limit, &p)
      return true
    }
    let next = residency.uses[fetched]
    let (group, keys) = place(fetched)
    if next.isReturn {
      p.emit(
        LoadL1(slots.tile(slot: next.slot, rows: keys.count), from: keptTile(group, keys)))
      rowsDone = keys.count
    } else {
      bring(next, group, keys, &p)
    }
    if rowsDone == keys.count {
      fetched += 1
      rowsDone = 0
    }
    return true
  }

  /// Group and keys that the fetch of a use brings.
  private func place(_ use: Int) -> (group: Int, keys: Range<Int>) {
    let (group, keys) = source.place(residency.uses[use].piece)
    return (group, keys.lowerBound..<min(keys.upperBound, keys.lowerBound + needed[use]))
  }

  /// Passes over uses that find their piece in place.
  private mutating func skipPresent() {
    while fetched < residency.uses.count && !residency.uses[fetched].isFetch { fetched += 1 }
  }

  /// Loads the pieces of all uses up to `limit`.
  private mutating func loadAll(upTo limit: Int, _ p: inout ProgramBuilder) {
    while fetched < residency.uses.count, fetched <= limit {
      let next = residency.uses[fetched]
      let (group, keys) = place(fetched)
      p.emit(
        LoadL1(slots.tile(slot: next.slot, rows: keys.count), from: hbm(source.tensor, group, keys))
      )
      fetched += 1
      skipPresent()
    }
  }

  private mutating func bring(
    _ use: FlashResidency.Use, _ group: Int, _ keys: Range<Int>, _ p: inout ProgramBuilder
  ) {
    let count = min(source.staged, keys.count - rowsDone)
    let first = keys.lowerBound + rowsDone
    let part = first..<first + count
    let rows = FlashEncodeLane.Rows(
      source: hbm(source.tensor, group, part),
      destination: slots.tile(slot: use.slot, row: rowsDone, rows: count),
      copy: use.returns ? keptTile(group, part) : nil)
    lane?.bring(rows, &p)
    rowsDone += count
    if let next = following(part, keys) { lane?.load(next, &p) }
  }

  /// The rows that the lane encodes after `part` of `keys`, or `nil` at the end.
  private func following(_ part: Range<Int>, _ keys: Range<Int>) -> Tile<HBM>? {
    if part.upperBound < keys.upperBound {
      let group = source.place(residency.uses[fetched].piece).group
      let end = min(keys.upperBound, part.upperBound + source.staged)
      return hbm(source.tensor, group, part.upperBound..<end)
    }
    let next = residency.uses[(fetched + 1)...].firstIndex { $0.isFetch && !$0.isReturn }
    return next.map { use in
      let (group, keys) = place(use)
      let end = min(keys.upperBound, keys.lowerBound + source.staged)
      return hbm(source.tensor, group, keys.lowerBound..<end)
    }
  }

  private func hbm(_ tensor: BufferHandle<HBM>, _ slot: Int, _ keys: Range<Int>) -> Tile<HBM> {
    tensor.tile(slot: slot, row: keys.lowerBound, rows: keys.count)
  }

  private func keptTile(_ group: Int, _ keys: Range<Int>) -> Tile<HBM> {
    hbm(kept ?? source.tensor, group - firstGroup, keys)
  }
}
