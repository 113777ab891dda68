/// Where the allocations of a program lie, and which of them share bytes.
struct AllocationMap {
  /// What is known of all bytes of a domain.
  struct Domain {
    /// In HBM, which the cores share.
    var isShared: Bool
    /// Initialised before the program starts.
    var isInitial: Bool
  }

  /// The payload or the scales of one buffer.
  private struct Allocation {
    var buffer: Int
    var core: Int32
    var plane: Plane
    var start: Int
    var end: Int
    var pitch: Int
    var slotStride: Int
    var slots: Int
    var isScale: Bool
    /// Rows and columns of a slot serve as coordinates; otherwise addresses do.
    var isGrid = true
    /// Nobody writes it and it is initialised: its bytes need no history.
    var isConstant = false
    var firstDomain: UInt32 = 0
  }

  private let program: Program
  private let layout: TileLayout
  private let use: TileUse
  private var allocations: [Allocation] = []
  /// Index of the payload and the scale allocation of each buffer, −1 for none.
  private var payloads: [Int]
  private var scales: [Int]

  init(_ program: Program, layout: TileLayout, use: TileUse) {
    self.program = program
    self.layout = layout
    self.use = use
    payloads = Array(repeating: -1, count: program.buffers.count)
    scales = Array(repeating: -1, count: program.buffers.count)
    for (index, buffer) in program.buffers.enumerated() {
      add(
        Allocation(
          buffer: index, core: buffer.core, plane: Plane(payloadOf: buffer.space),
          start: buffer.base, end: buffer.base + buffer.payloadExtent, pitch: buffer.pitch,
          slotStride: buffer.slotStride, slots: buffer.slots, isScale: false))
      add(
        Allocation(
          buffer: index, core: buffer.core, plane: Plane(scalesOf: buffer.space),
          start: buffer.scaleBase, end: buffer.scaleBase + buffer.scaleExtent,
          pitch: buffer.scalePitch, slotStride: buffer.scaleSlotStride, slots: buffer.slots,
          isScale: true))
    }
  }

  private mutating func add(_ allocation: Allocation) {
    guard allocation.end > allocation.start else { return }
    if allocation.isScale {
      scales[allocation.buffer] = allocations.count
    } else {
      payloads[allocation.buffer] = allocations.count
    }
    allocations.append(allocation)
  }

  // MARK: Rectangles

  /// The rectangles of all used footprints, and their domains. Domains of HBM come last.
  ///
  /// Footprints from `2 × tiles` on stand for the extents of initialised tensors that share bytes
  /// with others.
  func rects() -> ([ByteRect], [Domain]) {
    var map = self
    map.findConstants()
    // An allocation that its own coordinates do not fit is addressed by bytes; then once more.
    while true {
      let domains = map.assignDomains()
      var misfits: Set<Int> = []
      let rects = map.collect(&misfits)
      if misfits.isEmpty { return (rects, domains) }
      for index in misfits {
        let misfit = map.allocations[index]
        // Bytes past its end belong to whatever lies there.
        for other in map.allocations.indices
        where map.allocations[other].plane == misfit.plane
          && map.allocations[other].core == misfit.core
        {
          map.allocations[other].isGrid = false
          map.allocations[other].isConstant = false
        }
      }
    }
  }

  /// Marks initialised tensors that no micro-op writes and that share no byte with another buffer.
  private mutating func findConstants() {
    var isWritten = [Bool](repeating: false, count: program.buffers.count)
    for (index, tile) in program.tiles.enumerated()
    where use.flags[index] & (TileUse.written | TileUse.filled) != 0 {
      isWritten[Int(tile.buffer)] = true
    }
    for index in allocations.indices {
      let buffer = allocations[index].buffer
      allocations[index].isConstant = isInitial(buffer) && !isWritten[buffer]
    }
    for group in overlapping() where group.count > 1 {
      for index in group {
        allocations[index].isGrid = false
        allocations[index].isConstant = false
      }
    }
  }

  private func isInitial(_ buffer: Int) -> Bool {
    let role = program.buffers[buffer].role
    return role == .input || role == .inputOutput
  }

  /// Allocations grouped by shared bytes.
  private func overlapping() -> [[Int]] {
    let order = allocations.indices.sorted {
      let a = allocations[$0]
      let b = allocations[$1]
      return (a.core, a.plane.rawValue, a.start) < (b.core, b.plane.rawValue, b.start)
    }
    var groups: [[Int]] = []
    var reach = 0
    for index in order {
      let allocation = allocations[index]
      if let last = groups.last?.last, allocations[last].core == allocation.core,
        allocations[last].plane == allocation.plane, allocation.start < reach
      {
        groups[groups.count - 1].append(index)
        reach = max(reach, allocation.end)
      } else {
        groups.append([index])
        reach = allocation.end
      }
    }
    return groups
  }

  private mutating func assignDomains() -> [Domain] {
    var domains: [Domain] = []
    for isShared in [false, true] {
      var planeDomains: [Int: UInt32] = [:]
      for index in allocations.indices
      where (allocations[index].plane == .hbm) == isShared && !allocations[index].isConstant {
        let allocation = allocations[index]
        if allocation.isGrid {
          allocations[index].firstDomain = UInt32(domains.count)
          let domain = Domain(isShared: isShared, isInitial: isInitial(allocation.buffer))
          domains.append(contentsOf: repeatElement(domain, count: allocation.slots))
        } else {
          // One domain for all byte-addressed allocations of a plane.
          let key = Int(allocation.core) * Plane.count + allocation.plane.index
          if let known = planeDomains[key] {
            allocations[index].firstDomain = known
          } else {
            allocations[index].firstDomain = UInt32(domains.count)
            planeDomains[key] = UInt32(domains.count)
            domains.append(Domain(isShared: isShared, isInitial: false))
          }
        }
      }
    }
    return domains
  }

  private func collect(_ misfits: inout Set<Int>) -> [ByteRect] {
    var rects: [ByteRect] = []
    for (index, tile) in program.tiles.enumerated() where use.flags[index] != 0 {
      let flags = use.flags[index]
      // Where a last block is filled up, what is valid is told from what fills it.
      let isPadded = flags & TileUse.filled != 0 && tile.hasRaggedBlock
      if flags & (TileUse.read | TileUse.written) != 0 || isPadded {
        add(tile, UInt32(index * 2), padded: false, to: &rects, &misfits)
      }
      if flags & TileUse.filled != 0 {
        add(tile, UInt32(index * 2 + 1), padded: true, to: &rects, &misfits)
      }
    }
    for (index, allocation) in allocations.enumerated()
    where !allocation.isGrid && isInitial(allocation.buffer) {
      rects.append(
        ByteRect(
          domain: allocation.firstDomain, footprint: UInt32(program.tiles.count * 2 + index),
          rowStart: 0, rowEnd: 1, columnStart: allocation.start, columnEnd: allocation.end))
    }
    return rects
  }

  private func add(
    _ tile: TileRef, _ footprint: UInt32, padded: Bool, to rects: inout [ByteRect],
    _ misfits: inout Set<Int>
  ) {
    let payload = payloads[Int(tile.buffer)]
    if payload >= 0 && !allocations[payload].isConstant {
      layout.forEachPayloadRegion(tile, padded: padded) {
        add($0, tile, footprint, payload, to: &rects, &misfits)
      }
    }
    let scale = scales[Int(tile.buffer)]
    if scale >= 0 && !allocations[scale].isConstant {
      layout.forEachScaleRegion(tile) {
        add($0, tile, footprint, scale, to: &rects, &misfits)
      }
    }
  }

  private func add(
    _ region: Region, _ tile: TileRef, _ footprint: UInt32, _ index: Int,
    to rects: inout [ByteRect], _ misfits: inout Set<Int>
  ) {
    let allocation = allocations[index]
    guard allocation.isGrid else {
      // Rows that touch are one run.
      let isWhole = region.pitch == region.runBytes
      for row in 0..<(isWhole ? 1 : region.rows) {
        let start = region.base + row * region.pitch
        rects.append(
          ByteRect(
            domain: allocation.firstDomain, footprint: footprint, rowStart: 0, rowEnd: 1,
            columnStart: start,
            columnEnd: start + region.runBytes * (isWhole ? region.rows : 1)))
      }
      return
    }
    let offset = region.base - allocation.start - Int(tile.slot) * allocation.slotStride
    guard allocation.pitch > 0, offset >= 0,
      offset + (region.end - region.base) <= allocation.slotStride
    else {
      misfits.insert(index)
      return
    }
    let row = offset / allocation.pitch
    let column = offset % allocation.pitch
    var rows = region.rows
    var width = region.runBytes
    if rows == 1 && column == 0 && width > allocation.pitch && width % allocation.pitch == 0 {
      // Whole rows that touch were joined into one run.
      rows = width / allocation.pitch
      width = allocation.pitch
    }
    guard column + width <= allocation.pitch, rows == 1 || rows * width == region.byteCount,
      region.rows == 1 || region.pitch == allocation.pitch
    else {
      misfits.insert(index)
      return
    }
    rects.append(
      ByteRect(
        domain: allocation.firstDomain + UInt32(tile.slot), footprint: footprint, rowStart: row,
        rowEnd: row + rows, columnStart: column, columnEnd: column + width))
  }
}
