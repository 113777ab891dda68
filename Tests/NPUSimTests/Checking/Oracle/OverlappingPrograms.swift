import NPUSim

/// Random programs whose tiles overlap in part: windows that slide, tiles at shifting rows and columns,
/// now and then over buffers that share bytes.
struct OverlappingPrograms {
  private var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private static let rows = 24
  private static let columns = 64

  private mutating func chance(_ oneIn: Int) -> Bool { random.below(oneIn) == 0 }

  /// A program on one or two cores; unless `isOrdered`, about half of its events are left out.
  mutating func program(isOrdered: Bool) throws -> Program {
    let cores = chance(3) ? 2 : 1
    var machine = TestMachine.small(
      cores: cores, depth: nil, eventsPerPair: nil,
      interlocks: (0..<Queue.count).map { _ in random.below(3) > 0 })
    machine.drawRules(&random)
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: Self.rows, columns: Self.columns, role: .input)
    let y = try p.tensor(
      "y", .bf16, rows: Self.rows, columns: Self.columns,
      role: chance(2) ? .inputOutput : .scratch)
    let list = p.indexList((0..<12).map { _ in Int32(random.below(Self.rows)) })
    for core in 0..<cores {
      p.begin(core: core)
      var ub = [
        try p.buffer("a", in: UB.self, .bf16, rows: Self.rows, columns: Self.columns),
        try p.buffer("b", in: UB.self, .bf16, rows: Self.rows, columns: Self.columns),
      ]
      if chance(3) {
        ub.append(
          try p.buffer(
            "alias", in: UB.self, .bf16, rows: Self.rows, columns: chance(2) ? Self.columns : 48,
            at: 16 * random.below(64)))
      }
      // Every byte is written first in most programs, so that reads may be clean.
      if !chance(4) {
        for buffer in ub.prefix(2) { p.emit(Fill(buffer.tile(), 0)) }
      }
      let count = 6 + random.below(24)
      for step in 0..<count {
        if cores > 1 && step == count / 2 { p.emit(ChipBarrier()) }
        emit(&p, ub, x, y, list)
      }
    }
    let program = p.build()
    return isOrdered ? program : program.removing(program.eventPairs.filter { _ in chance(2) })
  }

  private mutating func emit(
    _ p: inout ProgramBuilder, _ ub: [BufferHandle<UB>], _ x: BufferHandle<HBM>,
    _ y: BufferHandle<HBM>, _ list: UInt32
  ) {
    let rows = 1 + random.below(chance(2) ? Self.rows / 2 : 4)
    let columns = chance(3) ? 48 : 8 * (1 + random.below(5))
    let near = ub[random.below(ub.count)]
    switch random.below(4) {
    case 0:
      var source = tile(chance(2) ? x : y, rows, columns)
      let target = tile(near, min(rows, 8), columns)
      if chance(4) {
        source.ref.indexList = list
        source.ref.row = Int32(random.below(3))
        source.ref.rows = target.ref.rows
        p.emit(GatherUB(target, from: source))
      } else {
        p.emit(LoadUB(tile(near, rows, columns), from: source))
      }
    case 1:
      p.emit(StoreHBM(tile(y, rows, columns), from: tile(near, rows, columns)))
    case 2:
      // In place or between buffers: a result over a part of its source is not what is judged here.
      let result = tile(ub[1], rows, columns)
      let source = near.id == ub[1].id ? result : tile(near, rows, columns)
      p.emit(Special<ExpRule>(result, source))
    default:
      let result = tile(ub[0], rows, columns)
      let source = chance(2) ? result : tile(ub[1], rows, columns)
      p.emit(Special<ExpRule>(result, source))
    }
  }

  private mutating func tile<M: MemorySpace>(
    _ buffer: BufferHandle<M>, _ rows: Int, _ columns: Int
  ) -> Tile<M> {
    buffer.tile(
      row: random.below(buffer.rows - rows + 1),
      column: 8 * random.below((buffer.columns - columns) / 8 + 1), rows: rows, columns: columns)
  }
}
