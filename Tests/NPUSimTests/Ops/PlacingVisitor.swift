import NPUSim

/// Places drawn tiles in buffers of a program, at random offsets, and gives those that are read
/// random contents.
struct PlacingVisitor: OperandVisitor {
  var p: ProgramBuilder
  var random: SeededGenerator
  let drawn: [(name: String, ref: TileRef, access: Access)]
  /// HBM tensors to fill before the run.
  private(set) var inputs: [(id: UInt32, format: ElementFormat)] = []
  private(set) var error: (any Error)?
  private var next = 0

  init(_ p: ProgramBuilder, _ drawn: RandomOperandVisitor) {
    self.p = p
    random = drawn.random
    self.drawn = drawn.tiles
  }

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    let ref = drawn[next].ref
    next += 1
    do {
      tile = try place(ref, "\(name)\(next)", in: S.self)
      guard access.contains(.read) else { return }
      switch S.space {
      case .hbm: inputs.append((tile.ref.buffer, ref.format))
      case .ub: try fill(Tile<UB>(tile.ref))
      case .l1: try fill(Tile<L1>(tile.ref))
      case .left: try fill(Tile<Left>(tile.ref))
      case .right: try fill(Tile<Right>(tile.ref))
      case .acc: try fill(Tile<Acc>(tile.ref))
      }
    } catch { self.error = error }
  }

  mutating func scalar(_ name: String, _ value: inout Float) {}
  mutating func integer(_ name: String, _ value: inout Int32) {}
  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {}
  mutating func event(_ name: String, _ value: inout Event) {}

  private mutating func place<S: MemorySpace>(
    _ ref: TileRef, _ name: String, in space: S.Type
  ) throws -> Tile<S> {
    if S.space == .hbm {
      let rows = ref.indexList == 0 ? Int(ref.rows) : RandomOperandVisitor.listRows
      let tensor = try p.tensor(
        name, ref.format, rows: rows, columns: Int(ref.columns), axis: ref.axis,
        role: .inputOutput)
      var tile: Tile<HBM> = tensor.tile(rows: Int(ref.rows))
      tile.ref.indexList = ref.indexList
      return Tile(tile.ref)
    }
    let block = ref.format == .mxint8 && ref.axis == .alongRows ? 32 : 1
    let row = random.below(3) * block
    let column = random.below(2) * 64
    let buffer = try p.buffer(
      name, in: S.self, ref.format, slots: 2, rows: row + Int(ref.rows),
      columns: column + Int(ref.columns), axis: ref.axis)
    return buffer.tile(
      slot: random.below(2), row: row, column: column, rows: Int(ref.rows),
      columns: Int(ref.columns))
  }

  private mutating func step(_ op: some MicroOp) {
    p.emit(op)
    p.emit(CoreBarrier())
  }

  private mutating func source(_ ref: TileRef, axis: BlockAxis? = nil) throws -> Tile<HBM> {
    let tensor = try p.tensor(
      "source\(inputs.count)", ref.format, rows: Int(ref.rows), columns: Int(ref.columns),
      axis: ref.axis, role: .input)
    inputs.append((tensor.id, ref.format))
    return tensor.tile()
  }

  private mutating func fill(_ tile: Tile<UB>) throws {
    step(LoadUB(tile, from: try source(tile.ref)))
  }

  private mutating func fill(_ tile: Tile<L1>) throws {
    step(LoadL1(tile, from: try source(tile.ref)))
  }

  private mutating func staged(_ ref: TileRef) throws -> Tile<L1> {
    let stage: Tile<L1> = try p.buffer(
      "stage\(inputs.count)", in: L1.self, ref.format, rows: Int(ref.rows),
      columns: Int(ref.columns), axis: ref.axis
    ).tile()
    try fill(stage)
    return stage
  }

  private mutating func fill(_ tile: Tile<Left>) throws {
    step(FeedLeft(tile, from: try staged(tile.ref)))
  }

  private mutating func fill(_ tile: Tile<Right>) throws {
    step(FeedRight(tile, from: try staged(tile.ref)))
  }

  /// An accumulator holds what a product gave.
  private mutating func fill(_ tile: Tile<Acc>) throws {
    let left: Tile<Left> = try p.buffer(
      "left\(inputs.count)", in: Left.self, .mxint8, rows: tile.rows, columns: 32
    ).tile()
    let right: Tile<Right> = try p.buffer(
      "right\(inputs.count)", in: Right.self, .mxint8, rows: 32, columns: tile.columns,
      axis: .alongRows
    ).tile()
    try fill(left)
    try fill(right)
    step(Matmul(tile, left: left, right: right, accumulate: false))
  }
}
