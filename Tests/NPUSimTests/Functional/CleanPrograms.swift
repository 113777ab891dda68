import NPUSim

/// Random programs in which every source has been written: clean by construction.
struct CleanPrograms {
  private var random: SeededGenerator
  private var p: ProgramBuilder
  /// The rows of buffers that have been written.
  private var cells: Set<String> = []
  /// The input and output tensors.
  private(set) var inputs: [UInt32] = []
  private(set) var outputs: [UInt32] = []

  private struct Memory {
    let x: BufferHandle<HBM>
    let w: BufferHandle<HBM>
    let y: BufferHandle<HBM>
    let ub: BufferHandle<UB>
    let mx: BufferHandle<UB>
    let l1: BufferHandle<L1>
    let l1W: BufferHandle<L1>
    let left: BufferHandle<Left>
    let right: BufferHandle<Right>
    let acc: BufferHandle<Acc>
  }

  static let rows = 6
  static let columns = 32

  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var interlocks: [Bool] = []
    for _ in Queue.allCases { interlocks.append(random.below(3) > 0) }
    var machine = TestMachine.small(
      cores: 1 + random.below(2), depth: random.below(3) == 0 ? nil : 1 + random.below(6),
      eventsPerPair: nil, propagation: Int64(random.below(4)), interlocks: interlocks)
    machine.drawRules(&random)
    p = ProgramBuilder(machine: machine, catalogue: .standard)
    self.random = random
  }

  static func make(seed: UInt64, ops: Int) throws -> (
    program: Program, inputs: [UInt32], outputs: [UInt32]
  ) {
    var maker = CleanPrograms(seed: seed)
    for core in 0..<maker.p.machine.cores {
      maker.p.begin(core: core)
      maker.cells = []
      let memory = try maker.memory(core)
      for _ in 0..<ops { maker.step(memory) }
    }
    return (maker.p.build(), maker.inputs, maker.outputs)
  }

  private mutating func memory(_ core: Int) throws -> Memory {
    let (rows, columns) = (Self.rows, Self.columns)
    let x = try p.tensor("x\(core)", .f32, rows: rows, columns: columns, role: .input)
    let w = try p.tensor(
      "w\(core)", .mxint8, rows: columns, columns: columns, axis: .alongRows, role: .input)
    let y = try p.tensor("y\(core)", .f32, rows: rows, columns: columns, role: .inputOutput)
    inputs += [x.id, w.id, y.id]
    outputs.append(y.id)
    return Memory(
      x: x, w: w, y: y,
      ub: try p.buffer("ub\(core)", in: UB.self, .f32, rows: rows, columns: columns),
      mx: try p.buffer("mx\(core)", in: UB.self, .mxint8, rows: rows, columns: columns),
      l1: try p.buffer("l1\(core)", in: L1.self, .mxint8, rows: rows, columns: columns),
      l1W: try p.buffer(
        "l1W\(core)", in: L1.self, .mxint8, rows: columns, columns: columns, axis: .alongRows),
      left: try p.buffer("left\(core)", in: Left.self, .mxint8, rows: rows, columns: columns),
      right: try p.buffer(
        "right\(core)", in: Right.self, .mxint8, rows: columns, columns: columns,
        axis: .alongRows),
      acc: try p.buffer("acc\(core)", in: Acc.self, .bf16, rows: rows, columns: columns))
  }

  private mutating func emit(_ op: some MicroOp, writing name: String) {
    p.emit(op)
    cells.insert(name)
  }

  private func isWritten(_ name: String) -> Bool { cells.contains(name) }

  private func written(_ prefix: String) -> [Int] {
    (0..<Self.rows).filter { isWritten("\(prefix)\($0)") }
  }

  /// Emits one random micro-op whose sources are written; a load where there is none.
  private mutating func step(_ m: Memory) {
    let target = random.below(Self.rows)
    let values = written("ub")
    let source = values.isEmpty ? -1 : values[random.below(values.count)]
    let other = values.isEmpty ? -1 : values[random.below(values.count)]
    func ub(_ row: Int) -> Tile<UB> { m.ub.tile(row: row, rows: 1) }
    switch random.below(14) {
    case 0 where source >= 0, 1 where source >= 0:
      emit(
        StoreHBM(m.y.tile(row: target, rows: 1), from: ub(source)), writing: "y\(target)")
    case 2 where source >= 0:
      emit(
        Elementwise<AddRule>(ub(target), ub(source), ub(other)),
        writing: "ub\(target)")
    case 3 where source >= 0:
      emit(
        WithScalar<AddRule>(ub(source), ub(source), 1), writing: "ub\(source)")
    case 4 where source >= 0:
      emit(
        EncodeMX(m.mx.tile(row: target, rows: 1), ub(source)), writing: "mx\(target)")
    case 5, 6:
      let rows = written("mx")
      guard let row = rows.first(where: { $0 >= target }) ?? rows.last else { fallthrough }
      emit(
        StoreL1(m.l1.tile(row: row, rows: 1), from: m.mx.tile(row: row, rows: 1)),
        writing: "l1\(row)")
    case 7:
      let rows = written("l1")
      guard let row = rows.first(where: { $0 >= target }) ?? rows.last else { fallthrough }
      emit(
        FeedLeft(m.left.tile(row: row, rows: 1), from: m.l1.tile(row: row, rows: 1)),
        writing: "left\(row)")
    case 8, 9:
      if !isWritten("l1W") {
        emit(LoadL1(m.l1W.tile(), from: m.w.tile()), writing: "l1W")
      } else if !isWritten("right") || random.below(4) == 0 {
        emit(FeedRight(m.right.tile(), from: m.l1W.tile()), writing: "right")
      } else {
        let rows = written("left")
        guard let row = rows.first(where: { $0 >= target }) ?? rows.last else { return }
        let goesOn = isWritten("acc\(row)") && random.below(2) == 0
        emit(
          Matmul(
            m.acc.tile(row: row, rows: 1), left: m.left.tile(row: row, rows: 1),
            right: m.right.tile(), accumulate: goesOn),
          writing: "acc\(row)")
      }
    case 10, 11:
      let rows = written("acc")
      guard let row = rows.first(where: { $0 >= target }) ?? rows.last else { fallthrough }
      if random.below(2) == 0 {
        emit(
          DrainUB(ub(target), from: m.acc.tile(row: row, rows: 1)), writing: "ub\(target)")
      } else {
        emit(
          DrainHBM(m.y.tile(row: target, rows: 1), from: m.acc.tile(row: row, rows: 1)),
          writing: "y\(target)")
      }
    default:
      let readsBack = isWritten("y\(target)") && random.below(2) == 0
      let tensor = readsBack ? m.y : m.x
      let row = random.below(Self.rows)
      emit(
        LoadUB(ub(row), from: tensor.tile(row: target, rows: 1)),
        writing: "ub\(row)")
    }
  }

  /// Inputs from a seed, then the words of all outputs after running.
  static func words(
    _ made: (program: Program, inputs: [UInt32], outputs: [UInt32]), order: [OrderStep]? = nil
  ) throws -> [[UInt8]] {
    let state = MachineState(made.program)
    var random = SeededGenerator(seed: 99)
    for id in made.inputs {
      let buffer = made.program.buffers[Int(id)]
      if buffer.format == .f32 {
        let values = (0..<buffer.payloadExtent / 4).map { _ in
          Float(random.below(2000) - 1000) / 128
        }
        try state.fill(id, floats: values)
      } else {
        let payload = (0..<buffer.payloadExtent).map { _ in UInt8(random.below(256)) }
        let scales = (0..<buffer.scaleExtent).map { _ in UInt8(118 + random.below(6)) }
        try state.fill(id, bytes: payload, scales: scales)
      }
    }
    if let order {
      _ = try FunctionalEngine.run(made.program, state: state, order: order)
    } else {
      _ = try FunctionalEngine.run(made.program, state: state)
    }
    return made.outputs.map { state.readTensor($0).payload }
  }
}
