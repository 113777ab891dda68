/// A tensor that taps filled: the datapath's own words, dense.
public struct TapTensor: Sendable, Hashable {
  /// Name, format and extents; the layout is dense with base 0.
  public var buffer: Buffer
  /// `slots × rows × columns` elements. Bytes that no tap reached are 0.
  public var payload: [UInt8]
  /// The scale bytes of an MXINT8 tensor; empty otherwise.
  public var scales: [UInt8]
  /// Whether taps reached every byte.
  public var isComplete: Bool

  public init(buffer: Buffer, payload: [UInt8], scales: [UInt8], isComplete: Bool) {
    self.buffer = buffer
    self.payload = payload
    self.scales = scales
    self.isComplete = isComplete
  }
}

/// Collects the taps of a program while it is executed. Several cores may write bytes of their own.
final class TapRecorder {
  private let tensors: [Buffer]
  private let payloads: [BytePlane]
  private let scales: [BytePlane]
  private let taps: [Tap]
  /// The taps of a core: `taps[ranges[core]]`, in order of their micro-ops.
  private let ranges: [Range<Int>]

  init(_ program: Program) throws(NPUError) {
    tensors = program.tapTensors
    taps = program.taps.sorted { ($0.core, $0.op) < ($1.core, $1.op) }
    for tap in taps { try Self.check(tap, program) }
    var ranges: [Range<Int>] = []
    var first = 0
    for core in program.cores.indices {
      var end = first
      while end < taps.count && taps[end].core == core { end += 1 }
      ranges.append(first..<end)
      first = end
    }
    self.ranges = ranges
    let isShared = program.cores.count > 1
    payloads = tensors.map { .allocate($0.payloadExtent, isShared: isShared) }
    scales = tensors.map { .allocate($0.scaleExtent, isShared: isShared) }
    for plane in payloads + scales { plane.bytes.initialize(repeating: 0, count: plane.count) }
  }

  deinit {
    for plane in payloads + scales { plane.deallocate() }
  }

  private static func check(_ tap: Tap, _ program: Program) throws(NPUError) {
    guard program.cores.indices.contains(tap.core),
      program.cores[tap.core].indices.contains(tap.op),
      program.tapTensors.indices.contains(tap.tensor)
    else {
      throw NPUError(
        .program,
        "a tap names core \(tap.core), micro-op \(tap.op) and tensor \(tap.tensor), and the "
          + "program does not have them all")
    }
    let wrong = tap.defect(
      into: program.tapTensors[tap.tensor], TileLayout(program),
      named: program.describe(tap.tile))
    if let wrong { throw NPUError(.program, wrong, hint: Tap.remedy) }
  }

  /// The micro-ops of a core that have taps, as a bit for each of `count`; `nil` if there are none.
  func marks(core: Int, count: Int) -> [UInt64]? {
    guard ranges.indices.contains(core), !ranges[core].isEmpty else { return nil }
    var bits = [UInt64](repeating: 0, count: count / 64 + 1)
    for tap in taps[ranges[core]] { bits[tap.op >> 6] |= 1 << UInt64(tap.op & 63) }
    return bits
  }

  /// Copies the tiles that are tapped after a micro-op.
  func record(core: Int, op: Int, _ datapath: Datapath) {
    let range = ranges[core]
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = (low + high) / 2
      if taps[middle].op < op { low = middle + 1 } else { high = middle }
    }
    while low < range.upperBound && taps[low].op == op {
      copy(taps[low], datapath)
      low += 1
    }
  }

  private func copy(_ tap: Tap, _ datapath: Datapath) {
    let source = datapath.view(tap.tile)
    let tensor = tensors[tap.tensor]
    let size = tensor.format.bytes
    let bytes = source.columns * size
    let origin = tap.slot * tensor.slotStride + tap.column * size
    let payload = payloads[tap.tensor]
    for row in 0..<source.rows where bytes > 0 {
      let start = origin + (tap.row + row) * tensor.pitch
      payload.pointer(start).update(from: source.row(row), count: bytes)
      payload.markWritten(
        Region(plane: .hbm, base: start, pitch: bytes, runBytes: bytes, rows: 1))
    }
    guard tensor.format == .mxint8 else { return }
    let block = MXINT8.blockSize
    let (firstRow, firstColumn) =
      tensor.axis == .alongColumns
      ? (tap.row, tap.column / block) : (tap.row / block, tap.column)
    let plane = scales[tap.tensor]
    let count = source.scaleColumns
    for row in 0..<source.scaleRows where count > 0 {
      let start =
        tap.slot * tensor.scaleSlotStride + (firstRow + row) * tensor.scalePitch + firstColumn
      plane.pointer(start).update(from: source.scaleRow(row), count: count)
      plane.markWritten(
        Region(plane: .hbm, base: start, pitch: count, runBytes: count, rows: 1))
    }
  }

  /// The tensors as they are now.
  func tensorsSoFar() -> [TapTensor] {
    tensors.indices.map { index in
      let planes = [payloads[index], scales[index]]
      let isComplete = planes.allSatisfy { plane in
        plane.count == 0
          || plane.firstPoisoned(
            Region(plane: .hbm, base: 0, pitch: plane.count, runBytes: plane.count, rows: 1))
            == nil
      }
      return TapTensor(
        buffer: tensors[index],
        payload: [UInt8](UnsafeBufferPointer(start: planes[0].bytes, count: planes[0].count)),
        scales: [UInt8](UnsafeBufferPointer(start: planes[1].bytes, count: planes[1].count)),
        isComplete: isComplete)
    }
  }
}
