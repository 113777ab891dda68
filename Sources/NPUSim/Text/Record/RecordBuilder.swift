/// Makes a program of the lines of a record.
struct RecordBuilder {
  private let source: TextSource
  private let tree: RecordTree
  private let machine: MachineConfiguration
  private let marksLines: Bool
  private var builder: ProgramBuilder
  private var placement: RecordPlacement
  private var origins = OpOrigins()
  private var fileNumbers: [UInt32: UInt32] = [:]
  private(set) var errors: TextErrors
  private let chipBarrier: OpRecord

  init(
    _ source: TextSource, _ tree: RecordTree, _ machine: MachineConfiguration,
    _ catalogue: OpCatalogue, marksLines: Bool
  ) {
    self.source = source
    self.tree = tree
    self.machine = machine
    self.marksLines = marksLines
    builder = ProgramBuilder(machine: machine, catalogue: catalogue, isExplicit: true)
    placement = RecordPlacement(tree, machine)
    errors = TextErrors(source)
    chipBarrier = OpRecord(
      opcode: catalogue.opcode(of: ChipBarrier.self) ?? OpCatalogue.barrierAll,
      queue: ChipBarrier.queue, kind: .barrierCores)
  }

  mutating func run() -> RecordProgram? {
    judge()
    guard errors.isEmpty else { return nil }
    let tensors = makeTensors()
    for core in tree.cores.indices {
      builder.begin(core: core)
      let buffers = makeBuffers(core)
      guard errors.isEmpty else { return nil }
      for line in tree.cores[core] { emit(line, core, tensors, buffers) }
    }
    let program = builder.build()
    for defect in program.defects.prefix(TextErrors.limit) {
      errors.add(defect.message, at: span(of: defect), hint: defect.fix, category: .program)
    }
    if errors.isEmpty, program.opCount == 0 {
      let end = UInt32(clamping: source.bytes.count)
      errors.add(
        "found the end of the record, needed a micro-op", at: TextSpan(start: end, end: end),
        hint: "write one, such as op load DataCopy write ub:0:64 read x:0:64", category: .program)
    }
    return RecordProgram(program: program, origins: origins)
  }

  /// Where a defect is to be mended: at its micro-op, at the declaration of its buffer, or at the first
  /// line of the record that uses it.
  private func span(of defect: ProgramDefect) -> TextSpan {
    if let op = defect.op { return tree.cores[defect.core][op].span }
    if let name = defect.buffer {
      let tensor = tree.tensors.first { tree.names[$0.name] == name }?.span
      let buffer = tree.buffers.first { tree.names[$0.name] == name }?.span
      if let declared = tensor ?? buffer { return declared }
    }
    return tree.areas.first?.span ?? TextSpan(start: 0, end: 1)
  }

  // MARK: What the machine allows

  /// Rows and columns of tensors and buffers, and bytes on chip, lie below this.
  private static let largestExtent = 1 << 31

  private mutating func judge() {
    for (index, tensor) in tree.tensors.enumerated() {
      let pitch = placement.pitches[index]
      guard max(pitch, tensor.bytes / pitch) >= Self.largestExtent else { continue }
      errors.add(
        "found \(tensor.bytes) bytes of \(tree.names[tensor.name]) in rows of \(pitch), needed fewer "
          + "than 2^31 rows and bytes in a row", at: tensor.span,
        hint: "declare its parts as tensors of their own")
    }
    for buffer in tree.buffers {
      fits(buffer.address, buffer.address + buffer.bytes * buffer.slots, buffer.space, buffer.span)
      aligned(buffer.address, buffer.space, "byte \(buffer.address)", buffer.span)
      if buffer.slots > 1 {
        aligned(buffer.bytes, buffer.space, "slots of \(buffer.bytes) bytes", buffer.span)
      }
    }
    for (core, lines) in tree.cores.enumerated() where !lines.isEmpty && core >= machine.cores {
      errors.add(
        "found core \(core), the machine has \(machine.cores)", at: lines[0].span,
        hint: "give the machine more with --cores", category: .program)
    }
    for (core, lines) in tree.cores.enumerated() {
      for line in lines {
        judge(line, core)
        if errors.hasEnough { return }
      }
    }
  }

  private mutating func judge(_ line: RecordLine, _ core: Int) {
    guard case .op = line.kind else { return }
    let first = Int(line.area)
    var tiles = 0
    for index in first..<(first + Int(line.written + line.read)) {
      let area = tree.areas[index]
      var space = Space.hbm
      switch area.owner {
      case .memory(let memory):
        space = memory
        fits(area.address, area.address + area.extent, space, area.span)
      case .buffer(let buffer): space = tree.buffers[buffer].space
      case .tensor: break
      }
      let pieces = placement.pieces(area, core: core)
      tiles += pieces.count
      if space != .hbm {
        for piece in pieces { aligned(piece.column, space, "byte \(area.address)", area.span) }
      }
    }
    // A unit flag takes the place of one.
    let most = OpRecord.maximumOperands - (line.unit == .none ? 0 : 1)
    guard tiles > most else { return }
    errors.add(
      "found areas that make more than \(most) rectangles, needed at most that many", at: line.span,
      hint: "areas of one tensor need one pitch, rows on chip start on their memory's alignment; "
        + "otherwise record the instruction in parts")
  }

  private mutating func fits(_ first: Int, _ end: Int, _ space: Space, _ span: TextSpan) {
    if let bytes = machine[space].bytes, end > bytes {
      errors.add(
        "found bytes \(first) to \(end - 1) of \(space.name), which has \(bytes) on \(machine.name)",
        at: span, hint: "choose the machine with --config", category: .program)
    } else if end > Self.largestExtent {
      errors.add(
        "found bytes \(first) to \(end - 1) of \(space.name), needed bytes below 2^31 on chip",
        at: span)
    }
  }

  private mutating func aligned(
    _ byte: Int, _ space: Space, _ what: String, _ span: TextSpan
  ) {
    let alignment = max(1, machine[space].alignment)
    guard byte % alignment != 0 else { return }
    errors.add(
      "found \(what) in \(space.name), needed a multiple of its alignment of \(alignment) on "
        + machine.name, at: span, hint: "another machine may align it otherwise: --config",
      category: .program)
  }

  // MARK: Buffers

  private mutating func makeTensors() -> [BufferHandle<HBM>] {
    var handles: [BufferHandle<HBM>] = []
    for (index, tensor) in tree.tensors.enumerated() {
      let pitch = placement.pitches[index]
      do throws(NPUError) {
        handles.append(
          try builder.tensor(
            tree.names[tensor.name], .i8, rows: tensor.bytes / pitch, columns: pitch,
            role: tensor.role))
      } catch {
        errors.add(error.message, at: tensor.span, hint: error.hint)
      }
    }
    return handles
  }

  /// The buffers of a core's views, by their numbers; the others have none.
  private mutating func makeBuffers(_ core: Int) -> [UInt32] {
    var used = Set(tree.tensors.map { tree.names[$0.name] })
    var ids = [UInt32](repeating: 0, count: placement.views.count)
    for number in placement.views.indices where placement.views[number].core == core {
      var (name, address, slots, rows, columns) = placement.buffer(number)
      while !used.insert(name).inserted { name += "_" }
      do throws(NPUError) {
        ids[number] = try builder.place(
          PlannedBuffer(
            name, placement.views[number].space, .i8, slots: slots, rows: rows, columns: columns),
          at: address)
      } catch {
        errors.add(error.message, at: placement.spans[number], hint: error.hint)
      }
    }
    return ids
  }

  // MARK: Micro-ops

  private mutating func emit(
    _ line: RecordLine, _ core: Int, _ tensors: [BufferHandle<HBM>], _ buffers: [UInt32]
  ) {
    note(line, core)
    switch line.kind {
    case .op(let queue, let name):
      var op = OpaqueOp(
        tree.names[name], on: queue, results: [], sources: [], cycles: 1,
        latency: Int(max(0, line.latency)), streams: line.streams, unit: line.unit)
      let first = Int(line.area)
      for index in first..<(first + Int(line.written + line.read)) {
        let tiles = placement.pieces(tree.areas[index], core: core).map { piece in
          tile(piece, tensors, buffers)
        }
        if index < first + Int(line.written) { op.results += tiles } else { op.sources += tiles }
      }
      op.cycles = line.cycles < 0 ? cycles(op) : Int(line.cycles)
      _ = builder.append(ofText: op)
    case .set(let event): builder.append(.synchronise(event, .set, scope: 0))
    case .wait(let event): builder.append(.synchronise(event, .wait, scope: 0))
    case .coreSet(let other, let event):
      _ = builder.append(ofText: SetCoreEvent(Int32(other), event))
    case .coreWait(let other, let event):
      _ = builder.append(ofText: WaitCoreEvent(Int32(other), event))
    case .barrier(let queue): builder.append(.barrier(queue, scope: 0))
    case .barrierAll: builder.append(.fence(scope: 0))
    case .barrierCores: builder.append(chipBarrier)
    }
  }

  private func tile(
    _ piece: RecordPlacement.Piece, _ tensors: [BufferHandle<HBM>], _ buffers: [UInt32]
  ) -> TileRef {
    let isTensor = piece.view < 0
    var column = piece.column
    if !isTensor {
      let view = placement.views[piece.view]
      if view.pitch == 0, view.declared < 0 { column -= placement.start(piece.view) }
    }
    return TileRef(
      buffer: isTensor ? tensors[-1 - piece.view].id : buffers[piece.view],
      slot: Int32(clamping: piece.slot), row: Int32(clamping: piece.row),
      column: Int32(clamping: column), rows: Int32(clamping: piece.rows),
      columns: Int32(clamping: piece.columns), format: .i8,
      space: isTensor ? .hbm : placement.views[piece.view].space)
  }

  /// The cycles of a micro-op that states none: those of its port for the longer of its sides, where it
  /// goes a way of its queue; otherwise of lanes that take four bytes a cycle.
  private func cycles(_ op: OpaqueOp) -> Int {
    func bytes(_ tiles: [TileRef]) -> Int64 { Int64(tiles.reduce(0) { $0 + $1.usefulBytes }) }
    let moved = max(bytes(op.results), bytes(op.sources))
    let way = TransferPath.allCases.first { path in
      path.queue == op.runsOn && op.sources.first.map { path.ends.source == $0.space } == true
        && op.results.first.map { path.ends.destination == $0.space } == true
    }
    if let way { return max(1, Int(clamping: machine[way].rate.cycles(for: moved))) }
    let lanes = Int64(4 * max(1, machine.vector.lanes))
    return max(1, Int(clamping: (moved + lanes - 1) / lanes))
  }

  private mutating func note(_ line: RecordLine, _ core: Int) {
    while origins.places.count <= core { origins.places.append([]) }
    if line.line > 0 {
      let file = number(ofFile: line.file)
      return origins.places[core].append(.init(file: file, line: line.line))
    }
    guard marksLines else { return origins.places[core].append(.none) }
    let file = number(ofFile: .max)
    let number = source.location(line.span).line
    origins.places[core].append(.init(file: file, line: Int32(clamping: number)))
  }

  /// The number of a file; the largest name stands for the record itself.
  private mutating func number(ofFile id: UInt32) -> UInt32 {
    if let known = fileNumbers[id] { return known }
    let number = UInt32(origins.files.count)
    fileNumbers[id] = number
    origins.files.append(id == .max ? source.file : tree.names[id])
    return number
  }
}
