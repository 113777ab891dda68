import NPUSim

// MARK: Schedule

extension RMSNorm {
  /// The micro-op program: rows in contiguous ranges over the cores, each core's tiles pipelined.
  public func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let tensors = try RMSNormTensors(self, &p)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let rowTiles = plan.rowTiles(
        rows: rows, columns: columns, core: core, of: machine.cores)
      guard !rowTiles.isEmpty else { continue }
      var stream = try RMSNormCore(self, tensors, rowTiles, &p)
      stream.emit(&p)
    }
    return p.sequential()
  }
}

/// The HBM tensors and taps of the program.
struct RMSNormTensors {
  let x: BufferHandle<HBM>
  let weight: BufferHandle<HBM>
  let out: BufferHandle<HBM>
  let sums: Int
  let inverses: Int

  init(_ kernel: RMSNorm, _ p: inout ProgramBuilder) throws(NPUError) {
    let (rows, columns) = (kernel.rows, kernel.columns)
    x = try p.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    weight = try p.tensor("weight", .bf16, rows: 1, columns: columns, role: .input)
    out = try p.tensor("out", .bf16, rows: rows, columns: columns, role: .output)
    sums = try p.tapTensor("ss", .f32, rows: rows, columns: 1)
    inverses = try p.tapTensor("inv", .f32, rows: rows, columns: 1)
  }
}

/// Emits the tiles of one core with three row tiles in flight: while the squares of one are summed,
/// the root of the one before is taken and the one before that is scaled. The passes of the three
/// are dealt out in turn, so that no micro-op waits for the one right before it.
struct RMSNormCore {
  private let kernel: RMSNorm
  private let tensors: RMSNormTensors
  private let rowTiles: [[RowTile]]
  private let steps: [Step]
  private var x: RowLoads
  private var weights: RowLoads
  private let squares: BufferHandle<UB>
  private let scaled: BufferHandle<UB>
  private var outRing: Ring<UB>
  private let partials: BufferHandle<UB>
  private let sums: BufferHandle<UB>
  private let inverses: BufferHandle<UB>

  /// A pass over one tile, or over the column of its rows' sums.
  private enum Pass {
    case square, sum, finish, mean, addEpsilon, root, scale, weigh
  }

  private struct Step {
    var pass: Pass
    /// Row tile, and column tile in it.
    var tile: Int
    var part = 0
    /// The turn of x that the pass reads.
    var load = 0
    /// The turn of the weight.
    var weight = 0
  }

  init(
    _ kernel: RMSNorm, _ tensors: RMSNormTensors, _ rowTiles: [[RowTile]],
    _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.kernel = kernel
    self.tensors = tensors
    self.rowTiles = rowTiles
    var loads: [RowTile] = []
    var weightLoads: [RowTile] = []
    steps = Self.order(rowTiles, &loads, &weightLoads)
    let isWhole = rowTiles[0].count == 1
    let memory = try p.allocate(kernel.buffers)
    x = try RowLoads([("x", tensors.x)], loads, held: isWhole ? 2 : 0, memory)
    weights = try RowLoads([("weight", tensors.weight)], weightLoads, memory)
    squares = try memory.buffer("squares", in: UB.self)
    scaled = try memory.buffer("scaled", in: UB.self)
    outRing = try memory.ring("out", in: UB.self)
    partials = try memory.buffer("partials", in: UB.self)
    sums = try memory.buffer("ss", in: UB.self)
    inverses = try memory.buffer("inv", in: UB.self)
  }

  // MARK: Order of the passes

  /// The passes of all row tiles in the order in which they are emitted, and the loads in the order
  /// of their first use: a whole row is loaded once, a longer one once for its sum and once to be
  /// scaled.
  private static func order(
    _ rowTiles: [[RowTile]], _ loads: inout [RowTile], _ weightLoads: inout [RowTile]
  ) -> [Step] {
    var steps: [Step] = []
    let isWhole = rowTiles[0].count == 1
    for turn in 0..<rowTiles.count + 2 {
      var chains: [[Step]] = [[], [], []]
      if turn < rowTiles.count {
        for part in rowTiles[turn].indices {
          chains[0].append(Step(pass: .square, tile: turn, part: part))
          chains[0].append(Step(pass: .sum, tile: turn, part: part))
        }
      }
      if turn >= 1, turn - 1 < rowTiles.count {
        chains[1] = [.finish, .mean, .addEpsilon, .root].map { Step(pass: $0, tile: turn - 1) }
      }
      if turn >= 2 {
        for part in rowTiles[turn - 2].indices {
          chains[2].append(Step(pass: .scale, tile: turn - 2, part: part))
          chains[2].append(Step(pass: .weigh, tile: turn - 2, part: part))
        }
      }
      var next = [0, 0, 0]
      var slot = 0
      while next[0] + next[1] + next[2] < chains.reduce(0, { $0 + $1.count }) {
        // The short passes go between each two of the long ones.
        let chain = [0, 1, 2, 1][slot % 4]
        slot += 1
        if next[chain] < chains[chain].count {
          steps.append(chains[chain][next[chain]])
          next[chain] += 1
        }
      }
    }
    for index in steps.indices {
      let step = steps[index]
      let place = rowTiles[step.tile][step.part]
      switch step.pass {
      case .square, .scale:
        if isWhole && step.pass == .scale {
          steps[index].load = step.tile
        } else {
          steps[index].load = loads.count
          loads.append(place)
        }
      case .weigh where !isWhole || weightLoads.isEmpty:
        steps[index].weight = weightLoads.count
        weightLoads.append(RowTile(rows: 0..<1, columns: place.columns))
      default: break
      }
    }
    return steps
  }

  // MARK: Emission

  mutating func emit(_ p: inout ProgramBuilder) {
    for step in steps {
      p.pushScope("rows", iteration: step.tile)
      switch step.pass {
      case .square, .sum, .scale, .weigh: emitPass(step, &p)
      case .finish, .mean, .addEpsilon, .root: emitColumn(step, &p)
      }
      p.popScope()
    }
  }

  /// A pass over the elements of a tile.
  private mutating func emitPass(_ step: Step, _ p: inout ProgramBuilder) {
    let place = rowTiles[step.tile][step.part]
    let (rows, columns) = (place.rows.count, place.columns.count)
    let square = squares.tile(rows: rows, columns: columns)
    let product = scaled.tile(rows: rows, columns: columns)
    switch step.pass {
    case .square:
      let values = x.turn(step.load, &p)[0]
      p.emit(Elementwise<MulRule>(square, values, values))
    case .sum:
      let lanes = step.part == 0 ? min(kernel.machine.vector.lanes, columns) : partials.columns
      p.emit(
        RowSum(
          partials.tile(slot: step.tile % 2, rows: rows, columns: lanes), square,
          start: step.part == 0))
    case .scale:
      p.emit(
        RowBroadcast<MulRule>(
          product, x.turn(step.load, &p)[0], inverses.tile(slot: step.tile % 3, rows: rows)))
    default: weigh(step, place, &p)
    }
  }

  /// The weight is one row: a product for each row of the tile.
  private mutating func weigh(
    _ step: Step, _ place: RowTile, _ p: inout ProgramBuilder
  ) {
    let weight = weights.turn(step.weight, &p)[0]
    let slot = outRing.next()
    let columns = place.columns.count
    for row in 0..<place.rows.count {
      p.emit(
        Elementwise<MulRule>(
          slot.tile(row: row, rows: 1, columns: columns),
          scaled.tile(row: row, rows: 1, columns: columns), weight))
    }
    p.emit(
      StoreHBM(tensors.out.tile(place), from: slot.tile(rows: place.rows.count, columns: columns)))
  }

  /// A pass over the column of sums of a row tile.
  private mutating func emitColumn(_ step: Step, _ p: inout ProgramBuilder) {
    let place = rowTiles[step.tile][0]
    let rows = place.rows.count
    let sum = sums.tile(slot: step.tile % 2, rows: rows)
    let inverse = inverses.tile(slot: step.tile % 3, rows: rows)
    switch step.pass {
    case .finish:
      p.emit(RowFinish(sum, partials.tile(slot: step.tile % 2, rows: rows)))
      p.tap(sum, tensor: tensors.sums, row: place.rows.lowerBound)
    case .mean:
      p.emit(WithScalar<MulRule>(inverse, sum, FP32.div(1, Float(kernel.columns))))
    case .addEpsilon:
      p.emit(WithScalar<AddRule>(inverse, inverse, kernel.epsilon))
    default:
      p.emit(Special<RsqrtRule>(inverse, inverse))
      p.tap(inverse, tensor: tensors.inverses, row: place.rows.lowerBound)
    }
  }
}
