/// Places buffers: tensors one after the other in HBM on burst boundaries, on-chip buffers one after
/// the other in their memory on its alignment.
///
/// Scales in a side array lie at 1/32 of the address of their payload, so that whatever shares
/// payload bytes shares scale bytes, and nothing else does. In `ub` they lie behind the buffer; one
/// that is placed within an earlier buffer takes its scales from there, at 1/32 of the distance.
struct BufferAllocator {
  private let machine: MachineConfiguration
  /// Next free byte of each plane of each core; HBM is core 0's.
  private var cursors: [[Int]] = []
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
    buffer.base = place(buffer.payloadExtent, .hbm, core: 0, granule: granule, name)
    buffer.scaleBase = place(
      buffer.scaleExtent, .hbm, core: 0, granule: granule, "\(name).scale")
    checkCapacity(.hbm, core: 0)
    return buffer
  }

  mutating func buffer(
    _ name: String, _ space: Space, _ format: ElementFormat, slots: Int, rows: Int, columns: Int,
    axis: BlockAxis, core: Int, at address: Int?
  ) throws(NPUError) -> Buffer {
    var buffer = Buffer(
      name: name, space: space, format: format, axis: axis, role: .scratch, core: Int32(core),
      slots: slots, rows: rows, columns: columns, base: 0, pitch: 0, slotStride: 0, scaleBase: 0,
      scalePitch: 0, scaleSlotStride: 0)
    let alignment = max(1, machine[space].alignment)
    let rowBytes = try Self.product(buffer.paddedColumns, format.bytes, of: buffer)
    buffer.pitch = roundUp(rowBytes, to: alignment)
    buffer.slotStride = try Self.product(buffer.paddedRows, buffer.pitch, of: buffer)
    let payload = try Self.product(slots, buffer.slotStride, of: buffer)
    if let address {
      buffer.base = address
      let plane = Plane(payloadOf: space)
      raise(plane, core: core, to: address + payload)
      if address % alignment != 0 {
        defects.append(
          ProgramDefect(
            code: .M002,
            message: "\(name) is placed at byte \(address) of \(space.name), which is not a "
              + "multiple of its alignment of \(alignment)",
            core: core, buffer: name, fix: "place it at byte \(roundUp(address, to: alignment))"))
      }
    } else {
      buffer.base = place(payload, Plane(payloadOf: space), core: core, granule: alignment, name)
    }
    if format == .mxint8 { placeScales(of: &buffer, isPlaced: address != nil, core: core) }
    checkCapacity(space, core: core)
    return buffer
  }

  /// Lays out the scales of an on-chip buffer whose payload has its place.
  private mutating func placeScales(of buffer: inout Buffer, isPlaced: Bool, core: Int) {
    // Both are whole blocks of 32, as alignments are powers of two.
    let across = buffer.axis == .alongColumns
    buffer.scalePitch = across ? buffer.pitch / 32 : buffer.pitch
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
    if isPlaced, let area {
      buffer.scaleBase = area.scaleBase + (buffer.base - area.payload.lowerBound) / 32
      return
    }
    // A buffer that is placed automatically has its scales without gaps, as in HBM.
    let dense = across ? (buffer.columns + 31) / 32 : buffer.columns
    let isPacked = !isPlaced && dense < buffer.scalePitch
    if isPacked {
      buffer.scalePitch = dense
      buffer.scaleSlotStride = (across ? buffer.rows : (buffer.rows + 31) / 32) * dense
    }
    buffer.scaleBase = place(
      buffer.scaleExtent, Plane(scalesOf: buffer.space), core: core,
      granule: max(1, machine[buffer.space].alignment), "\(buffer.name).scale")
    if !isPacked {
      scaleAreas.append(ScaleArea(core: core, payload: payload, scaleBase: buffer.scaleBase))
    }
  }

  private static func product(_ a: Int, _ b: Int, of buffer: Buffer) throws(NPUError) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    guard a >= 0, b >= 0, !overflow, value <= Int.max / 64 else {
      throw NPUError(
        .program,
        "\(buffer.name): \(buffer.slots) × \(buffer.rows) × \(buffer.columns) elements of "
          + "\(buffer.format.name) is not a size that can be represented",
        hint: "use non-negative dimensions whose product is below 2^57")
    }
    return value
  }

  private mutating func place(
    _ bytes: Int, _ plane: Plane, core: Int, granule: Int, _ name: String
  ) -> Int {
    while cursors.count <= core {
      cursors.append(Array(repeating: 0, count: Plane.count))
    }
    let base = roundUp(cursors[core][plane.index], to: granule)
    raise(plane, core: core, to: base + bytes)
    if plane.index < Space.count && bytes > 0 {
      let key = core * Space.count + plane.space.index
      while owners.count <= key { owners.append([]) }
      owners[key].append((name, bytes))
    }
    return base
  }

  private mutating func raise(_ plane: Plane, core: Int, to end: Int) {
    while cursors.count <= core {
      cursors.append(Array(repeating: 0, count: Plane.count))
    }
    cursors[core][plane.index] = max(cursors[core][plane.index], end)
  }

  /// Reports a memory that its buffers do not fit, once, with the owners in bytes.
  private mutating func checkCapacity(_ space: Space, core: Int) {
    guard let capacity = machine[space].bytes else { return }
    let used = cursors[core][Plane(payloadOf: space).index]
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
