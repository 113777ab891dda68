import NPUSim

// MARK: Schedule

extension Rope {
  /// The micro-op program: positions in contiguous ranges over the cores, each core's tiles
  /// pipelined.
  public func program(_ indices: IndexTensors) throws(NPUError) -> Program {
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
    return p.build()
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
    let loaded = p.emit(LoadUB(inverses, from: tensors.inverses.tile()))
    var ready: Tables?
    for tile in tiles.indices {
      p.pushScope("positions", iteration: tile)
      let frequencies = multiply(tile, after: loaded, &p)
      p.popScope()
      if let ready { rotate(ready, &p) }
      p.pushScope("positions", iteration: tile)
      ready = evaluate(tile, frequencies, &p)
      p.popScope()
    }
    if let ready { rotate(ready, &p) }
  }

  /// Frequencies times positions: a product for each row of the tile, whose position is exact.
  private mutating func multiply(
    _ tile: Int, after loaded: Token, _ p: inout ProgramBuilder
  ) -> (slot: Ring<UB>.Slot, stored: Token) {
    let rows = tiles[tile]
    let slot = frequencyRing.acquire()
    var made = loaded
    for (row, position) in rows.enumerated() {
      made = p.emit(
        WithScalar<MulRule>(slot.tile(row: row, rows: 1), inverses, Float(position)),
        after: [loaded] + slot.free)
    }
    let stored = p.emit(
      StoreHBM(
        tensors.frequencies.tile(row: rows.lowerBound, rows: rows.count),
        from: slot.tile(rows: rows.count)), after: made)
    return (slot, stored)
  }

  private mutating func evaluate(
    _ tile: Int, _ frequencies: (slot: Ring<UB>.Slot, stored: Token), _ p: inout ProgramBuilder
  ) -> Tables {
    let rows = tiles[tile]
    let source = frequencies.slot.tile(rows: rows.count)
    let tables = Tables(
      tile: tile, cosines: cosineRing.acquire(), sines: sineRing.acquire())
    let cosines = tables.cosines.tile(rows: rows.count)
    let sines = tables.sines.tile(rows: rows.count)
    p.emit(Special<CosRule>(cosines, source), after: tables.cosines.free)
    let made = p.emit(Special<SinRule>(sines, source), after: tables.sines.free)
    frequencyRing.release(frequencies.slot, after: frequencies.stored)
    let first = p.emit(
      StoreHBM(
        tensors.cosines.tile(row: rows.lowerBound, rows: rows.count), from: cosines),
      after: made)
    cosineRing.release(tables.cosines, after: first)
    let second = p.emit(
      StoreHBM(tensors.sines.tile(row: rows.lowerBound, rows: rows.count), from: sines),
      after: made)
    sineRing.release(tables.sines, after: second)
    return tables
  }

  /// One micro-op where a position has one head, otherwise one for each position.
  private mutating func rotate(_ tables: Tables, _ p: inout ProgramBuilder) {
    p.pushScope("positions", iteration: tables.tile)
    for place in turns[tables.tile] {
      let load = x.turn(turn, &p)
      let slot = outRing.acquire()
      let source = load.tiles[0]
      let result = slot.tile(rows: place.rows.count)
      let position = place.rows.lowerBound / kernel.heads - tiles[tables.tile].lowerBound
      let rows = kernel.heads == 1 ? place.rows.count : min(kernel.heads, place.rows.count)
      var made: Token?
      for (index, first) in stride(from: 0, to: place.rows.count, by: rows).enumerated() {
        let count = kernel.heads == 1 ? rows : 1
        made = p.emit(
          RotatePairs(
            result.rows(first..<first + rows), source.rows(first..<first + rows),
            cosine: tables.cosines.tile(row: position + index, rows: count),
            sine: tables.sines.tile(row: position + index, rows: count), kernel.pairing),
          after: load.ready + slot.free)
      }
      guard let made else { continue }
      x.release(turn, after: made)
      turn += 1
      let stored = p.emit(StoreHBM(tensors.out.tile(place), from: result), after: made)
      outRing.release(slot, after: stored)
    }
    p.popScope()
  }
}

extension Tile {
  /// Some rows of the tile.
  func rows(_ range: Range<Int>) -> Tile {
    var part = ref
    part.row += Int32(clamping: range.lowerBound)
    part.rows = Int32(clamping: range.count)
    return Tile(part)
  }
}
