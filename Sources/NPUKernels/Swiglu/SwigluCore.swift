import NPUSim

/// Emits the products of one core: the encoded rows of a tile of tokens wait in `l1`, and the weights
/// stream past them.
struct SwigluCore {
  private let kernel: Swiglu
  private let plan: SwigluSchedule
  private let tensors: SwigluTensors
  private var weightRing: Ring<L1>
  private var operandRing: Ring<L1>
  private var leftRing: Ring<Left>
  private var rightRing: Ring<Right>
  private var accRing: Ring<Acc>
  private var valueRing: Ring<UB>
  private var encodedRing: Ring<UB>
  /// a, u, g and h.
  private var gateRings: [Ring<UB>] = []

  /// Weights that are loaded before all of h is made: nothing else orders them.
  private var early: ArraySlice<Ring<L1>.Slot> = []

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
    var last: SwigluProduct?
    var operand = operandRing[0]
    for (index, product) in products.enumerated() {
      p.pushScope(product.phase == .up ? "up" : "down", iteration: index)
      if product.phase == .down && last?.phase != .down { meet(before: products[index...], &p) }
      if last?.phase != product.phase || last?.tokens != product.tokens {
        operand = operandRing.next()
        stage(product, to: operand, &p)
      }
      switch product.phase {
      case .up: gate(product, operand, &p)
      case .down: project(product, operand, &p)
      }
      p.popScope()
      last = product
    }
    if last?.phase != .down { meet(before: [], &p) }
  }

  /// Every core waits until all of h is made; one core alone orders its own loads.
  private mutating func meet(
    before products: ArraySlice<SwigluProduct>, _ p: inout ProgramBuilder
  ) {
    guard kernel.machine.cores > 1 else { return }
    let places = products.prefix(plan.weightStages).flatMap { product in
      chunks(tensors.w2).map { RowTile(rows: product.columns, columns: $0) }
    }
    early = places.prefix(plan.weightStages).map { load(tensors.w2, $0, &p) }[...]
    p.emit(ChipBarrier())
  }

  // MARK: Weights

  private func chunks(_ matrix: BufferHandle<HBM>) -> [Range<Int>] {
    RowTile.pieces(0..<matrix.columns, plan.chunkK)
  }

  private mutating func load(
    _ matrix: BufferHandle<HBM>, _ place: RowTile, _ p: inout ProgramBuilder
  ) -> Ring<L1>.Slot {
    let slot = weightRing.next()
    p.emit(LoadL1(slot.tile(as: place), from: matrix.tile(place)))
    return slot
  }

  // MARK: Rows

  /// Brings the rows of a product to `l1`: loaded as BF16, encoded piece by piece, and stored.
  private mutating func stage(
    _ product: SwigluProduct, to slot: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    let tensor = product.phase == .up ? tensors.x : tensors.h
    let rows = product.tokens.count
    for piece in RowTile.pieces(0..<tensor.columns, plan.pieceColumns) {
      let values = valueRing.load(
        tensor.tile(RowTile(rows: product.tokens, columns: piece)), &p)
      let encoded = encodedRing.next().tile(rows: rows, columns: piece.count)
      p.emit(EncodeMX(encoded, values))
      p.emit(
        StoreL1(
          slot.tile(column: piece.lowerBound, rows: rows, columns: piece.count), from: encoded))
    }
  }

  // MARK: Products

  /// rows · weightsᵀ; returns the accumulators.
  private mutating func multiply(
    _ product: SwigluProduct, _ operand: Ring<L1>.Slot, by matrix: BufferHandle<HBM>,
    _ p: inout ProgramBuilder
  ) -> Tile<Acc> {
    let (rows, columns) = (product.tokens.count, product.columns.count)
    let target = accRing.next().tile(rows: rows, columns: columns)
    for chunk in chunks(matrix) {
      let place = RowTile(rows: product.columns, columns: chunk)
      let weights = early.popFirst() ?? load(matrix, place, &p)
      for part in RowTile.pieces(0..<chunk.count, plan.tileK) {
        let left = leftRing.next().tile(rows: rows, columns: part.count)
        let right = rightRing.next().tile(rows: part.count, columns: columns)
        let depth = chunk.lowerBound + part.lowerBound
        p.emit(FeedLeft(left, from: operand.tile(column: depth, rows: rows, columns: part.count)))
        p.emit(FeedRightTransposed(right, from: weights.tile(as: place).columns(part)))
        p.emit(Matmul(target, left: left, right: right, accumulate: depth > 0))
      }
    }
    return target
  }

  /// Columns of a, u, g and h.
  private mutating func gate(
    _ product: SwigluProduct, _ operand: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    let place = RowTile(rows: product.tokens, columns: product.columns)
    let tiles = gateRings.indices.map { gateRings[$0].next().tile(as: place) }
    p.emit(DrainUB(tiles[0], from: multiply(product, operand, by: tensors.w1, &p)))
    p.tap(tiles[0], tensor: tensors.a, place)
    p.emit(Special<SiluRule>(tiles[2], tiles[0]))
    p.tap(tiles[2], tensor: tensors.g, place)
    p.emit(DrainUB(tiles[1], from: multiply(product, operand, by: tensors.w3, &p)))
    p.tap(tiles[1], tensor: tensors.u, place)
    p.emit(Elementwise<MulRule>(tiles[3], tiles[2], tiles[1]))
    p.emit(StoreHBM(tensors.h.tile(place), from: tiles[3]))
  }

  /// Columns of out.
  private mutating func project(
    _ product: SwigluProduct, _ operand: Ring<L1>.Slot, _ p: inout ProgramBuilder
  ) {
    let place = RowTile(rows: product.tokens, columns: product.columns)
    p.emit(DrainHBM(tensors.out.tile(place), from: multiply(product, operand, by: tensors.w2, &p)))
  }
}
