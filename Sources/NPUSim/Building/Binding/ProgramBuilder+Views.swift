extension ProgramBuilder {
  // MARK: Declaring

  /// What a kernel gets for a tensor whose name is bound: the tensor itself where it asks for all of it as
  /// it lies, else a view.
  mutating func bound(
    _ wanted: PlannedBuffer, to binding: TensorBinding, role: Buffer.Role
  ) throws(NPUError) -> BufferHandle<HBM> {
    let form = binding.view.form
    guard form.format == wanted.format, form.format != .mxint8 || form.axis == wanted.axis else {
      let place = wanted.axis == .alongRows ? "last dimension but one" : "last dimension"
      let axis = wanted.format == .mxint8 ? " with blocks along the \(place)" : ""
      throw NPUError(
        .tensor,
        "\(wanted.name): found '\(binding.tensor)', which is \(form), needed "
          + wanted.format.name + axis,
        hint: "bind a tensor of that format")
    }
    let frame = try binding.view.frame(
      slots: wanted.slots, rows: wanted.rows, columns: wanted.columns, of: wanted.name)
    let root = try root(of: binding, frame, wanted, role)
    let tensor = program.buffers[Int(root)]
    if frame.isDense(form.elements), tensor.slots == wanted.slots, tensor.rows == wanted.rows,
      tensor.columns == wanted.columns
    {
      return handle(of: root, wanted)
    }
    let asked = try BufferAllocator.dense(
      wanted.name, wanted.format, slots: wanted.slots, rows: wanted.rows, columns: wanted.columns,
      axis: wanted.axis, role: role)
    return handle(of: views.add(try BoundView(frame, asked: asked, of: root, tensor)), wanted)
  }

  /// The rows of `count` slots that follow one another as one row each, where a view has them side by side in
  /// its tensor: heads of tensors that lie token by token. A tile of it moves whole bursts where a tile of
  /// one slot has a part of each. `nil` where they lie apart, and for MXINT8, whose blocks are a slot's own.
  ///
  /// Throws `.program` where its size cannot be represented.
  public mutating func sideBySide(
    _ tensor: BufferHandle<HBM>, slots count: Int
  ) throws(NPUError) -> BufferHandle<HBM>? {
    guard let view = views[tensor.id], tensor.format != .mxint8, count > 1,
      tensor.slots % count == 0
    else { return nil }
    let wanted = PlannedBuffer(
      view.asked.name, .hbm, tensor.format, slots: tensor.slots / count, rows: tensor.rows,
      columns: tensor.columns * count, axis: tensor.axis)
    let asked = try BufferAllocator.dense(
      wanted.name, wanted.format, slots: wanted.slots, rows: wanted.rows, columns: wanted.columns,
      axis: wanted.axis, role: view.asked.role)
    let root = program.buffers[Int(view.root)]
    return view.sideBySide(count, asked: asked, of: root).map { handle(of: views.add($0), wanted) }
  }

  private func handle(of id: UInt32, _ wanted: PlannedBuffer) -> BufferHandle<HBM> {
    BufferHandle(
      id: id, slots: wanted.slots, rows: wanted.rows, columns: wanted.columns,
      format: wanted.format, axis: wanted.axis)
  }

  /// The tensor of a name: declared as the first one needs it who asks.
  private mutating func root(
    of binding: TensorBinding, _ frame: ViewFrame, _ wanted: PlannedBuffer, _ role: Buffer.Role
  ) throws(NPUError) -> UInt32 {
    let form = binding.view.form
    let isWhole = frame.isDense(form.elements)
    let needed: Buffer.Role = role == .output && !isWhole ? .inputOutput : role
    if let known = views.roots[binding.tensor] {
      guard known.form == form else {
        throw NPUError(
          .tensor,
          "\(wanted.name): found '\(binding.tensor)' as \(form), and as \(known.form) before",
          hint: "bind one tensor to one name")
      }
      let old = program.buffers[Int(known.id)].role
      let role = Self.role(old, needed, isOfSame: known.owner == scope.prefix)
      program.buffers[Int(known.id)].role = role
      layout.buffers[Int(known.id)].role = role
      return known.id
    }
    var planned = wanted
    planned.name = binding.tensor
    if !isWhole { Self.layOut(&planned, form, frame) }
    let id = try tensor(planned, role: needed).id
    views.roots[binding.tensor] = .init(id: id, form: form, owner: scope.prefix)
    return id
  }

  /// Slots, rows and columns of a tensor a part of which is taken: rows as far apart as those of the view,
  /// where it has several. Blocks along rows end with a slot.
  private static func layOut(_ planned: inout PlannedBuffer, _ form: TensorForm, _ frame: ViewFrame)
  {
    (planned.slots, planned.rows, planned.columns) = (form.slots, form.rows, form.columns)
    if form.format == .mxint8 && form.axis == .alongRows { return }
    // A row of blocks that is not whole is followed by the next row's, wherever that is.
    if form.hasWholeBlocks, let line = frame.rows.last, form.elements % line.step == 0 {
      planned.columns = line.step
    }
    planned.rows = form.elements / planned.columns
    planned.slots = 1
  }

  /// What a tensor is that is used once more: what one kernel reads and writes is changed in place, and so
  /// is what was given and is written by a later one; what an earlier one made is read as it was made.
  private static func role(_ old: Buffer.Role, _ new: Buffer.Role, isOfSame: Bool) -> Buffer.Role {
    if old == new { return old }
    return isOfSame || old == .input ? .inputOutput : old
  }

  /// Names that are bound, and the numbers of their tensors in ``Program/buffers``.
  public var boundTensors: [String: UInt32] { views.roots.mapValues(\.id) }

  // MARK: Tiles

  /// Puts tiles of tensors in the place of tiles of views. Returns whether they all lie in their views;
  /// what is wrong is reported, and an empty tile takes the place.
  mutating func resolveViews<Op: MicroOp>(of op: inout Op, _ opcode: UInt8) -> Bool {
    var finder = ViewFinder()
    op.visit(&finder)
    guard finder.hasViews else { return true }
    var isSound = true
    for place in 0..<finder.count where finder.tiles[place].buffer & BoundViews.bit != 0 {
      guard let tile = resolved(finder.tiles[place], reportedBy: opcode) else {
        isSound = false
        finder.tiles[place] = empty(finder.tiles[place])
        continue
      }
      finder.tiles[place] = tile
    }
    finder.restart()
    op.visit(&finder)
    return isSound
  }

  /// A tile of a tensor in the place of one of a view, or the tile itself; `nil` where it does not lie in
  /// its view as it must, which is reported if a micro-op names it.
  mutating func resolved(_ tile: TileRef, reportedBy opcode: UInt8? = nil) -> TileRef? {
    guard let view = views[tile.buffer] else { return tile }
    var judge = layout
    judge.buffers = [view.asked]
    var own = tile
    own.buffer = 0
    var fault = judge.fault(of: own)
    if fault == nil {
      if let (result, shift) = view.resolve(tile) { return moved(result, by: shift) }
      fault = .apart
    }
    if let fault, let opcode { report(fault, own, judge, of: view.root, opcode) }
    return nil
  }

  /// The tile with its list moved by some rows.
  private mutating func moved(_ tile: TileRef, by rows: Int) -> TileRef {
    guard tile.indexList != 0, rows != 0 else { return tile }
    var tile = tile
    let key = [Int(tile.indexList), rows]
    let list =
      views.moved[key]
      ?? indexList(
        layout.indexLists[Int(tile.indexList) - 1].map { Int32(clamping: Int($0) + rows) })
    views.moved[key] = list
    tile.indexList = list
    return tile
  }

  private func empty(_ tile: TileRef) -> TileRef {
    TileRef(
      buffer: views[tile.buffer]?.root ?? 0, row: 0, column: 0, rows: 0, columns: 0,
      format: tile.format, axis: tile.axis, space: .hbm)
  }

  private mutating func report(
    _ fault: TileFault, _ tile: TileRef, _ judge: TileLayout, of root: UInt32, _ opcode: UInt8
  ) {
    guard isFirst(of: .init(opcode: opcode, buffer: root, fault: fault)) else { return }
    var named = Program(machine: machine, catalogue: program.catalogue)
    named.buffers = judge.buffers
    named.indexTensors = program.indexTensors
    named.indexLists = program.indexLists
    var defect = judge.defect(
      fault, of: tile, named: named.describe(tile), mnemonic: program.catalogue[opcode].mnemonic)
    defect.tile?.buffer = root
    defect.core = core
    defect.op = position
    program.defects.append(defect)
  }
}

/// Takes the tiles of a micro-op, and puts others in their place when it comes again.
private struct ViewFinder: OperandVisitor {
  var tiles = InlineArray<6, TileRef>(repeating: Tile<HBM>.placeholder.ref)
  private(set) var count = 0
  private(set) var hasViews = false
  private var puts = false

  mutating func restart() { (count, puts) = (0, true) }

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    guard count < OpRecord.maximumOperands else { return }
    if puts { tile.ref = tiles[count] } else { tiles[count] = tile.ref }
    hasViews = hasViews || tile.ref.buffer & BoundViews.bit != 0
    count += 1
  }

  mutating func scalar(_ name: String, _ value: inout Float) {}
  mutating func integer(_ name: String, _ value: inout Int32) {}
  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {}
  mutating func event(_ name: String, _ value: inout Event) {}
}
