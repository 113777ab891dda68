/// Builds a program: lays out buffers, records micro-ops, and lowers tokens to events.
///
/// Emit with tokens (`after:`) and the events are made for you, with the fewest IDs and no redundant
/// pair; or emit `set` and `wait` yourself and the program is kept as written. One core uses one of
/// the two. Errors of layout are collected as defects of the program, so that the checker can show
/// them all; only sizes that cannot be represented throw.
public struct ProgramBuilder {
  public let machine: MachineConfiguration
  var program: Program
  var layout: TileLayout
  private var tileIDs: [TileRef: UInt32] = [:]
  private var workIDs: [Work: UInt32] = [.none: 0]
  private var labelIDs: [String: UInt32] = ["": 0]
  private var scopeStack: [UInt32] = [0]
  private var allocator: BufferAllocator
  var streams: [CoreStream]
  private var core = 0

  public init(machine: MachineConfiguration, catalogue: OpCatalogue) {
    self.machine = machine
    program = Program(machine: machine, catalogue: catalogue)
    layout = TileLayout(machine: machine)
    allocator = BufferAllocator(machine: machine)
    streams = [CoreStream()]
  }

  // MARK: Buffers

  /// Declares an HBM tensor of `slots × rows × columns` elements, dense; slots are the leading
  /// dimensions flattened. Throws when its size cannot be represented.
  public mutating func tensor(
    _ name: String, _ format: ElementFormat, slots: Int = 1, rows: Int, columns: Int,
    axis: BlockAxis = .alongColumns, role: Buffer.Role
  ) throws(NPUError) -> BufferHandle<HBM> {
    let buffer = try allocator.tensor(
      name, format, slots: slots, rows: rows, columns: columns, axis: axis, role: role)
    return add(buffer)
  }

  /// Allocates a buffer of `slots × rows × columns` elements in an on-chip memory of the current
  /// core, or places it at byte `address`.
  public mutating func buffer<S: MemorySpace>(
    _ name: String, in space: S.Type, _ format: ElementFormat, slots: Int = 1, rows: Int,
    columns: Int, axis: BlockAxis = .alongColumns, at address: Int? = nil
  ) throws(NPUError) -> BufferHandle<S> {
    let buffer = try allocator.buffer(
      name, S.space, format, slots: slots, rows: rows, columns: columns, axis: axis, core: core,
      at: address)
    return add(buffer)
  }

  /// Allocates a ring of `slots` slots in an on-chip memory of the current core.
  public mutating func ring<S: MemorySpace>(
    _ name: String, in space: S.Type, _ format: ElementFormat, slots: Int, rows: Int, columns: Int,
    axis: BlockAxis = .alongColumns
  ) throws(NPUError) -> Ring<S> {
    Ring(
      try buffer(name, in: space, format, slots: slots, rows: rows, columns: columns, axis: axis))
  }

  private mutating func add<S: MemorySpace>(_ buffer: Buffer) -> BufferHandle<S> {
    let id = UInt32(program.buffers.count)
    program.buffers.append(buffer)
    layout.buffers.append(buffer)
    return BufferHandle(
      id: id, slots: buffer.slots, rows: buffer.rows, columns: buffer.columns,
      format: buffer.format, axis: buffer.axis)
  }

  /// Binds a list of rows; a tile made with ``BufferHandle/gathered(_:first:rows:slot:column:columns:)``
  /// takes its rows from it.
  public mutating func indexList(_ rows: [Int32]) -> UInt32 {
    program.indexLists.append(rows)
    layout.indexLists.append(rows)
    return UInt32(program.indexLists.count)
  }

  // MARK: Cores and scopes

  /// Makes `index` the core that further buffers and micro-ops belong to.
  public mutating func begin(core index: Int) {
    while streams.count <= index { streams.append(CoreStream()) }
    core = index
    scopeStack = [0]
  }

  /// Opens a nested scope; `iteration` numbers the turns of a loop.
  public mutating func pushScope(_ label: String, iteration: Int? = nil) {
    let labelID: UInt32
    if let known = labelIDs[label] {
      labelID = known
    } else {
      labelID = UInt32(program.scopeLabels.count)
      labelIDs[label] = labelID
      program.scopeLabels.append(label)
    }
    program.scopes.append(
      Scope(
        label: labelID, iteration: Int32(clamping: iteration ?? -1),
        parent: scopeStack[scopeStack.count - 1]))
    scopeStack.append(UInt32(program.scopes.count - 1))
  }

  /// Closes the innermost scope.
  public mutating func popScope() {
    if scopeStack.count > 1 { scopeStack.removeLast() }
  }

  // MARK: Micro-ops

  /// Appends a micro-op that starts after the micro-ops of `tokens` are visible.
  @discardableResult
  public mutating func emit<Op: MicroOp>(_ op: Op, after tokens: Token...) -> Token {
    emit(op, after: tokens)
  }

  /// Appends a micro-op that starts after the micro-ops of `tokens` are visible.
  @discardableResult
  public mutating func emit<Op: MicroOp>(_ op: Op, after tokens: [Token]) -> Token {
    let position = streams[core].records.count
    guard let opcode = program.catalogue.opcode(of: Op.self) else {
      program.defects.append(
        ProgramDefect(
          code: .M001, message: "\(Op.mnemonic) is not in the catalogue of this program",
          core: core, op: position, fix: "list it in the catalogue"))
      return Token(core: UInt32(core), op: UInt32(max(0, position - 1)))
    }
    var encoder = OperandEncoder()
    var copy = op
    copy.visit(&encoder)
    var record = OpRecord(
      opcode: opcode, queue: op.effectiveQueue, kind: Op.kind,
      scope: scopeStack[scopeStack.count - 1])
    record.operandCount = encoder.count
    record.accessBits = encoder.accessBits
    var isPlaced = true
    for k in 0..<Int(encoder.count) {
      if record.access(k).isEmpty {
        record.words[k] = encoder.words[k]
      } else {
        let (id, isSound) = intern(encoder.tiles[k], at: position, mnemonic: Op.mnemonic)
        record.words[k] = id
        isPlaced = isPlaced && isSound
      }
    }
    if isPlaced {
      if let wrong = op.legality(layout) {
        program.defects.append(
          ProgramDefect(
            code: .M005, message: "\(Op.mnemonic): \(wrong)", core: core, op: position,
            fix: "give the micro-op operands of the stated shapes and formats"))
      } else {
        record.work = intern(op.work(layout))
      }
    }
    streams[core].append(record, after: tokens, core: core)
    return Token(core: UInt32(core), op: UInt32(position))
  }

  /// Declares a tensor that taps fill, of `slots × rows × columns` elements, dense; returns its
  /// index for ``tap(_:after:tensor:slot:row:column:)``.
  public mutating func tapTensor(
    _ name: String, _ format: ElementFormat, slots: Int = 1, rows: Int, columns: Int,
    axis: BlockAxis = .alongColumns
  ) throws(NPUError) -> Int {
    program.tapTensors.append(
      try BufferAllocator.dense(
        name, format, slots: slots, rows: rows, columns: columns, axis: axis, role: .output))
    return program.tapTensors.count - 1
  }

  /// Declares that after the micro-op of `token`, `tile` is the rectangle at (`slot`, `row`,
  /// `column`) of a tap tensor.
  public mutating func tap<S: MemorySpace>(
    _ tile: Tile<S>, after token: Token, tensor: Int, slot: Int = 0, row: Int = 0, column: Int = 0
  ) {
    program.taps.append(
      Tap(
        core: Int(token.core), op: Int(token.op), tile: tile.ref, tensor: tensor, slot: slot,
        row: row, column: column))
  }

  private mutating func intern(_ tile: TileRef, at position: Int, mnemonic: String) -> (
    id: UInt32, isSound: Bool
  ) {
    if let known = tileIDs[tile] { return (known, !unsoundTiles.contains(known)) }
    let id = UInt32(program.tiles.count)
    tileIDs[tile] = id
    program.tiles.append(tile)
    if let defect = layout.defect(of: tile, named: program.describe(tile), mnemonic: mnemonic) {
      unsoundTiles.insert(id)
      program.defects.append(
        ProgramDefect(
          code: defect.code, message: defect.message, core: core, op: position, fix: defect.fix))
      return (id, false)
    }
    return (id, true)
  }

  private var unsoundTiles: Set<UInt32> = []

  private mutating func intern(_ work: Work) -> UInt32 {
    if let known = workIDs[work] { return known }
    let id = UInt32(program.works.count)
    workIDs[work] = id
    program.works.append(work)
    return id
  }

  // MARK: Finish

  /// The finished program, tokens lowered to events.
  public consuming func build() -> Program {
    var result = program
    result.defects += allocator.defects
    var positions: [[UInt32]] = []
    for (index, stream) in streams.enumerated() {
      let lowered = stream.lower(machine: machine, layout: layout, tiles: result.tiles)
      result.cores.append(lowered.records)
      positions.append(lowered.positions)
      for var defect in lowered.defects {
        defect.core = index
        result.defects.append(defect)
      }
    }
    // Taps and defects name micro-ops by their place before lowering.
    for index in result.taps.indices {
      let tap = result.taps[index]
      result.taps[index].op = Int(positions[tap.core][tap.op])
    }
    result.taps.sort { ($0.core, $0.op) < ($1.core, $1.op) }
    for index in result.defects.indices {
      let defect = result.defects[index]
      if let op = defect.op, defect.core < positions.count, op < positions[defect.core].count {
        result.defects[index].op = Int(positions[defect.core][op])
      }
    }
    return result
  }
}

/// Collects the words and tiles of a micro-op's operands.
struct OperandEncoder: OperandVisitor {
  var words = InlineArray<6, UInt32>(repeating: 0)
  var tiles = InlineArray<6, TileRef>(repeating: Tile<UB>.placeholder.ref)
  var accessBits: UInt32 = 0
  var count: UInt8 = 0

  private mutating func append(_ word: UInt32) {
    guard Int(count) < OpRecord.maximumOperands else { return }
    words[Int(count)] = word
    count += 1
  }

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    guard Int(count) < OpRecord.maximumOperands else { return }
    tiles[Int(count)] = tile.ref
    accessBits |= UInt32(access.rawValue) << UInt32(4 * count)
    append(0)
  }

  mutating func scalar(_ name: String, _ value: inout Float) { append(value.bitPattern) }

  mutating func integer(_ name: String, _ value: inout Int32) {
    append(UInt32(bitPattern: value))
  }

  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    append(UInt32(truncatingIfNeeded: value.choiceIndex))
  }

  mutating func event(_ name: String, _ value: inout Event) { append(value.packed) }
}
