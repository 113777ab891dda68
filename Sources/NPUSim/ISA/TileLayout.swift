/// Where tiles lie: buffers, row lists and the machine's granules. Answers byte questions.
public struct TileLayout: Sendable {
  public var buffers: [Buffer]
  /// Row lists of gathering and scattering tiles.
  public var indexLists: [[Int32]]
  /// Bytes of an HBM burst.
  public var burst: Int
  /// Row alignment in bytes, indexed by ``Space``.
  public var alignments: [Int]
  /// The FP32 lanes of a row reduction.
  public var lanes: Int
  /// What the accumulator register holds: the format of every `acc` tile.
  public var accumulator: AccumulatorMode

  public init(machine: MachineConfiguration) {
    buffers = []
    indexLists = []
    burst = max(1, machine.hbm.burst)
    alignments = machine.memories.map(\.alignment)
    lanes = machine.vector.lanes
    accumulator = machine.matrix.accumulator
  }

  /// One empty buffer: where placeholder operands lie.
  static let placeholder = TileLayout()

  private init() {
    buffers = [
      Buffer(
        name: "", space: .hbm, format: .bf16, axis: .alongColumns, role: .scratch, core: -1,
        slots: 0, rows: 0, columns: 0, base: 0, pitch: 0, slotStride: 0, scaleBase: 0,
        scalePitch: 0, scaleSlotStride: 0)
    ]
    indexLists = []
    burst = 1
    alignments = Space.allCases.map { _ in 1 }
    lanes = 1
    accumulator = .bf16
  }

  /// The layout of a finished program.
  public init(_ program: Program) {
    self.init(machine: program.machine)
    buffers = program.buffers
    indexLists = program.indexLists
  }

  /// Whether every element of the tile lies in its buffer.
  public func contains(_ tile: TileRef) -> Bool {
    guard Int(tile.buffer) < buffers.count else { return false }
    let buffer = buffers[Int(tile.buffer)]
    guard tile.slot >= 0, Int(tile.slot) < buffer.slots, tile.rows >= 0, tile.columns >= 0,
      tile.column >= 0, tile.row >= 0, Int(tile.column) + Int(tile.columns) <= buffer.columns
    else { return false }
    if tile.indexList == 0 { return Int(tile.row) + Int(tile.rows) <= buffer.rows }
    guard Int(tile.indexList) <= indexLists.count else { return false }
    let list = indexLists[Int(tile.indexList) - 1]
    let end = Int(tile.row) + Int(tile.rows)
    return end <= list.count
      && list[Int(tile.row)..<end].allSatisfy { $0 >= 0 && Int($0) < buffer.rows }
  }

  /// Whether an on-chip tile starts on the alignment of its memory and, in MXINT8, on a block.
  public func isAligned(_ tile: TileRef) -> Bool {
    guard tile.space.isOnChip else { return startsBlock(tile) }
    return startsBlock(tile)
      && Int(tile.column) * tile.format.bytes % alignments[tile.space.index] == 0
  }

  private func startsBlock(_ tile: TileRef) -> Bool {
    tile.format != .mxint8 || (tile.axis == .alongColumns ? tile.column : tile.row) % 32 == 0
  }

  /// What is wrong with the place of a tile, or `nil`.
  func defect(of tile: TileRef, named name: String, mnemonic: String) -> ProgramDefect? {
    guard Int(tile.buffer) < buffers.count, contains(tile) else {
      let extent =
        Int(tile.buffer) < buffers.count
        ? "\(buffers[Int(tile.buffer)].slots) × \(buffers[Int(tile.buffer)].rows) × "
          + "\(buffers[Int(tile.buffer)].columns)" : "nothing"
      return ProgramDefect(
        code: tile.space == .hbm ? .M005 : .M001,
        message: "\(mnemonic) names \(name), but the buffer holds \(extent)", core: 0,
        fix: "keep the tile inside its buffer, or enlarge the buffer")
    }
    guard isAligned(tile) else {
      return ProgramDefect(
        code: .M002,
        message: "\(mnemonic) names \(name), which does not start on "
          + (startsBlock(tile)
            ? "the alignment of \(alignments[tile.space.index]) bytes" : "a 32-element block"),
        core: 0, fix: "start tiles at aligned columns and whole blocks")
    }
    return nil
  }

  /// The payload bytes of a tile as runs on its plane. `padded` fills up the last 32-block.
  public func payloadRegions(_ tile: TileRef, padded: Bool = false) -> [Region] {
    let buffer = buffers[Int(tile.buffer)]
    let size = tile.format.bytes
    var rows = Int(tile.rows)
    var columns = Int(tile.columns)
    if padded && tile.format == .mxint8 {
      if tile.axis == .alongRows { rows = roundUp(rows, to: 32) }
      if tile.axis == .alongColumns { columns = roundUp(columns, to: 32) }
    }
    let origin = buffer.base + Int(tile.slot) * buffer.slotStride + Int(tile.column) * size
    return regions(
      tile, plane: Plane(payloadOf: tile.space), origin: origin, pitch: buffer.pitch,
      firstRow: Int(tile.row), rows: rows, runBytes: columns * size)
  }

  /// The scale bytes of an MXINT8 tile; empty for other formats.
  public func scaleRegions(_ tile: TileRef) -> [Region] {
    guard tile.format == .mxint8 else { return [] }
    let buffer = buffers[Int(tile.buffer)]
    let origin = buffer.scaleBase + Int(tile.slot) * buffer.scaleSlotStride
    let plane = Plane(scalesOf: tile.space)
    switch tile.axis {
    case .alongColumns:
      return regions(
        tile, plane: plane, origin: origin + Int(tile.column) / 32, pitch: buffer.scalePitch,
        firstRow: Int(tile.row), rows: Int(tile.rows), runBytes: (Int(tile.columns) + 31) / 32)
    case .alongRows:
      return [
        Region(
          plane: plane,
          base: origin + Int(tile.row) / 32 * buffer.scalePitch + Int(tile.column),
          pitch: buffer.scalePitch, runBytes: Int(tile.columns), rows: (Int(tile.rows) + 31) / 32)
      ].filter { !$0.isEmpty }
    }
  }

  /// Payload and scale bytes together.
  public func regions(_ tile: TileRef, padded: Bool = false) -> [Region] {
    payloadRegions(tile, padded: padded) + scaleRegions(tile)
  }

  /// Whether two tiles share a byte; `padded` fills up the last 32-block of each that is written so.
  public func overlap(
    _ a: TileRef, padded aPadded: Bool = false, _ b: TileRef, padded bPadded: Bool = false
  ) -> Bool {
    guard a.space == b.space else { return false }
    if a == b { return a.rows > 0 && a.columns > 0 }
    let others = regions(b, padded: bPadded)
    return regions(a, padded: aPadded).contains { region in
      others.contains { region.overlaps($0) }
    }
  }

  /// HBM bytes of a transfer of the tile: each contiguous run rounded out to whole bursts.
  public func burstBytes(_ tile: TileRef) -> Int {
    burstBytes(payloadRegions(tile)) + burstBytes(scaleRegions(tile))
  }

  private func burstBytes(_ regions: [Region]) -> Int {
    var total = 0
    for region in regions {
      // Runs lie alike in their bursts again after so many rows.
      let period = max(1, burst / Self.greatestDivisor(region.pitch % burst, burst))
      var inPeriod = 0
      var inRest = 0
      for row in 0..<min(period, region.rows) {
        let count = bursts(from: region.base + row * region.pitch, bytes: region.runBytes)
        inPeriod += count
        if row < region.rows % period { inRest += count }
      }
      total += region.rows < period ? inPeriod : region.rows / period * inPeriod + inRest
    }
    return total * burst
  }

  /// The greatest common divisor of two numbers that are not negative, `b` positive.
  private static func greatestDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while a != 0 { (a, b) = (b % a, a) }
    return b
  }

  private func bursts(from start: Int, bytes: Int) -> Int {
    (start + bytes + burst - 1) / burst - start / burst
  }

  /// Runs of `runBytes` at the rows of a tile, rows of a list joined where they touch.
  private func regions(
    _ tile: TileRef, plane: Plane, origin: Int, pitch: Int, firstRow: Int, rows: Int, runBytes: Int
  ) -> [Region] {
    guard rows > 0, runBytes > 0 else { return [] }
    if tile.indexList == 0 {
      return [
        Region(
          plane: plane, base: origin + firstRow * pitch, pitch: pitch, runBytes: runBytes,
          rows: rows)
      ]
    }
    let list = indexLists[Int(tile.indexList) - 1]
    var result: [Region] = []
    var first = firstRow
    let end = min(firstRow + rows, list.count)
    while first < end {
      var last = first
      while last + 1 < end && list[last + 1] == list[last] + 1 { last += 1 }
      result.append(
        Region(
          plane: plane, base: origin + Int(list[first]) * pitch, pitch: pitch, runBytes: runBytes,
          rows: last - first + 1))
      first = last + 1
    }
    return result
  }
}
