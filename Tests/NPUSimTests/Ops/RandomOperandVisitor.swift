import NPUSim

/// Replaces the operands of a micro-op by random ones, drawn from shapes and formats that micro-ops
/// relate: legal ones are found by trying.
struct RandomOperandVisitor: OperandVisitor {
  /// An operand that is not a tile.
  enum Immediate {
    case scalar(Float)
    case integer(Int)
    case choice(String)
  }

  var random: SeededGenerator
  private(set) var tiles: [(name: String, ref: TileRef, access: Access)] = []
  private(set) var immediates: [String: Immediate] = [:]
  private let shapes: [(Int, Int)]
  private let mainShape: (Int, Int)

  /// The rows of index lists: distinct, below 16.
  static let lists: [[Int32]] = [[3, 15, 0, 1, 2, 9, 14, 4, 5, 12, 11, 6]]
  static let listRows = 16

  init(seed: UInt64, lanes: Int) {
    random = SeededGenerator(seed: seed)
    let rows = 1 + random.below(9)
    let columns =
      random.below(3) == 0 ? 1 + random.below(300) : (1 + random.below(35)) * 2
    mainShape = (rows, columns)
    shapes = [
      mainShape, (rows, 1), (columns, rows), (rows, rows), (rows, FP8Block.blocks(columns)),
      (rows, min(lanes, columns)), (rows, lanes), (rows, columns / 2), (1, columns / 2),
    ]
  }

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    let shape = random.below(2) == 0 ? mainShape : shapes[random.below(shapes.count)]
    let formats: [ElementFormat]
    switch S.space {
    case .left, .right: formats = [.mxint8]
    case .acc: formats = [.bf16]
    case .ub where random.below(2) == 0: formats = [.bf16, .f32]
    default: formats = ElementFormat.allCases
    }
    let isListed = S.space == .hbm && shape.0 <= Self.lists[0].count && random.below(3) == 0
    tile = Tile(
      TileRef(
        buffer: UInt32(tiles.count), row: 0, column: 0, rows: Int32(shape.0),
        columns: Int32(shape.1), indexList: isListed ? 1 : 0,
        format: formats[random.below(formats.count)],
        axis: random.below(2) == 0 ? .alongColumns : .alongRows, space: S.space))
    tiles.append((name, tile.ref, access))
  }

  mutating func scalar(_ name: String, _ value: inout Float) {
    let values: [Float] = [0, 1, -1, 0.125, 1.4426951, -3.7, 1e30, .infinity]
    value = values[random.below(values.count)]
    immediates[name] = .scalar(value)
  }

  mutating func integer(_ name: String, _ value: inout Int32) {
    let values: [Int32] = [0, 1, 2, 3, -5, 20, .min, .max]
    value = values[random.below(values.count)]
    immediates[name] = .integer(Int(value))
  }

  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    let index = random.below(C.choices.count)
    if let chosen = C(choiceIndex: index) { value = chosen }
    immediates[name] = .choice(C.choices[index])
  }

  mutating func event(_ name: String, _ value: inout Event) {}

  /// Draws operands until they are legal; `nil` if none were found.
  static func draw<Op: MicroOp>(
    _ type: Op.Type, seed: UInt64, machine: MachineConfiguration, tries: UInt64 = 200_000
  ) -> (op: Op, drawn: RandomOperandVisitor)? {
    var layout = TileLayout(machine: machine)
    layout.indexLists = lists
    for attempt in 0..<tries {
      var visitor = RandomOperandVisitor(
        seed: seed &* 1_000_003 &+ attempt, lanes: machine.vector.lanes)
      var op = Op()
      // Choices come after tiles, whose access they decide: the second visit knows them.
      var choices = ChoiceVisitor(random: visitor.random)
      op.visit(&choices)
      visitor.random = choices.random
      var keeper = KeepingVisitor(inner: visitor)
      op.visit(&keeper)
      if op.legality(layout) == nil { return (op, keeper.inner) }
    }
    return nil
  }
}

/// Draws only the choices of a micro-op.
private struct ChoiceVisitor: OperandVisitor {
  var random: SeededGenerator

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {}
  mutating func scalar(_ name: String, _ value: inout Float) {}
  mutating func integer(_ name: String, _ value: inout Int32) {}
  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    if let chosen = C(choiceIndex: random.below(C.choices.count)) { value = chosen }
  }
  mutating func event(_ name: String, _ value: inout Event) {}
  /// A flag says what a micro-op waits for, and nothing of what it computes.
  mutating func unitFlag<C: OperandChoice>(_ name: String, _ value: inout C) {}
}

/// Draws everything but the choices, which it only records.
private struct KeepingVisitor: OperandVisitor {
  var inner: RandomOperandVisitor

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    inner.tile(name, &tile, access)
  }
  mutating func scalar(_ name: String, _ value: inout Float) { inner.scalar(name, &value) }
  mutating func integer(_ name: String, _ value: inout Int32) { inner.integer(name, &value) }
  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    inner.record(name, C.choices[value.choiceIndex])
  }
  mutating func event(_ name: String, _ value: inout Event) {}
}

extension RandomOperandVisitor {
  fileprivate mutating func record(_ name: String, _ word: String) {
    immediates[name] = .choice(word)
  }
}
