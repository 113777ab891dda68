/// Places buffers: tensors one after the other in HBM on burst boundaries, on-chip buffers one after
/// the other in their memory on its alignment.
///
/// Scales in a side array lie at 1/32 of the address of their payload. In `ub` they lie behind the
/// buffer; one that is placed within an earlier buffer takes its scales from there, at 1/32 of the
/// distance.
struct BufferAllocator {
  private let machine: MachineConfiguration
  /// Next free bytes of each core; HBM is core 0's.
  private var cursors: [MemoryCursors] = []
  /// Named sizes by core and space, for the owners of a full memory.
  private var owners: [[(name: String, bytes: Int)]] = []
  private var full: Set<Int> = []
  /// Buffers of `ub` whose scales lie like those of a side array.
  private var scaleAreas: [ScaleArea] = []
  private(set) var defects: [ProgramDefect] = []

  /// Payload bytes of a core's `ub`, and where their scales begin.
  private struct ScaleArea {
    var core: Int
    var payload: Range<Int>
    var scaleBase: Int
  }

  init(machine: MachineConfiguration) { self.machine = machine }

  /// What is allocated on chip, on all cores.
  struct Mark: Sendable {
    fileprivate let cursors: [MemoryCursors]
    fileprivate let owners: [Int]
    fileprivate let scaleAreas: Int
  }

  func mark() -> Mark {
    Mark(cursors: cursors, owners: owners.map(\.count), scaleAreas: scaleAreas.count)
  }

  /// Gives back what was allocated on chip since the mark; what is allocated next lies there. Returns
  /// false for a mark of what is not allocated any more.
  mutating func release(to mark: Mark) -> Bool {
    var isEarlier = mark.cursors.count <= cursors.count && mark.scaleAreas <= scaleAreas.count
    for core in cursors.indices {
      let earlier = mark.cursors.indices.contains(core) ? mark.cursors[core] : MemoryCursors()
      isEarlier = cursors[core].release(to: earlier) && isEarlier
    }
    for key in owners.indices where key % Space.count != Space.hbm.index {
      let count = mark.owners.indices.contains(key) ? mark.owners[key] : 0
      isEarlier = isEarlier && count <= owners[key].count
      owners[key].removeLast(max(0, owners[key].count - count))
    }
    scaleAreas.removeLast(max(0, scaleAreas.count - mark.scaleAreas))
    return isEarlier
  }

  /// A dense layout at base 0: tensors before they are placed.
  static func dense(
    _ name: String, _ format: ElementFormat, slots: Int, rows: Int, columns: Int, axis: BlockAxis,
    role: Buffer.Role
  ) throws(NPUError) -> Buffer {
    var buffer = Buffer(
      name: name, space: .hbm, format: format, axis: axis, role: role, core: -1, slots: slots,
      rows: rows, columns: columns, base: 0, pitch: 0, slotStride: 0, scaleBase: 0, scalePitch: 0,
      scaleSlotStride: 0)
    buffer.pitch = try product(columns, format.bytes, of: buffer)
    buffer.slotStride = try product(rows, buffer.pitch, of: buffer)
    _ = try product(slots, buffer.slotStride, of: buffer)
    if format == .mxint8 {
      buffer.scalePitch = axis == .alongColumns ? (columns + 31) / 32 : columns
      let scaleRows = axis == .alongColumns ? rows : (rows + 31) / 32
      buffer.scaleSlotStride = try product(scaleRows, buffer.scalePitch, of: buffer)
    }
    return buffer
  }

  mutating func tensor(
    _ name: String, _ format: ElementFormat, slots: Int, rows: Int, columns: Int, axis: BlockAxis,
    role: Buffer.Role
  ) throws(NPUError) -> Buffer {
    var buffer = try Self.dense(
      name, format, slots: slots, rows: rows, columns: columns, axis: axis, role: role)
    let granule = max(1, machine.hbm.burst)
    reach(0)
    buffer.base = cursors[0].place(buffer.payloadExtent, in: .hbm, granule: granule)
    buffer.scaleBase = cursors[0].place(buffer.scaleExtent, in: .hbm, granule: granule)
    own(buffer.payloadExtent, of: .hbm, core: 0, name)
    own(buffer.scaleExtent, of: .hbm, core: 0, "\(name).scale")
    checkCapacity(.hbm, core: 0)
    return buffer
  }

  /// Places a buffer of an on-chip memory behind those before it, or at byte `address`.
  mutating func buffer(
    _ planned: PlannedBuffer, core: Int, at address: Int?
  ) throws(NPUError) -> Buffer {
    let (name, space) = (planned.name, planned.space)
    let alignment = max(1, machine[space].alignment)
    guard let extent = BufferExtent(planned, alignment: alignment) else {
      throw Self.tooLarge(
        name, planned.format, slots: planned.slots, rows: planned.rows, columns: planned.columns)
    }
    var buffer = Buffer(
      name: name, space: space, format: planned.format, axis: planned.axis, role: .scratch,
      core: Int32(core), slots: planned.slots, rows: planned.rows, columns: planned.columns,
      base: 0, pitch: extent.pitch, slotStride: extent.slotStride, scaleBase: 0,
      scalePitch: extent.scalePitch, scaleSlotStride: extent.scaleSlotStride)
    reach(core)
    if let address {
      buffer.base = address
      cursors[core].raise(space, to: address + extent.payload)
      if address % alignment != 0 {
        defects.append(
          ProgramDefect(
            code: .M002,
            message: "\(name) is placed at byte \(address) of \(space.name), which is not a "
              + "multiple of its alignment of \(alignment)",
            core: core, buffer: name, fix: "place it at byte \(roundUp(address, to: alignment))"))
      }
      if planned.format == .mxint8 { placeScales(of: &buffer, core: core) }
    } else {
      (buffer.base, buffer.scaleBase) = cursors[core].place(
        extent, in: space, alignment: alignment)
      own(extent.payload, of: space, core: core, name)
      if !space.hasScaleSideArray && extent.scales > 0 {
        own(extent.scales, of: space, core: core, "\(name).scale")
        noteScales(of: buffer)
      }
    }
    checkCapacity(space, core: core)
    return buffer
  }

  /// Lays out the scales of a buffer that was given its place: at 1/32 of its distances, as another
  /// one may share its bytes.
  private mutating func placeScales(of buffer: inout Buffer, core: Int) {
    // Both are whole blocks of 32, as alignments are powers of two.
    buffer.scalePitch = buffer.axis == .alongColumns ? buffer.pitch / 32 : buffer.pitch
    buffer.scaleSlotStride = buffer.slotStride / 32
    if buffer.space.hasScaleSideArray {
      buffer.scaleBase = buffer.base / 32
      return
    }
    let payload = buffer.base..<(buffer.base + buffer.payloadExtent)
    let area = scaleAreas.last { area in
      area.core == core && area.payload.lowerBound <= payload.lowerBound
        && payload.upperBound <= area.payload.upperBound
    }
    if let area {
      buffer.scaleBase = area.scaleBase + (buffer.base - area.payload.lowerBound) / 32
      return
    }
    buffer.scaleBase = cursors[core].place(
      buffer.scaleExtent, in: buffer.space, granule: max(1, machine[buffer.space].alignment))
    own(buffer.scaleExtent, of: buffer.space, core: core, "\(buffer.name).scale")
    noteScales(of: buffer)
  }

  /// Keeps where the scales of a buffer lie, if they do so at 1/32 of its distances.
  private mutating func noteScales(of buffer: Buffer) {
    let pitch = buffer.axis == .alongColumns ? buffer.pitch / 32 : buffer.pitch
    guard buffer.scalePitch == pitch else { return }
    scaleAreas.append(
      ScaleArea(
        core: Int(buffer.core), payload: buffer.base..<(buffer.base + buffer.payloadExtent),
        scaleBase: buffer.scaleBase))
  }

  private static func product(_ a: Int, _ b: Int, of buffer: Buffer) throws(NPUError) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    guard a >= 0, b >= 0, !overflow, value <= BufferExtent.limit else {
      throw tooLarge(
        buffer.name, buffer.format, slots: buffer.slots, rows: buffer.rows,
        columns: buffer.columns)
    }
    return value
  }

  private static func tooLarge(
    _ name: String, _ format: ElementFormat, slots: Int, rows: Int, columns: Int
  ) -> NPUError {
    NPUError(
      .program,
      "\(name): \(slots) × \(rows) × \(columns) elements of \(format.name) is not a size that can "
        + "be represented",
      hint: "use non-negative dimensions whose product is below 2^57")
  }

  private mutating func reach(_ core: Int) {
    while cursors.count <= core { cursors.append(MemoryCursors()) }
  }

  /// Names the owner of bytes of a memory.
  private mutating func own(_ bytes: Int, of space: Space, core: Int, _ name: String) {
    guard bytes > 0 else { return }
    let key = core * Space.count + space.index
    while owners.count <= key { owners.append([]) }
    owners[key].append((name, bytes))
  }

  /// Reports a memory that its buffers do not fit, once, with the owners in bytes.
  private mutating func checkCapacity(_ space: Space, core: Int) {
    guard let capacity = machine[space].bytes else { return }
    let used = cursors[core][space]
    let key = core * Space.count + space.index
    guard used > capacity else { return }
    let list = owners.indices.contains(key) ? owners[key] : []
    let names = list.map { "\($0.name) \($0.bytes)" }.joined(separator: ", ")
    let defect = ProgramDefect(
      code: .M003,
      message: "\(space.name) holds \(capacity) bytes, but its buffers need \(used): \(names)",
      core: core, buffer: list.max { $0.bytes < $1.bytes }?.name,
      fix: "use smaller tiles or fewer stages")
    if full.insert(key).inserted {
      defects.append(defect)
    } else if let index = defects.firstIndex(where: {
      $0.code == .M003 && $0.core == core && $0.message.hasPrefix("\(space.name) ")
    }) {
      defects[index] = defect
    }
  }
}
