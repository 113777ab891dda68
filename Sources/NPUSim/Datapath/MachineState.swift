import Dispatch

/// The memories of a machine while a program runs: one HBM, and five memories for each core.
///
/// Owns every byte; hands out a ``Datapath`` for each core. Nothing is initialised: a byte that was
/// never written is poison.
public final class MachineState {
  /// The buffers that the memories were made for.
  public let buffers: [Buffer]
  /// The buffers at the addresses that the planes are sized for.
  private let placed: [Buffer]
  let layouts: UnsafeMutablePointer<BufferLayout>
  let listStorage: UnsafeMutablePointer<Int32>
  let listOffsets: [Int]
  private let hbm: BytePlane
  /// `cores × Plane.count`, HBM entries empty.
  private let onChip: [BytePlane]
  private let scratch: UnsafeMutablePointer<Float>
  /// Cores that have memories here.
  public let coreCount: Int
  private let settings: DatapathSettings
  /// The bytes of HBM tensors that are read where they are.
  private let lent: [UInt32: TensorBytes]
  /// HBM tensors that others have, too: read and written where they are.
  private let bound: [UInt32: TensorStorage]
  private let functionTables: FunctionTables

  /// Memories just large enough for the buffers, of `cores` cores.
  ///
  /// `lent` are the whole contents of HBM tensors that nothing will write: they are read where they
  /// are, and kept as long as the memories; HBM needs no place for them. Nor does it for those of
  /// `bound`, which are written, too: what is done to them outlives the memories.
  public init(
    buffers: [Buffer], indexLists: [[Int32]], cores: Int, settings: DatapathSettings,
    lent: [UInt32: TensorBytes] = [:], bound: [UInt32: TensorStorage] = [:]
  ) {
    self.lent = lent
    self.bound = bound
    self.buffers = buffers
    placed =
      lent.isEmpty && bound.isEmpty
      ? buffers : Self.packed(buffers, without: Set(lent.keys), bound: bound)
    self.settings = settings
    functionTables = FunctionTables(mode: settings.sfuMode)
    coreCount = max(1, cores)
    layouts = .allocate(capacity: max(1, buffers.count))
    for (index, buffer) in placed.enumerated() {
      var layout = BufferLayout(buffer)
      layout.shift = buffers[index].base - buffer.base
      layout.scaleShift = buffers[index].scaleBase - buffer.scaleBase
      if let storage = bound[UInt32(index)] {
        layout.plane = storage.plane
        layout.isWritten = storage.isWritten
      }
      (layouts + index).initialize(to: layout)
    }
    listStorage = .allocate(capacity: max(1, indexLists.reduce(0) { $0 + $1.count }))
    var offsets: [Int] = []
    var next = 0
    for list in indexLists {
      offsets.append(next)
      for row in list {
        (listStorage + next).initialize(to: row)
        next += 1
      }
    }
    listOffsets = offsets

    let own = zip(buffers.indices, placed).filter { index, _ in
      lent[UInt32(index)] == nil && bound[UInt32(index)] == nil
    }
    let extents = Self.extents(own.map(\.1), cores: coreCount)
    hbm = .allocate(extents.hbm, isShared: coreCount > 1)
    onChip = extents.onChip.map { .allocate($0) }
    for (id, bytes) in lent {
      layouts[Int(id)].base = hbm.offset(of: bytes.payload)
      layouts[Int(id)].scaleBase = hbm.offset(of: bytes.scales)
      layouts[Int(id)].isWritten = true
    }
    scratch = .allocate(capacity: coreCount * Datapath.scratchCount * Datapath.chunk)
    scratch.initialize(repeating: 0, count: coreCount * Datapath.scratchCount * Datapath.chunk)
  }

  /// The bytes that buffers need: of HBM, and of `cores × Plane.count` planes.
  private static func extents(_ buffers: [Buffer], cores: Int) -> (hbm: Int, onChip: [Int]) {
    var onChip = [Int](repeating: 0, count: cores * Plane.count)
    var hbm = 0
    for buffer in buffers {
      let payload = Plane(payloadOf: buffer.space)
      let scales = Plane(scalesOf: buffer.space)
      let payloadEnd = buffer.base + buffer.payloadExtent
      let scaleEnd = buffer.scaleBase + buffer.scaleExtent
      if buffer.space == .hbm {
        hbm = max(hbm, payloadEnd, scaleEnd)
      } else if buffer.core >= 0 && Int(buffer.core) < cores {
        let row = Int(buffer.core) * Plane.count
        onChip[row + payload.index] = max(onChip[row + payload.index], payloadEnd)
        onChip[row + scales.index] = max(onChip[row + scales.index], scaleEnd)
      }
    }
    return (hbm, onChip)
  }

  deinit {
    layouts.deallocate()
    listStorage.deallocate()
    scratch.deallocate()
    hbm.deallocate()
    for plane in onChip { plane.deallocate() }
  }

  /// The datapath of one core over these memories. It must not outlive this object.
  ///
  /// - Parameter sharesProducts: whether a second thread may add large products.
  public func datapath(core: Int, sharesProducts: Bool = false) -> Datapath {
    var planes = InlineArray<9, BytePlane>(repeating: hbm)
    for plane in Plane.allCases where plane != .hbm {
      planes[plane.index] = onChip[core * Plane.count + plane.index]
    }
    var datapath = Datapath(
      settings: settings, planes: planes, layouts: layouts, listStorage: listStorage,
      listOffsets: listOffsets,
      scratch: scratch + core * Datapath.scratchCount * Datapath.chunk,
      functionTables: functionTables)
    if sharesProducts {
      datapath.shared = SharedProducts(mode: settings.accumulator, chains: datapath.chains)
    }
    return datapath
  }

  /// The buffers, those in HBM moved together as if the lent ones were not there; bound ones begin where
  /// their own memory does.
  private static func packed(
    _ buffers: [Buffer], without lent: Set<UInt32>, bound: [UInt32: TensorStorage]
  ) -> [Buffer] {
    var result = buffers
    var next = 0
    for index in result.indices where result[index].space == .hbm {
      let isLent = lent.contains(UInt32(index))
      if let storage = bound[UInt32(index)] {
        (result[index].base, result[index].scaleBase) = (0, storage.scaleBase)
        continue
      }
      result[index].base = next
      if !isLent { next = roundUp(next + result[index].payloadExtent, to: 64) }
      result[index].scaleBase = next
      if !isLent { next = roundUp(next + result[index].scaleExtent, to: 64) }
    }
    return result
  }

  /// Whether an HBM tensor is read where its maker keeps it.
  public func isLent(_ id: UInt32) -> Bool { lent[id] != nil }

  /// Whether an HBM tensor belongs to a memory that outlives this one.
  public func isBound(_ id: UInt32) -> Bool { bound[id] != nil }

  /// Whether HBM has no place for a tensor.
  private func isElsewhere(_ id: UInt32) -> Bool { isLent(id) || isBound(id) }

  /// Where the bytes of an HBM tensor are.
  private func plane(of id: UInt32) -> BytePlane { layouts[Int(id)].plane ?? hbm }

  /// Copies a whole HBM tensor in: dense payload, then scales for MXINT8. Marks it written.
  public func writeTensor(_ id: UInt32, payload: UnsafeRawBufferPointer, scales: [UInt8] = [])
    throws(NPUError)
  {
    let (buffer, hbm) = (placed[Int(id)], plane(of: id))
    guard payload.count == buffer.payloadExtent, scales.count == buffer.scaleExtent else {
      throw NPUError(
        .tensor,
        "tensor \(buffer.name): found \(payload.count) payload and \(scales.count) scale bytes, "
          + "needed \(buffer.payloadExtent) and \(buffer.scaleExtent)")
    }
    if let source = payload.baseAddress {
      Self.copy(source, to: UnsafeMutableRawPointer(hbm.pointer(buffer.base)), payload.count)
    }
    for (offset, byte) in scales.enumerated() { hbm.bytes[buffer.scaleBase + offset] = byte }
    for region in wholeRegions(buffer) { hbm.markWritten(region) }
    layouts[Int(id)].isWritten = true
  }

  /// Copies bytes, large numbers of them on several threads: most of the time goes to memory that is
  /// touched for the first time.
  private static func copy(
    _ source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, _ count: Int
  ) {
    let piece = 4 << 20
    nonisolated(unsafe) let (source, destination) = (source, destination)
    DispatchQueue.concurrentPerform(iterations: (count + piece - 1) / piece) { index in
      let start = index * piece
      (destination + start).copyMemory(from: source + start, byteCount: min(piece, count - start))
    }
  }

  /// Copies a whole HBM tensor out. Bytes that were never written read as 0.
  public func readTensor(_ id: UInt32) -> (payload: [UInt8], scales: [UInt8]) {
    clearUnwritten(id)
    return withTensor(id) { (Array($0), Array($1)) }
  }

  /// Makes the bytes of an HBM tensor 0 that were never written. They stay poison. Those of a bound one
  /// stay what they are.
  public func clearUnwritten(_ id: UInt32) {
    if isElsewhere(id) { return }
    for region in wholeRegions(placed[Int(id)]) where hbm.firstPoisoned(region) != nil {
      for offset in region.base..<region.end {
        let one = Region(plane: .hbm, base: offset, pitch: 1, runBytes: 1, rows: 1)
        if hbm.firstPoisoned(one) != nil { hbm.bytes[offset] = 0 }
      }
    }
  }

  /// Lends the payload and the scale bytes of an HBM tensor for reading. What was never written is
  /// undefined, unless ``clearUnwritten(_:)`` made it 0.
  public func withTensor<Result>(
    _ id: UInt32, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result
  ) -> Result {
    let buffer = placed[Int(id)]
    let (layout, hbm) = (layouts[Int(id)], plane(of: id))
    return body(
      UnsafeRawBufferPointer(start: hbm.pointer(layout.base), count: buffer.payloadExtent),
      UnsafeRawBufferPointer(start: hbm.pointer(layout.scaleBase), count: buffer.scaleExtent))
  }

  /// Whether every byte of an HBM tensor was written.
  public func isWritten(_ id: UInt32) -> Bool {
    let hbm = plane(of: id)
    return isLent(id) || wholeRegions(placed[Int(id)]).allSatisfy { hbm.firstPoisoned($0) == nil }
  }

  private func wholeRegions(_ buffer: Buffer) -> [Region] {
    let payload = buffer.payloadExtent
    let scales = buffer.scaleExtent
    return [
      Region(plane: .hbm, base: buffer.base, pitch: payload, runBytes: payload, rows: 1),
      Region(plane: .hbm, base: buffer.scaleBase, pitch: scales, runBytes: scales, rows: 1),
    ].filter { !$0.isEmpty }
  }
}

/// The numbers of a buffer that executing needs, without its name.
struct BufferLayout {
  var base: Int
  var pitch: Int
  var slotStride: Int
  var scaleBase: Int
  var scalePitch: Int
  var scaleSlotStride: Int
  /// Whether every byte is known to be written: an input tensor.
  var isWritten = false
  /// The memory of a tensor that is bound; `nil` for a buffer of the machine's own planes.
  var plane: BytePlane?
  /// From where the bytes are here to where the program has them.
  var shift = 0
  var scaleShift = 0

  init(_ buffer: Buffer) {
    base = buffer.base
    pitch = buffer.pitch
    slotStride = buffer.slotStride
    scaleBase = buffer.scaleBase
    scalePitch = buffer.scalePitch
    scaleSlotStride = buffer.scaleSlotStride
  }
}
