import NPUSim

/// Random vector micro-ops whose tiles lie over one another in every way: the same tile, rows and
/// columns further on, buffers placed at one address or a little beside it, over scale bytes, rows
/// of lists. All of `ub` is loaded before and stored after.
struct AliasPrograms: OperandVisitor {
  /// A program, the tensor that fills `ub`, and the one that takes it.
  struct Made {
    var program: Program
    var input: UInt32
    var output: UInt32
  }

  private struct Placed {
    var handle: BufferHandle<UB>
    var layout: Buffer
    var tile: TileRef
  }

  private static let machine = TestMachine.small(depth: nil, memory: 1 << 18)
  private static let types = OpCatalogue.standard.entries
    .filter { $0.queue == .vector && $0.kind == .data && !$0.isOpaque }.map(\.type)

  private var p = ProgramBuilder(machine: AliasPrograms.machine, catalogue: .standard)
  private var random: SeededGenerator
  private var placed: [Placed] = []
  private var drawn: [TileRef] = []
  private var error: (any Error)?

  private init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// The program of a seed; `nil` where no legal operands were found.
  static func make(seed: UInt64) throws -> Made? {
    var maker = AliasPrograms(seed: seed)
    var ops: [any MicroOp] = []
    for step in 0..<(1 + maker.random.below(3) / 2) {
      let type = types[(Int(seed) + 7 * step) % types.count]
      guard let op = try maker.operation(type, seed: seed &* 2 &+ UInt64(step)) else { return nil }
      ops.append(op)
    }
    return try maker.program(ops)
  }

  private mutating func operation<Op: MicroOp>(_ type: Op.Type, seed: UInt64) throws -> Op? {
    guard
      let (op, drawn) = RandomOperandVisitor.draw(type, seed: seed, machine: Self.machine)
    else { return nil }
    self.drawn = drawn.tiles.map(\.ref)
    var result = op
    result.visit(&self)
    if let error { throw error }
    return result
  }

  private mutating func program(_ ops: [any MicroOp]) throws -> Made {
    let end = p.build().buffers.map { max($0.base + $0.payloadExtent, $0.scaleBase + 8192) }.max()
    let rows = ((end ?? 0) + 127) / 128
    let x = try p.tensor("x", .bf16, rows: rows, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, rows: rows, columns: 64, role: .output)
    let all = try p.buffer("all", in: UB.self, .bf16, rows: rows, columns: 64, at: 0)
    // Never written itself: a view of what the micro-ops leave.
    let view = try p.buffer("view", in: UB.self, .bf16, rows: rows, columns: 64, at: 0)
    p.emit(LoadUB(all.tile(), from: x.tile()))
    p.emit(CoreBarrier())
    for op in ops { emit(op) }
    p.emit(CoreBarrier())
    p.emit(StoreHBM(y.tile(), from: view.tile()))
    return Made(program: p.build(), input: x.id, output: y.id)
  }

  private mutating func emit(_ op: some MicroOp) { p.emit(op) }

  // MARK: Operands

  mutating func scalar(_ name: String, _ value: inout Float) {}
  mutating func integer(_ name: String, _ value: inout Int32) {}
  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {}
  mutating func event(_ name: String, _ value: inout Event) {}

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    var ref = drawn.removeFirst()
    ref.indexList = 0
    do {
      tile = Tile(try place(ref, access))
    } catch { self.error = error }
  }

  private mutating func place(_ ref: TileRef, _ access: Access) throws -> TileRef {
    let kin = placed.filter { $0.tile.format == ref.format && $0.tile.axis == ref.axis }
    let twins = kin.filter { $0.tile.rows == ref.rows && $0.tile.columns == ref.columns }
    let roomy = kin.filter {
      $0.layout.rows >= Int(ref.rows) && $0.layout.columns >= Int(ref.columns)
    }
    let other = placed.isEmpty ? nil : placed[random.below(placed.count)]
    switch random.below(8) {
    case 0 where !twins.isEmpty, 1 where !twins.isEmpty, 2 where !twins.isEmpty:
      return twins[random.below(twins.count)].tile
    case 3 where !roomy.isEmpty:
      let one = roomy[random.below(roomy.count)]
      return keep(cut(ref, from: one.handle), one.handle, one.layout)
    case 4:
      guard let other else { break }
      let step = random.below(2) == 0 ? 16 : other.layout.pitch
      return try new(ref, at: max(0, other.layout.base + step * (random.below(5) - 2)))
    case 5:
      guard let other, other.layout.format == .mxint8 else { break }
      return try new(ref, at: other.layout.scaleBase / 16 * 16)
    case 6:
      return try new(ref, at: 16 * random.below(64))
    default: break
    }
    return try new(ref, at: nil)
  }

  /// A buffer of its own, somewhat larger than the tile now and then.
  private mutating func new(_ ref: TileRef, at address: Int?) throws -> TileRef {
    let isTall = ref.format == .mxint8 && ref.axis == .alongRows
    let handle = try p.buffer(
      "b\(placed.count)", in: UB.self, ref.format,
      rows: Int(ref.rows) + (isTall ? 0 : random.below(3)),
      columns: Int(ref.columns) + (random.below(2) == 0 ? 0 : 16), axis: ref.axis,
      at: address ?? 64 * ((endOfBuffers + 63) / 64))
    guard let layout = p.build().buffers.last else { return ref }
    return keep(cut(ref, from: handle), handle, layout)
  }

  private var endOfBuffers: Int {
    placed.map { max($0.layout.base + $0.layout.payloadExtent, $0.layout.scaleBase + 512) }.max()
      ?? 0
  }

  private mutating func keep(
    _ tile: TileRef, _ handle: BufferHandle<UB>, _ layout: Buffer
  ) -> TileRef {
    placed.append(Placed(handle: handle, layout: layout, tile: tile))
    return tile
  }

  /// A tile at some row and aligned column of a buffer, now and then of the rows of a list.
  private mutating func cut(_ ref: TileRef, from buffer: BufferHandle<UB>) -> TileRef {
    let (rows, columns) = (Int(ref.rows), Int(ref.columns))
    let isMX = ref.format == .mxint8
    let rowStep = isMX && ref.axis == .alongRows ? 32 : 1
    let columnStep = isMX && ref.axis == .alongColumns ? 32 : max(1, 16 / ref.format.bytes)
    let column = columnStep * random.below((buffer.columns - columns) / columnStep + 1)
    guard random.below(6) == 0, rowStep == 1 else {
      let row = rowStep * random.below((buffer.rows - rows) / rowStep + 1)
      return buffer.tile(row: row, column: column, rows: rows, columns: columns).ref
    }
    var list = (0..<Int32(buffer.rows)).map { $0 }
    if random.below(2) == 0 { list.shuffle(using: &random) }
    if random.below(4) == 0 { list[0] = list[list.count - 1] }
    return buffer.gathered(
      p.indexList(list), rows: rows, column: column, columns: columns
    ).ref
  }

  // MARK: Words

  /// What `ub` holds at the end, executed plainly or in an order.
  static func words(_ made: Made, order: [OrderStep]? = nil) throws -> [UInt8] {
    let state = MachineState(made.program)
    let count = made.program.buffers[Int(made.input)].payloadExtent / 2
    var random = SeededGenerator(seed: UInt64(count))
    // Values near one another, which round; some of any kind.
    let words = (0..<count).map { _ in
      random.below(16) == 0
        ? UInt16(random.below(1 << 16))
        : BF16(Float(random.below(4001) - 2000) / 640).bits
    }
    try state.fill(made.input, words: words)
    if let order {
      _ = try FunctionalEngine.run(made.program, state: state, order: order)
    } else {
      _ = try FunctionalEngine.run(made.program, state: state)
    }
    return state.readTensor(made.output).payload
  }
}
