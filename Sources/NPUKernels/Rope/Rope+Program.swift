import NPUSim

// MARK: Schedule

extension Rope {
  /// The micro-op program: positions in contiguous ranges over the cores.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let tensors = try RopeTensors(self, &p)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let tiles = RowTile.pieces(
        WorkSplit.range(positions, core: core, of: machine.cores), plan.tilePositions)
      guard !tiles.isEmpty else { continue }
      var stream = try RopeCore(self, tensors, &p)
      stream.emit(tiles, &p)
    }
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

/// Emits the tiles of one core: the tables of a tile's positions, and its rotations.
struct RopeCore {
  private let kernel: Rope
  private let tensors: RopeTensors
  private let inverses: Tile<UB>
  private var xRing: Ring<UB>
  private let frequencyRing: Ring<UB>
  private let cosineRing: Ring<UB>
  private let sineRing: Ring<UB>
  private var outRing: Ring<UB>

  init(_ kernel: Rope, _ tensors: RopeTensors, _ p: inout ProgramBuilder) throws(NPUError) {
    self.kernel = kernel
    self.tensors = tensors
    let memory = try p.allocate(kernel.buffers)
    xRing = try memory.ring("x", in: UB.self)
    inverses = try memory.buffer("inv_freq", in: UB.self).tile()
    frequencyRing = try memory.ring("freq", in: UB.self)
    cosineRing = try memory.ring("cos", in: UB.self)
    sineRing = try memory.ring("sin", in: UB.self)
    outRing = try memory.ring("out", in: UB.self)
  }

  /// The frequencies of a tile come before the rotations of the one before, so that one barrier serves
  /// both them and the sines where the vector unit does not interlock.
  mutating func emit(_ tiles: [Range<Int>], _ p: inout ProgramBuilder) {
    p.emit(LoadUB(inverses, from: tensors.inverses.tile()))
    for turn in 0...tiles.count {
      p.pushScope("positions", iteration: turn)
      if turn < tiles.count { multiply(turn, tiles[turn], &p) }
      if turn > 0 { rotate(turn - 1, tiles[turn - 1], &p) }
      if turn < tiles.count { evaluate(turn, tiles[turn], &p) }
      p.popScope()
    }
  }

  /// Frequencies times positions: a product for each row of the tile, whose position is exact.
  private func multiply(_ turn: Int, _ positions: Range<Int>, _ p: inout ProgramBuilder) {
    let frequencies = frequencyRing[turn].tile(rows: positions.count)
    for (row, position) in positions.enumerated() {
      p.emit(
        WithScalar<MulRule>(
          frequencies.rows(row..<row + 1), inverses, Float(kernel.first + position)))
    }
    store(frequencies, to: tensors.frequencies, positions, &p)
  }

  private func evaluate(_ turn: Int, _ positions: Range<Int>, _ p: inout ProgramBuilder) {
    let frequencies = frequencyRing[turn].tile(rows: positions.count)
    let cosines = cosineRing[turn].tile(rows: positions.count)
    let sines = sineRing[turn].tile(rows: positions.count)
    p.emit(Special<CosRule>(cosines, frequencies))
    p.emit(Special<SinRule>(sines, frequencies))
    store(cosines, to: tensors.cosines, positions, &p)
    store(sines, to: tensors.sines, positions, &p)
  }

  private func store(
    _ table: Tile<UB>, to tensor: BufferHandle<HBM>, _ positions: Range<Int>,
    _ p: inout ProgramBuilder
  ) {
    p.emit(StoreHBM(tensor.tile(row: positions.lowerBound, rows: positions.count), from: table))
  }

  /// One micro-op where a position has one head, otherwise one for each position.
  private mutating func rotate(
    _ turn: Int, _ positions: Range<Int>, _ p: inout ProgramBuilder
  ) {
    let heads = kernel.heads
    let places = RowTile.cut(
      rows: positions.lowerBound * heads..<positions.upperBound * heads,
      columns: 0..<kernel.headDim,
      tileRows: positions.count * min(kernel.plan.tileHeads, heads), tileColumns: kernel.headDim)
    for place in places {
      let source = xRing.load(tensors.x.tile(place), &p)
      let result = outRing.next().tile(as: place)
      let first = place.rows.lowerBound / heads - positions.lowerBound
      let size = heads == 1 ? place.rows.count : min(heads, place.rows.count)
      for (index, rows) in RowTile.pieces(0..<place.rows.count, size).enumerated() {
        let table = first + index..<first + index + (heads == 1 ? rows.count : 1)
        p.emit(
          RotatePairs(
            result.rows(rows), source.rows(rows),
            cosine: cosineRing[turn].tile(row: table.lowerBound, rows: table.count),
            sine: sineRing[turn].tile(row: table.lowerBound, rows: table.count), kernel.pairing))
      }
      p.emit(StoreHBM(tensors.out.tile(place), from: result))
    }
  }
}
