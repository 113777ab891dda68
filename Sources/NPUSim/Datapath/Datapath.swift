/// What a micro-op executes against: the memories of its core and HBM, the settings that decide
/// values, and scratch rows.
///
/// `source`, `destination` and `update` give views of tiles; they keep the poison and remember the
/// first fault. Bounds were judged when the program was built. In staged mode results go to the
/// side and reach memory with ``commit(_:)``, so that sources are read at one instant and results
/// written at a later one.
public struct Datapath {
  /// Elements of a scratch row.
  public static let chunk = 2048
  /// Scratch rows of a core.
  public static let scratchCount = 4

  public let settings: DatapathSettings
  let planes: InlineArray<9, BytePlane>
  let layouts: UnsafeMutablePointer<BufferLayout>
  let listStorage: UnsafeMutablePointer<Int32>
  let listOffsets: [Int]
  let scratchBase: UnsafeMutablePointer<Float>
  let functionTables: FunctionTables
  let workArea = WorkArea()
  var functionUses = FunctionUses()

  /// The first read of a byte that was never written.
  public var fault: PoisonFault?
  /// What the results contained.
  public var health = NumericHealth()
  /// Index of the micro-op that executes, in its core's list.
  var op = 0
  /// The accumulator chains that are followed.
  let chains = ChainWatch()
  /// Where large products go that another thread may add; `nil` if there is none.
  var shared: SharedProducts?
  /// Where results go while they are not yet visible; `nil` writes straight to memory.
  public var stage: StagedWrites?
  /// Results that are not yet visible and may be forwarded: an update in staged mode of exactly
  /// one of their tiles takes its bytes from here instead of memory.
  public var forwarded: StagedWrites?

  init(
    settings: DatapathSettings, planes: InlineArray<9, BytePlane>,
    layouts: UnsafeMutablePointer<BufferLayout>, listStorage: UnsafeMutablePointer<Int32>,
    listOffsets: [Int], scratch: UnsafeMutablePointer<Float>, functionTables: FunctionTables
  ) {
    self.settings = settings
    self.planes = planes
    self.layouts = layouts
    self.listStorage = listStorage
    self.listOffsets = listOffsets
    scratchBase = scratch
    self.functionTables = functionTables
  }

  /// One of the scratch rows of ``chunk`` floats; `index` below ``scratchCount``.
  @inlinable public func scratch(_ index: Int) -> UnsafeMutablePointer<Float> {
    scratchRow(index)
  }

  @usableFromInline func scratchRow(_ index: Int) -> UnsafeMutablePointer<Float> {
    scratchBase + index * Datapath.chunk
  }

  /// A view of a tile that is read; remembers a fault if a byte of it was never written.
  public mutating func source<S: MemorySpace>(_ tile: Tile<S>) -> TileView {
    let view = view(tile.ref)
    shared?.awaitBeforeReading(tile.ref, view)
    if fault == nil { checkPoison(tile.ref, view) }
    return view
  }

  /// A view of a tile whose every byte is about to be written. `zeroFill` also clears the rest of
  /// the last 32-block along the block axis.
  public mutating func destination<S: MemorySpace>(_ tile: Tile<S>, zeroFill: Bool = false)
    -> TileView
  {
    let view = view(tile.ref)
    shared?.awaitBeforeWriting(tile.ref, view)
    return destination(tile.ref, view, zeroFill: zeroFill)
  }

  mutating func destination(_ tile: TileRef, _ view: TileView, zeroFill: Bool) -> TileView {
    if stage != nil { return stagedView(tile, view, zeroFill: zeroFill, copy: false) }
    if zeroFill && tile.format == .mxint8 { clearPadding(view) }
    markWritten(tile, view, zeroFill: zeroFill)
    return view
  }

  /// A view of a tile that is updated in place.
  public mutating func update<S: MemorySpace>(_ tile: Tile<S>) -> TileView {
    let view = view(tile.ref)
    shared?.awaitBeforeWriting(tile.ref, view)
    return update(tile.ref, view)
  }

  mutating func update(_ tile: TileRef, _ view: TileView) -> TileView {
    if stage != nil, let pending = forwarded?.pending.last(where: { $0.tile == tile }) {
      let staged = StagedWrite(tile: tile, target: view, zeroFill: false)
      staged.copyIn(from: pending.view)
      stage?.pending.append(staged)
      return staged.view
    }
    if fault == nil { checkPoison(tile, view) }
    if stage != nil { return stagedView(tile, view, zeroFill: false, copy: true) }
    return view
  }

  /// The view of a tile in memory, whatever its state.
  func view(_ tile: TileRef) -> TileView {
    let layout = layouts + Int(tile.buffer)
    let plane = layout.pointee.plane ?? planes[Plane(payloadOf: tile.space).index]
    let isListed = tile.indexList != 0
    var offset = layout.pointee.base + Int(tile.slot) * layout.pointee.slotStride
    offset += Int(tile.column) * tile.format.bytes
    if !isListed { offset += Int(tile.row) * layout.pointee.pitch }
    var scales = plane.pointer(0)
    if tile.format == .mxint8 {
      var scaleOffset = layout.pointee.scaleBase + Int(tile.slot) * layout.pointee.scaleSlotStride
      switch tile.axis {
      case .alongColumns:
        scaleOffset += Int(tile.column) / 32
        if !isListed { scaleOffset += Int(tile.row) * layout.pointee.scalePitch }
      case .alongRows:
        scaleOffset += Int(tile.row) / 32 * layout.pointee.scalePitch + Int(tile.column)
      }
      let own = layout.pointee.plane ?? planes[Plane(scalesOf: tile.space).index]
      scales = own.pointer(scaleOffset)
    }
    return TileView(
      payload: plane.pointer(offset), pitch: layout.pointee.pitch, scales: scales,
      scalePitch: layout.pointee.scalePitch, rows: Int(tile.rows), columns: Int(tile.columns),
      format: tile.format, axis: tile.axis,
      rowList: isListed
        ? UnsafePointer(listStorage + listOffsets[Int(tile.indexList) - 1] + Int(tile.row)) : nil)
  }

  private mutating func checkPoison(_ tile: TileRef, _ view: TileView) {
    let layout = layouts[Int(tile.buffer)]
    if layout.isWritten { return }
    let payload = layout.plane ?? planes[Plane(payloadOf: tile.space).index]
    let scales = layout.plane ?? planes[Plane(scalesOf: tile.space).index]
    view.forEachRun(payload: payload, scales: scales, space: tile.space, padded: false) { region in
      guard fault == nil,
        let found = (layout.plane ?? planes[region.plane.index]).firstPoisoned(region)
      else { return }
      let isScale = tile.space == .hbm && tile.format == .mxint8 && found >= layout.scaleBase
      fault = PoisonFault(
        buffer: tile.buffer, plane: region.plane,
        address: found + (isScale ? layout.scaleShift : layout.shift))
    }
  }

  func markWritten(_ tile: TileRef, _ view: TileView, zeroFill: Bool) {
    let own = layouts[Int(tile.buffer)].plane
    let payload = own ?? planes[Plane(payloadOf: tile.space).index]
    let scales = own ?? planes[Plane(scalesOf: tile.space).index]
    view.forEachRun(payload: payload, scales: scales, space: tile.space, padded: zeroFill) {
      (own ?? planes[$0.plane.index]).markWritten($0)
    }
  }

  private func clearPadding(_ view: TileView) {
    switch view.axis {
    case .alongColumns:
      let padded = roundUp(view.columns, to: 32)
      guard padded > view.columns else { return }
      for row in 0..<view.rows {
        (view.row(row) + view.columns).update(repeating: 0, count: padded - view.columns)
      }
    case .alongRows:
      for row in view.rows..<roundUp(view.rows, to: 32) {
        (view.payload + row * view.pitch).update(repeating: 0, count: view.columns)
      }
    }
  }

  private mutating func stagedView(_ tile: TileRef, _ view: TileView, zeroFill: Bool, copy: Bool)
    -> TileView
  {
    let staged = StagedWrite(tile: tile, target: view, zeroFill: zeroFill)
    if copy { staged.copyIn() }
    if zeroFill && tile.format == .mxint8 { clearPadding(staged.view) }
    stage?.pending.append(staged)
    return staged.view
  }

  /// Copies the staged results of one micro-op to memory.
  public func commit(_ writes: StagedWrites) {
    for write in writes.pending {
      write.copyOut()
      markWritten(write.tile, write.target, zeroFill: write.zeroFill)
    }
  }
}

/// A read of a byte that was never written.
public struct PoisonFault: Sendable, Hashable {
  /// The buffer whose tile was read.
  public var buffer: UInt32
  public var plane: Plane
  /// Address on the plane.
  public var address: Int
}
