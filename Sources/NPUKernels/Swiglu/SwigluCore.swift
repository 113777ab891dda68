import NPUSim

/// Emits the products of one core: the encoded rows of a tile of tokens wait in `l1`, and the weights
/// stream past them, loads a ring ahead of their feeds.
struct SwigluCore {
  private let kernel: Swiglu
  private let plan: SwigluSchedule
  private let tensors: SwigluTensors
  private let weightRing: Ring<L1>
  private let operandRing: Ring<L1>
  private var leftRing: Ring<Left>
  private var rightRing: Ring<Right>
  private var accRing: Ring<Acc>
  private var valueRing: Ring<UB>
  private var encodedRing: Ring<UB>
  /// a, u, g and h.
  private var gateRings: [Ring<UB>] = []

  /// Some rows of a weight matrix, and some of their depth.
  private struct Load {
    var matrix: BufferHandle<HBM>
    var rows: Range<Int>
    var depth: Range<Int>
  }

  /// The loads of all products, those that are emitted, and the one whose chunk is multiplied next.
  private var loads: [Load] = []
  private var loaded = 0
  private var used = 0

  init(_ kernel: Swiglu, _ tensors: SwigluTensors, _ p: inout ProgramBuilder) throws(NPUError) {
    self.kernel = kernel
    self.tensors = tensors
    plan = kernel.plan
    let memory = try p.allocate(kernel.buffers)
    weightRing = try memory.ring("weights", in: L1.self)
    operandRing = try memory.ring("rows", in: L1.self)
    leftRing = try memory.ring("left", in: Left.self)
    rightRing = try memory.ring("right", in: Right.self)
    accRing = try memory.ring("acc", in: Acc.self)
    valueRing = try memory.ring("values", in: UB.self)
    encodedRing = try memory.ring("encoded", in: UB.self)
    for name in ["a", "u", "g", "gated"] {
      gateRings.append(try memory.ring(name, in: UB.self))
    }
  }

  mutating func emit(_ products: [SwigluProduct], _ p: inout ProgramBuilder) {
    loads = products.flatMap { loads(of: $0) }
    var phase = SwigluProduct.Phase.up
    var turn = -1
    for (index, product) in products.enumerated() {
      p.pushScope(product.phase == .up ? "up" : "down", iteration: index)
      if turn < 0 || phase != product.phase || products[index - 1].tokens != product.tokens {
        // The weights that have room go first: rows of h are loaded only when all of h is made.
        prefetch(&p)
        if phase != product.phase { meet(&p) }
        phase = product.phase
        turn += 1
        stage(product, to: operandRing[turn], &p)
      }
      switch product.phase {
      case .up: gate(product, operandRing[turn], &p)
      case .down: project(product, operandRing[turn], &p)
      }
      p.popScope()
    }
    if phase == .up { meet(&p) }
  }

  /// Every core waits until all of h is made; one core alone orders its own loads.
  private func meet(_ p: inout ProgramBuilder) {
    if kernel.machine.cores > 1 { p.emit(ChipBarrier()) }
  }

  // MARK: Weights

  private func loads(of product: SwigluProduct) -> [Load] {
    let matrices = product.phase == .up ? [tensors.w1, tensors.w3] : [tensors.w2]
    return matrices.flatMap { matrix in
      RowTile.pieces(0..<matrix.columns, plan.chunkK).map {
        Load(matrix: matrix, rows: product.columns, depth: $0)
      }
    }
  }

  /// Emits the loads for which there is room.
  private mutating func prefetch(_ p: inout ProgramBuilder) {
    while loaded < min(used + plan.weightStages, loads.count) {
      let load = loads[loaded]
      p.emit(
        LoadL1(
          weightRing[loaded].tile(rows: load.rows.count, columns: load.depth.count),
          from: load.matrix.tile(RowTile(rows: load.rows, columns: load.depth))))
      loaded += 1
    }
  }

  // MARK: Rows

  /// Brings the rows of a product to `l1`: loaded as BF16, encoded piece by piece, and stored.
  private mutating func stage(
    _ product: SwigluProduct, to slot: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    let tensor = product.phase == .up ? tensors.x : tensors.h
    let rows = product.tokens.count
    for piece in RowTile.pieces(0..<tensor.columns, plan.pieceColumns) {
      let values = valueRing.next().tile(rows: rows, columns: piece.count)
      let encoded = encodedRing.next().tile(rows: rows, columns: piece.count)
      p.emit(LoadUB(values, from: tensor.tile(RowTile(rows: product.tokens, columns: piece))))
      p.emit(EncodeMX(encoded, values))
      p.emit(
        StoreL1(
          slot.tile(column: piece.lowerBound, rows: rows, columns: piece.count), from: encoded))
    }
  }

  // MARK: Products

  /// rows · (the next weights)ᵀ; returns the accumulators.
  private mutating func multiply(
    _ product: SwigluProduct, _ operand: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) -> Tile<Acc> {
    let (rows, columns) = (product.tokens.count, product.columns.count)
    let target = accRing.next().tile(rows: rows, columns: columns)
    var isDone = false
    while !isDone {
      prefetch(&p)
      let load = loads[used]
      let weights = weightRing[used]
      used += 1
      isDone = load.depth.upperBound == load.matrix.columns
      for part in RowTile.pieces(load.depth, plan.tileK) {
        let left = leftRing.next().tile(rows: rows, columns: part.count)
        let right = rightRing.next().tile(rows: part.count, columns: columns)
        p.emit(
          FeedLeft(
            left, from: operand.tile(column: part.lowerBound, rows: rows, columns: part.count)))
        p.emit(
          FeedRightTransposed(
            right,
            from: weights.tile(
              column: part.lowerBound - load.depth.lowerBound, rows: columns, columns: part.count)))
        p.emit(Matmul(target, left: left, right: right, accumulate: part.lowerBound > 0))
      }
    }
    return target
  }

  /// Columns of a, u, g and h.
  private mutating func gate(
    _ product: SwigluProduct, _ operand: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    let place = RowTile(rows: product.tokens, columns: product.columns)
    let tiles = gateRings.indices.map {
      gateRings[$0].next().tile(rows: place.rows.count, columns: place.columns.count)
    }
    p.emit(DrainUB(tiles[0], from: multiply(product, operand, &p)))
    tap(tiles[0], tensors.a, place, &p)
    p.emit(Special<SiluRule>(tiles[2], tiles[0]))
    tap(tiles[2], tensors.g, place, &p)
    p.emit(DrainUB(tiles[1], from: multiply(product, operand, &p)))
    tap(tiles[1], tensors.u, place, &p)
    p.emit(Elementwise<MulRule>(tiles[3], tiles[2], tiles[1]))
    p.emit(StoreHBM(tensors.h.tile(place), from: tiles[3]))
  }

  private func tap(_ tile: Tile<UB>, _ tensor: Int, _ place: RowTile, _ p: inout ProgramBuilder) {
    p.tap(tile, tensor: tensor, row: place.rows.lowerBound, column: place.columns.lowerBound)
  }

  /// Columns of out.
  private mutating func project(
    _ product: SwigluProduct, _ operand: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    let place = RowTile(rows: product.tokens, columns: product.columns)
    p.emit(DrainHBM(tensors.out.tile(place), from: multiply(product, operand, &p)))
  }
}
