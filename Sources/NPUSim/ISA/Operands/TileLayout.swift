/// Where tiles lie: buffers, row lists and the machine's granules. Answers byte questions.
public struct TileLayout: Sendable {
  public var buffers: [Buffer]
  /// Row lists of gathering and scattering tiles.
  public var indexLists: [[Int32]]
  /// Their names, as messages have them; those that are missing go by their numbers.
  public var listNames: [String] = []
  /// Bytes of an HBM burst.
  public var burst: Int
  /// Row alignment in bytes, indexed by ``Space``.
  public var alignments: [Int]
  /// The FP32 lanes of a row reduction.
  public var lanes: Int
  /// What the accumulator register holds: the format of every `acc` tile.
  public var accumulator: AccumulatorMode
  /// The paths that the machine does not have, one bit each.
  private var absentPaths: UInt16 = 0

  public init(machine: MachineConfiguration) {
    buffers = []
    indexLists = []
    burst = max(1, machine.hbm.burst)
    alignments = machine.memories.map(\.alignment)
    lanes = machine.vector.lanes
    accumulator = machine.matrix.accumulator
    for (index, path) in machine.paths.enumerated() where !path.isPresent {
      absentPaths |= 1 << UInt16(truncatingIfNeeded: index)
    }
  }

  /// Whether the machine has a path.
  func has(_ path: TransferPath) -> Bool { absentPaths >> UInt16(path.index) & 1 == 0 }

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
    listNames = indexLists.indices.map(program.listName)
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

  func startsBlock(_ tile: TileRef) -> Bool {
    tile.format != .mxint8 || (tile.axis == .alongColumns ? tile.column : tile.row) % 32 == 0
  }

  /// The payload bytes of a tile as runs on its plane. `padded` fills up the last 32-block.
  public func payloadRegions(_ tile: TileRef, padded: Bool = false) -> [Region] {
    var regions: [Region] = []
    forEachPayloadRegion(tile, padded: padded) { regions.append($0) }
    return regions
  }

  /// The scale bytes of an MXINT8 tile; empty for other formats.
  public func scaleRegions(_ tile: TileRef) -> [Region] {
    var regions: [Region] = []
    forEachScaleRegion(tile) { regions.append($0) }
    return regions
  }

  /// Calls `body` with the runs of a tile's payload.
  @inline(__always)
  func forEachPayloadRegion(_ tile: TileRef, padded: Bool = false, _ body: (Region) -> Void) {
    let place = place(of: tile)
    let size = tile.format.bytes
    var rows = Int(tile.rows)
    var columns = Int(tile.columns)
    if padded && tile.format == .mxint8 {
      if tile.axis == .alongRows { rows = roundUp(rows, to: 32) }
      if tile.axis == .alongColumns { columns = roundUp(columns, to: 32) }
    }
    forEachRegion(
      tile, plane: Plane(payloadOf: tile.space), origin: place.payload + Int(tile.column) * size,
      pitch: place.pitch, firstRow: Int(tile.row), rows: rows, runBytes: columns * size, body)
  }

  /// Calls `body` with the runs of an MXINT8 tile's scales.
  @inline(__always)
  func forEachScaleRegion(_ tile: TileRef, _ body: (Region) -> Void) {
    guard tile.format == .mxint8 else { return }
    let place = place(of: tile)
    let plane = Plane(scalesOf: tile.space)
    switch tile.axis {
    case .alongColumns:
      forEachRegion(
        tile, plane: plane, origin: place.scales + Int(tile.column) / 32, pitch: place.scalePitch,
        firstRow: Int(tile.row), rows: Int(tile.rows), runBytes: (Int(tile.columns) + 31) / 32,
        body)
    case .alongRows:
      let region = Region(
        plane: plane,
        base: place.scales + Int(tile.row) / 32 * place.scalePitch + Int(tile.column),
        pitch: place.scalePitch, runBytes: Int(tile.columns), rows: (Int(tile.rows) + 31) / 32)
      if !region.isEmpty { body(region) }
    }
  }

  /// Where the slot of a tile lies: first bytes and pitches of its payload and its scales.
  @inline(__always)
  private func place(of tile: TileRef) -> (
    payload: Int, pitch: Int, scales: Int, scalePitch: Int
  ) {
    let index = Int(tile.buffer)
    let slot = Int(tile.slot)
    return (
      buffers[index].base + slot * buffers[index].slotStride, buffers[index].pitch,
      buffers[index].scaleBase + slot * buffers[index].scaleSlotStride, buffers[index].scalePitch
    )
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
    var total = 0
    forEachPayloadRegion(tile) { total += bursts(of: $0) }
    forEachScaleRegion(tile) { total += bursts(of: $0) }
    return total * burst
  }

  /// Bursts that the rows of a region touch, each row by itself.
  private func bursts(of region: Region) -> Int {
    if region.rows == 1 { return bursts(from: region.base, bytes: region.runBytes) }
    // Runs lie alike in their bursts again after so many rows.
    let period = max(1, burst / Self.greatestDivisor(region.pitch % burst, burst))
    var inPeriod = 0
    var inRest = 0
    for row in 0..<min(period, region.rows) {
      let count = bursts(from: region.base + row * region.pitch, bytes: region.runBytes)
      inPeriod += count
      if row < region.rows % period { inRest += count }
    }
    return region.rows < period ? inPeriod : region.rows / period * inPeriod + inRest
  }

  /// The greatest common divisor of two numbers that are not negative, `b` positive.
  private static func greatestDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while a != 0 { (a, b) = (b % a, a) }
    return b
  }

  /// Bytes that a run of a region takes of a port: whole bursts in HBM.
  func portBytes(ofRun start: Int, _ region: Region, _ space: Space) -> Int {
    space == .hbm ? bursts(from: start, bytes: region.runBytes) * burst : region.runBytes
  }

  private func bursts(from start: Int, bytes: Int) -> Int {
    (start + bytes + burst - 1) / burst - start / burst
  }

  /// Runs of `runBytes` at the rows of a tile, rows of a list joined where they touch.
  @inline(__always)
  private func forEachRegion(
    _ tile: TileRef, plane: Plane, origin: Int, pitch: Int, firstRow: Int, rows: Int, runBytes: Int,
    _ body: (Region) -> Void
  ) {
    guard rows > 0, runBytes > 0 else { return }
    forEachRun(of: tile, firstRow: firstRow, rows: rows) { run in
      body(
        Region(
          plane: plane, base: origin + run.lowerBound * pitch, pitch: pitch, runBytes: runBytes,
          rows: run.count))
    }
  }

  /// Calls `body` with the rows of its slot that a tile has, rows of a list joined where they follow
  /// one another.
  func forEachRun(of tile: TileRef, _ body: (Range<Int>) -> Void) {
    forEachRun(of: tile, firstRow: Int(tile.row), rows: Int(tile.rows), body)
  }

  @inline(__always)
  private func forEachRun(
    of tile: TileRef, firstRow: Int, rows: Int, _ body: (Range<Int>) -> Void
  ) {
    guard tile.indexList != 0 else { return body(firstRow..<firstRow + rows) }
    let list = indexLists[Int(tile.indexList) - 1]
    var first = firstRow
    let end = min(firstRow + rows, list.count)
    while first < end {
      var last = first
      while last + 1 < end && list[last + 1] == list[last] + 1 { last += 1 }
      body(Int(list[first])..<Int(list[last]) + 1)
      first = last + 1
    }
  }
}
