/// Builds a program: lays out buffers, records micro-ops, and finds the events between them.
///
/// Emit micro-ops one after another, as if each ended before the next began: the events and barriers
/// that keep those in order which conflict are made for you, with no redundant pair. Or emit `set`
/// and `wait` yourself, and the core is kept as written. Errors of layout are collected as defects of
/// the program, so that the checker can show them all; only sizes that cannot be represented throw.
public struct ProgramBuilder {
  public let machine: MachineConfiguration
  /// Micro-ops over all cores, and the most there may be.
  private var count = 0
  private let limit: Int
  var program: Program
  var layout: TileLayout
  private var tileIDs = InternTable<TileRef>()
  private var workIDs: InternTable<Work>
  var profileIDs: [RowProfile: Int] = [:]
  private var labelIDs: [String: UInt32] = ["": 0]
  var opNameIDs: [String: Int] = [:]
  private var lastLabel: (text: String, id: UInt32) = ("", 0)
  var scopeStack: [UInt32] = [0]
  var allocator: BufferAllocator
  /// Whose names, bindings and scopes hold.
  var scope = NameScope()
  /// What kernels take for tensors: see ``BoundView``.
  var views = BoundViews()
  /// What the cores emitted; that of the current one is in ``stream``.
  private var streams: [CoreStream]
  private var stream: CoreStream
  private let isExplicit: Bool
  /// The core that buffers and micro-ops belong to.
  public private(set) var core = 0

  /// - Parameters:
  ///   - isExplicit: whether every core is kept as it is written; otherwise one is that has an event.
  ///   - limit: the most micro-ops that are kept; what is emitted beyond is dropped.
  public init(
    machine: MachineConfiguration, catalogue: OpCatalogue, isExplicit: Bool = false,
    limit: Int = Program.microOpLimit(in: .ofProcess())
  ) {
    self.machine = machine
    self.isExplicit = isExplicit
    self.limit = limit
    program = Program(machine: machine, catalogue: catalogue)
    workIDs = InternTable(program.works)
    layout = TileLayout(machine: machine)
    allocator = BufferAllocator(machine: machine)
    stream = CoreStream(isExplicit: isExplicit)
    streams = [stream]
  }

  // MARK: Buffers

  /// Declares an HBM tensor of `slots × rows × columns` elements, dense; slots are the leading
  /// dimensions flattened. Throws when its size cannot be represented.
  ///
  /// Where the name is bound (``scoped(_:bindings:_:)``) it is the view that it is bound to. Throws
  /// `.tensor` for one of another format, block axis or extent.
  public mutating func tensor(
    _ name: String, _ format: ElementFormat, slots: Int = 1, rows: Int, columns: Int,
    axis: BlockAxis = .alongColumns, role: Buffer.Role
  ) throws(NPUError) -> BufferHandle<HBM> {
    let wanted = PlannedBuffer(
      scope.prefix + name, .hbm, format, slots: slots, rows: rows, columns: columns, axis: axis)
    if let binding = scope.binding(of: name) {
      return try bound(wanted, to: binding, role: role)
    }
    return try tensor(wanted, role: role)
  }

  /// Declares a tensor of the program's own.
  mutating func tensor(
    _ wanted: PlannedBuffer, role: Buffer.Role
  ) throws(NPUError) -> BufferHandle<HBM> {
    handle(
      try allocator.tensor(
        wanted.name, wanted.format, slots: wanted.slots, rows: wanted.rows,
        columns: wanted.columns, axis: wanted.axis, role: role))
  }

  /// Allocates a buffer of `slots × rows × columns` elements in an on-chip memory of the current
  /// core, or places it at byte `address`.
  public mutating func buffer<S: MemorySpace>(
    _ name: String, in space: S.Type, _ format: ElementFormat, slots: Int = 1, rows: Int,
    columns: Int, axis: BlockAxis = .alongColumns, at address: Int? = nil
  ) throws(NPUError) -> BufferHandle<S> {
    handle(
      try allocator.buffer(
        PlannedBuffer(
          scope.prefix + name, S.space, format, slots: slots, rows: rows, columns: columns,
          axis: axis),
        core: core, at: address))
  }

  /// Allocates a ring of `slots` slots in an on-chip memory of the current core.
  public mutating func ring<S: MemorySpace>(
    _ name: String, in space: S.Type, _ format: ElementFormat, slots: Int, rows: Int, columns: Int,
    axis: BlockAxis = .alongColumns
  ) throws(NPUError) -> Ring<S> {
    Ring(
      try buffer(name, in: space, format, slots: slots, rows: rows, columns: columns, axis: axis))
  }

  /// As ``buffer(_:in:_:slots:rows:columns:axis:at:)``, where the memory is not known as a type;
  /// returns the number of the buffer.
  mutating func place(_ buffer: PlannedBuffer, at address: Int?) throws(NPUError) -> UInt32 {
    var buffer = buffer
    buffer.name = scope.prefix + buffer.name
    return add(try allocator.buffer(buffer, core: core, at: address))
  }

  private mutating func add(_ buffer: Buffer) -> UInt32 {
    program.buffers.append(buffer)
    layout.buffers.append(buffer)
    return UInt32(program.buffers.count - 1)
  }

  private mutating func handle<S: MemorySpace>(_ buffer: Buffer) -> BufferHandle<S> {
    BufferHandle(
      id: add(buffer), slots: buffer.slots, rows: buffer.rows, columns: buffer.columns,
      format: buffer.format, axis: buffer.axis)
  }

  /// Binds a list of rows; a tile made with ``BufferHandle/gathered(_:first:rows:slot:column:columns:)``
  /// takes its rows from it. One that is given, not made from another, has the name that files know.
  @discardableResult
  public mutating func indexList(
    _ rows: [Int32], named name: String? = nil, shape: [Int]? = nil
  ) -> UInt32 {
    let (list, shape) = (program.indexLists.count, shape ?? [rows.count])
    if let name {
      program.indexTensors.append(
        IndexTensor(name: scope.prefix + name, shape: shape, list: list))
    }
    program.indexLists.append(rows)
    layout.indexLists.append(rows)
    layout.listNames.append(program.listName(list))
    return UInt32(program.indexLists.count)
  }

  // MARK: Cores and scopes

  /// Makes `index` the core that further buffers and micro-ops belong to.
  public mutating func begin(core index: Int) {
    while streams.count <= index { streams.append(CoreStream(isExplicit: isExplicit)) }
    swap(&stream, &streams[core])
    swap(&stream, &streams[index])
    core = index
    scopeStack = [scope.label]
  }

  /// Opens a nested scope; `iteration` numbers the turns of a loop.
  public mutating func pushScope(_ label: String, iteration: Int? = nil) {
    guard !isFull else { return scopeStack.append(scopeStack[scopeStack.count - 1]) }
    pushScope(intern(label), iteration: iteration)
  }

  /// As ``pushScope(_:iteration:)``, with the number of the label.
  mutating func pushScope(_ labelID: UInt32, iteration: Int?) {
    let parent = scopeStack[scopeStack.count - 1]
    guard !isFull else { return scopeStack.append(parent) }
    scopeStack.append(addScope(labelID, iteration: iteration, within: parent))
  }

  /// A scope within another one, which nobody has entered.
  private mutating func addScope(
    _ labelID: UInt32, iteration: Int?, within parent: UInt32
  ) -> UInt32 {
    program.scopes.append(
      Scope(label: labelID, iteration: Int32(clamping: iteration ?? -1), parent: parent))
    return UInt32(program.scopes.count - 1)
  }

  /// As above, without a turn.
  mutating func addScope(_ label: String, within parent: UInt32) -> UInt32 {
    addScope(intern(label), iteration: nil, within: parent)
  }

  /// Whether there is no room for another micro-op.
  private var isFull: Bool { count >= limit }

  /// Whether a micro-op was dropped: what else would be emitted is in vain.
  public var hasOverflowed: Bool { program.exceededLimit != nil }

  /// The number of a label; a loop asks for the same one again and again.
  mutating func intern(_ label: String) -> UInt32 {
    if label == lastLabel.text { return lastLabel.id }
    let id = labelIDs[label] ?? UInt32(program.scopeLabels.count)
    if id == program.scopeLabels.count {
      labelIDs[label] = id
      program.scopeLabels.append(label)
    }
    lastLabel = (label, id)
    return id
  }

  /// Closes the innermost scope.
  public mutating func popScope() {
    if scopeStack.count > 1 { scopeStack.removeLast() }
  }

  // MARK: Micro-ops

  /// Appends a micro-op to the current core: it comes after all that were emitted on the core before,
  /// as far as they share a byte that either writes.
  public mutating func emit<Op: MicroOp>(_ op: Op) {
    guard !isFull else { return program.exceededLimit = limit }
    guard let opcode = program.catalogue.opcode(of: Op.self) else {
      program.defects.append(
        ProgramDefect(
          code: .M001, message: "\(Op.mnemonic) is not in the catalogue of this program",
          core: core, op: position, fix: "list it in the catalogue"))
      return
    }
    if views.isEmpty {
      stream.append(record(of: op, opcode).record)
    } else {
      var op = op
      let isInView = resolveViews(of: &op, opcode)
      stream.append(record(of: op, opcode, isPlaced: isInView).record)
    }
    count += 1
  }

  /// The record of a micro-op, and whether nothing is wrong with it; what is wrong is reported, but for
  /// tiles outside of a view, which were.
  @inline(__always)
  mutating func record<Op: MicroOp>(
    of op: Op, _ opcode: UInt8, isPlaced isInView: Bool = true
  ) -> (record: OpRecord, isSound: Bool) {
    let position = stream.records.count
    func name() -> String? { op.ownName.map { "\(op.effectiveQueue.name).\($0)" } }
    var encoder = OperandEncoder()
    var copy = op
    copy.visit(&encoder)
    var record = OpRecord(
      opcode: opcode, queue: op.effectiveQueue, kind: op.effectiveKind,
      scope: scopeStack[scopeStack.count - 1])
    record.operandCount = encoder.count
    record.accessBits = encoder.accessBits
    var isPlaced = isInView
    for k in 0..<Int(encoder.count) {
      if record.access(k).isEmpty {
        record.words[k] = encoder.words[k]
      } else {
        let (id, isSound) = intern(encoder.tiles[k], at: position, opcode: opcode, named: name())
        record.words[k] = id
        isPlaced = isPlaced && isSound
      }
    }
    // What is stated does not depend on tiles, and has the name.
    if let name = op.ownName { record.work = intern(op.work(layout).named(number(ofName: name))) }
    guard isPlaced else { return (record, false) }
    if let wrong = op.legality(layout) {
      report(
        wrong, Op.listOperands(), { encoder.tiles[$0] }, opcode: opcode, at: position, named: name()
      )
      return (record, false)
    }
    settle(&record, doing: op.work(layout), isStated: Op.isOpaque) { encoder.tiles[$0] }
    return (record, true)
  }

  /// Declares a tensor that taps fill, of `slots × rows × columns` elements, dense; returns its
  /// index for ``tap(_:tensor:slot:row:column:)``.
  public mutating func tapTensor(
    _ name: String, _ format: ElementFormat, slots: Int = 1, rows: Int, columns: Int,
    axis: BlockAxis = .alongColumns
  ) throws(NPUError) -> Int {
    program.tapTensors.append(
      try BufferAllocator.dense(
        scope.prefix + name, format, slots: slots, rows: rows, columns: columns, axis: axis,
        role: .output))
    return program.tapTensors.count - 1
  }

  /// Declares that after the last micro-op of the current core, `tile` is the rectangle at (`slot`,
  /// `row`, `column`) of a tap tensor; nothing where the core has no micro-op yet.
  public mutating func tap<S: MemorySpace>(
    _ tile: Tile<S>, tensor: Int, slot: Int = 0, row: Int = 0, column: Int = 0
  ) {
    if program.exceededLimit != nil || position == 0 { return }
    guard let tile = views.isEmpty ? tile.ref : resolved(tile.ref) else { return }
    program.taps.append(
      Tap(
        core: core, op: position - 1, tile: tile, tensor: tensor, slot: slot, row: row,
        column: column))
  }

  /// The number of a tile, and whether it lies in its buffer as it must; reported at its first use.
  mutating func intern(
    _ tile: TileRef, at position: Int, opcode: UInt8, named name: @autoclosure () -> String? = nil
  ) -> (id: UInt32, isSound: Bool) {
    let (id, isNew) = tileIDs.id(of: tile, in: &program.tiles)
    guard isNew else { return (id, !folds.isUnsound(id)) }
    return (id, isSound(id, tile, at: position, opcode: opcode, named: name()))
  }

  /// The line of a text that is emitted; −1 where there is none.
  var line: Int32 = -1
  var folds = DefectFolds()

  /// The number of an amount of work.
  mutating func intern(_ work: Work) -> UInt32 {
    workIDs.id(of: work, in: &program.works).id
  }

  /// Micro-ops of the current core so far.
  var position: Int { stream.records.count }

  /// A micro-op of the current core as it was appended.
  func record(at position: Int) -> OpRecord { stream.records[position] }

  /// Makes room for so many micro-ops of the current core.
  mutating func reserve(_ count: Int) { streams[core].reserve(count) }

  /// Appends a complete record to the current core.
  mutating func append(_ record: OpRecord) {
    guard !isFull else { return program.exceededLimit = limit }
    var record = record
    record.scope = scopeStack[scopeStack.count - 1]
    stream.append(record)
    count += 1
  }

  // MARK: Finish

  /// The finished program, with the events that keep its order. Where there were too many micro-ops it
  /// has none, and ``Program/exceededLimit`` says so.
  public consuming func build() -> Program { sequential().lowered() }

  /// What was emitted, before any event is made.
  public consuming func sequential() -> SequentialProgram {
    var tables = program
    guard tables.exceededLimit == nil else {
      tables.taps = []
      tables.defects = []
      return SequentialProgram(tables: tables, streams: streams.map { _ in CoreStream() })
    }
    tables.defects += allocator.defects
    // The tables grew by doubling; a program may live long.
    tables.tiles = Self.trimmed(tables.tiles)
    tables.scopes = Self.trimmed(tables.scopes)
    streams[core] = stream
    stream = CoreStream()
    return SequentialProgram(tables: tables, streams: streams)
  }

  /// The list without spare room.
  private static func trimmed<Element>(_ list: [Element]) -> [Element] {
    list.withUnsafeBufferPointer { Array($0) }
  }
}
