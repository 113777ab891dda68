import NPUSim

// MARK: Schedule

extension Rope {
  /// The micro-op program: positions in contiguous ranges over the cores, each core's tiles
  /// pipelined.
  public func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let tensors = try RopeTensors(self, &p)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let tiles = RowTile.pieces(
        WorkSplit.range(positions, core: core, of: machine.cores), plan.tilePositions)
      guard !tiles.isEmpty else { continue }
      var stream = try RopeCore(self, tensors, tiles, &p)
      stream.emit(&p)
    }
    return p.sequential()
  }
}

/// The HBM tensors of the program.
struct RopeTensors {
  let inverses: BufferHandle<HBM>
  let frequencies: BufferHandle<HBM>
  let cosines: BufferHandle<HBM>
  let sines: BufferHandle<HBM>
  /// One row for each head of each position.
  let x: BufferHandle<HBM>
  let out: BufferHandle<HBM>

  init(_ kernel: Rope, _ p: inout ProgramBuilder) throws(NPUError) {
    let (rows, half) = (kernel.positions, kernel.half)
    inverses = try p.tensor("rope.inv_freq", .f32, rows: 1, columns: half, role: .input)
    frequencies = try p.tensor(
      kernel.name(of: "freq"), kernel.table, rows: rows, columns: half, role: .output)
    cosines = try p.tensor(
      kernel.name(of: "cos"), kernel.table, rows: rows, columns: half, role: .output)
    sines = try p.tensor(
      kernel.name(of: "sin"), kernel.table, rows: rows, columns: half, role: .output)
    let lines = rows * kernel.heads
    x = try p.tensor("x", .bf16, rows: lines, columns: kernel.headDim, role: .input)
    out = try p.tensor("out", .bf16, rows: lines, columns: kernel.headDim, role: .output)
  }
}

/// Emits the tiles of one core: the tables of a tile are made while the tile before it is rotated, so
/// that no micro-op waits for the one right before it.
struct RopeCore {
  private let kernel: Rope
  private let tensors: RopeTensors
  private let tiles: [Range<Int>]
  /// The rows of x of each tile in turns.
  private let turns: [[RowTile]]
  private let inverses: Tile<UB>
  private var x: RowLoads
  private var turn = 0
  private var frequencyRing: Ring<UB>
  private var cosineRing: Ring<UB>
  private var sineRing: Ring<UB>
  private var outRing: Ring<UB>

  init(
    _ kernel: Rope, _ tensors: RopeTensors, _ tiles: [Range<Int>], _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.kernel = kernel
    self.tensors = tensors
    self.tiles = tiles
    let plan = kernel.plan
    let heads = kernel.heads
    turns = tiles.map { tile in
      let lines = tile.lowerBound * heads..<tile.upperBound * heads
      return RowTile.cut(
        rows: lines, columns: 0..<kernel.headDim,
        tileRows: tile.count * min(plan.tileHeads, heads), tileColumns: kernel.headDim)
    }
    let memory = try p.allocate(kernel.buffers)
    x = try RowLoads([("x", tensors.x)], turns.flatMap { $0 }, memory)
    inverses = try memory.buffer("inv_freq", in: UB.self).tile()
    frequencyRing = try memory.ring("freq", in: UB.self)
    cosineRing = try memory.ring("cos", in: UB.self)
    sineRing = try memory.ring("sin", in: UB.self)
    outRing = try memory.ring("out", in: UB.self)
  }

  /// The cosines and sines of a tile in `ub`.
  private struct Tables {
    var tile: Int
    var cosines: Ring<UB>.Slot
    var sines: Ring<UB>.Slot
  }

  mutating func emit(_ p: inout ProgramBuilder) {
    p.emit(LoadUB(inverses, from: tensors.inverses.tile()))
    var ready: Tables?
    for tile in tiles.indices {
      p.pushScope("positions", iteration: tile)
      let frequencies = multiply(tile, &p)
      p.popScope()
      if let ready { rotate(ready, &p) }
      p.pushScope("positions", iteration: tile)
      ready = evaluate(tile, frequencies, &p)
      p.popScope()
    }
    if let ready { rotate(ready, &p) }
  }

  /// Frequencies times positions: a product for each row of the tile, whose position is exact.
  private mutating func multiply(_ tile: Int, _ p: inout ProgramBuilder) -> Tile<UB> {
    let rows = tiles[tile]
    let frequencies = frequencyRing.next().tile(rows: rows.count)
    for (row, position) in rows.enumerated() {
      p.emit(
        WithScalar<MulRule>(frequencies.rows(row..<row + 1), inverses, Float(position)))
    }
    p.emit(
      StoreHBM(
        tensors.frequencies.tile(row: rows.lowerBound, rows: rows.count), from: frequencies))
    return frequencies
  }

  private mutating func evaluate(
    _ tile: Int, _ frequencies: Tile<UB>, _ p: inout ProgramBuilder
  ) -> Tables {
    let rows = tiles[tile]
    let tables = Tables(tile: tile, cosines: cosineRing.next(), sines: sineRing.next())
    let cosines = tables.cosines.tile(rows: rows.count)
    let sines = tables.sines.tile(rows: rows.count)
    p.emit(Special<CosRule>(cosines, frequencies))
    p.emit(Special<SinRule>(sines, frequencies))
    p.emit(StoreHBM(tensors.cosines.tile(row: rows.lowerBound, rows: rows.count), from: cosines))
    p.emit(StoreHBM(tensors.sines.tile(row: rows.lowerBound, rows: rows.count), from: sines))
    return tables
  }

  /// One micro-op where a position has one head, otherwise one for each position.
  private mutating func rotate(_ tables: Tables, _ p: inout ProgramBuilder) {
    p.pushScope("positions", iteration: tables.tile)
    for place in turns[tables.tile] {
      let source = x.turn(turn, &p)[0]
      turn += 1
      let result = outRing.next().tile(rows: place.rows.count)
      let position = place.rows.lowerBound / kernel.heads - tiles[tables.tile].lowerBound
      let rows = kernel.heads == 1 ? place.rows.count : min(kernel.heads, place.rows.count)
      for (index, first) in stride(from: 0, to: place.rows.count, by: rows).enumerated() {
        let count = kernel.heads == 1 ? rows : 1
        p.emit(
          RotatePairs(
            result.rows(first..<first + rows), source.rows(first..<first + rows),
            cosine: tables.cosines.tile(row: position + index, rows: count),
            sine: tables.sines.tile(row: position + index, rows: count), kernel.pairing))
      }
      p.emit(StoreHBM(tensors.out.tile(place), from: result))
    }
    p.popScope()
  }
}
