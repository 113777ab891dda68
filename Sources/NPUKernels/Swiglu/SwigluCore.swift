import NPUSim

/// Emits the products of one core: the encoded rows of a tile of tokens wait in `l1`, and the weights
/// stream past them, loads a ring ahead of their feeds.
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

  /// Some rows of a weight matrix, and some of their depth.
  private struct Load {
    var matrix: BufferHandle<HBM>
    var rows: Range<Int>
    var depth: Range<Int>
  }

  /// A chunk of weights in `l1`.
  private struct Chunk {
    var load: Load
    var slot: Ring<L1>.Slot
    var ready: Token
  }

  /// The encoded rows of a tile of tokens in `l1`.
  private struct Operand {
    var slot: Ring<L1>.Slot
    var tokens: Range<Int>
    /// What makes each piece of the depth readable, in order.
    var ready: [Token]
  }

  private var loads: [Load] = []
  private var chunks: [Chunk] = []
  private var next = 0
  /// The last store of h for each tile of tokens.
  private var stored: [Int: Token] = [:]

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
    var operand: Operand?
    var phase = SwigluProduct.Phase.up
    var lastFed: Token?
    for (index, product) in products.enumerated() {
      p.pushScope(product.phase == .up ? "up" : "down", iteration: index)
      let isNew = operand?.tokens != product.tokens || phase != product.phase
      if isNew {
        if let operand, let lastFed { operandRing.release(operand.slot, after: lastFed) }
        // The weights that have room go first: rows of h are loaded only when all of h is made.
        prefetch(&p)
        if phase != product.phase { meet(&p) }
        phase = product.phase
        operand = stage(product, &p)
      }
      if let operand {
        let fed = product.phase == .up ? gate(product, operand, &p) : project(product, operand, &p)
        lastFed = fed ?? lastFed
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
    while chunks.count < min(next + plan.weightStages, loads.count) {
      let load = loads[chunks.count]
      let slot = weightRing.acquire()
      let ready = p.emit(
        LoadL1(
          slot.tile(rows: load.rows.count, columns: load.depth.count),
          from: load.matrix.tile(RowTile(rows: load.rows, columns: load.depth))),
        after: slot.free)
      chunks.append(Chunk(load: load, slot: slot, ready: ready))
    }
  }

  // MARK: Rows

  /// Brings the rows of a product to `l1`: loaded as BF16, encoded piece by piece, and stored.
  private mutating func stage(_ product: SwigluProduct, _ p: inout ProgramBuilder) -> Operand {
    let tensor = product.phase == .up ? tensors.x : tensors.h
    let rows = product.tokens.count
    let slot = operandRing.acquire()
    let written = stored[product.tokens.lowerBound].map { [$0] } ?? []
    var ready: [Token] = []
    for piece in RowTile.pieces(0..<tensor.columns, plan.pieceColumns) {
      let values = valueRing.acquire()
      let source = values.tile(rows: rows, columns: piece.count)
      let loaded = p.emit(
        LoadUB(source, from: tensor.tile(RowTile(rows: product.tokens, columns: piece))),
        after: values.free + written)
      let encoded = encodedRing.acquire()
      let target = encoded.tile(rows: rows, columns: piece.count)
      let made = p.emit(EncodeMX(target, source), after: [loaded] + encoded.free)
      valueRing.release(values, after: made)
      let kept = p.emit(
        StoreL1(
          slot.tile(column: piece.lowerBound, rows: rows, columns: piece.count), from: target),
        after: [made] + slot.free)
      encodedRing.release(encoded, after: kept)
      ready.append(kept)
    }
    return Operand(slot: slot, tokens: product.tokens, ready: grouped(ready))
  }

  /// A few pieces become readable together: each moment at which feeds wait for stores takes an event
  /// ID, and two tiles of rows share those of the pair.
  private func grouped(_ ready: [Token]) -> [Token] {
    let moments = max(1, min(8, kernel.machine.eventsPerPair ?? 8) / 2)
    let size = (ready.count + moments - 1) / moments
    return ready.indices.map { ready[min(ready.count - 1, $0 / size * size + size - 1)] }
  }

  // MARK: Products

  /// rows · (the next weights)ᵀ in the accumulators; returns the last matmul and the last feed.
  private mutating func multiply(
    _ product: SwigluProduct, _ operand: Operand, into acc: Ring<Acc>.Slot,
    _ p: inout ProgramBuilder
  ) -> (made: Token, fed: Token)? {
    let (rows, columns) = (product.tokens.count, product.columns.count)
    let target = acc.tile(rows: rows, columns: columns)
    var last: (made: Token, fed: Token)?
    var isDone = false
    while !isDone {
      prefetch(&p)
      let chunk = chunks[next]
      next += 1
      isDone = chunk.load.depth.upperBound == chunk.load.matrix.columns
      for part in RowTile.pieces(chunk.load.depth, plan.tileK) {
        let left = leftRing.acquire()
        let right = rightRing.acquire()
        let leftTile = left.tile(rows: rows, columns: part.count)
        let rightTile = right.tile(rows: part.count, columns: columns)
        let piece = (part.upperBound - 1) / plan.pieceColumns
        let fedRows = p.emit(
          FeedLeft(
            leftTile,
            from: operand.slot.tile(column: part.lowerBound, rows: rows, columns: part.count)),
          after: [operand.ready[piece]] + left.free)
        let fed = p.emit(
          FeedRightTransposed(
            rightTile,
            from: chunk.slot.tile(
              column: part.lowerBound - chunk.load.depth.lowerBound, rows: columns,
              columns: part.count)), after: [chunk.ready] + right.free)
        let isFirst = part.lowerBound == 0
        let made = p.emit(
          Matmul(target, left: leftTile, right: rightTile, accumulate: !isFirst),
          after: [fedRows, fed] + (isFirst ? acc.free : []))
        leftRing.release(left, after: made)
        rightRing.release(right, after: made)
        last = (made, fed)
      }
      if let last { weightRing.release(chunk.slot, after: last.fed) }
    }
    return last
  }

  /// Columns of a, u, g and h; returns the last feed.
  private mutating func gate(
    _ product: SwigluProduct, _ operand: Operand, _ p: inout ProgramBuilder
  ) -> Token? {
    let (rows, columns) = (product.tokens.count, product.columns.count)
    let slots = gateRings.indices.map { gateRings[$0].acquire() }
    let tiles = slots.map { $0.tile(rows: rows, columns: columns) }
    var drained: [Token] = []
    var fed: Token?
    for (index, tap) in [tensors.a, tensors.u].enumerated() {
      let acc = accRing.acquire()
      guard let last = multiply(product, operand, into: acc, &p) else { return fed }
      fed = last.fed
      let token = p.emit(
        DrainUB(tiles[index], from: acc.tile(rows: rows, columns: columns)),
        after: [last.made] + slots[index].free)
      accRing.release(acc, after: token)
      self.tap(tiles[index], after: token, tap, product, &p)
      drained.append(token)
      guard index == 0 else { continue }
      let gated = p.emit(Special<SiluRule>(tiles[2], tiles[0]), after: token)
      self.tap(tiles[2], after: gated, tensors.g, product, &p)
      gateRings[0].release(slots[0], after: gated)
    }
    let made = p.emit(
      Elementwise<MulRule>(tiles[3], tiles[2], tiles[1]), after: drained + slots[3].free)
    gateRings[1].release(slots[1], after: made)
    let stored = p.emit(
      StoreHBM(
        tensors.h.tile(RowTile(rows: product.tokens, columns: product.columns)), from: tiles[3]),
      after: made)
    gateRings[3].release(slots[3], after: stored)
    if kernel.machine.cores == 1 { self.stored[product.tokens.lowerBound] = stored }
    return fed
  }

  private func tap(
    _ tile: Tile<UB>, after token: Token, _ tensor: Int, _ product: SwigluProduct,
    _ p: inout ProgramBuilder
  ) {
    p.tap(
      tile, after: token, tensor: tensor, row: product.tokens.lowerBound,
      column: product.columns.lowerBound)
  }

  /// Columns of out; returns the last feed.
  private mutating func project(
    _ product: SwigluProduct, _ operand: Operand, _ p: inout ProgramBuilder
  ) -> Token? {
    let acc = accRing.acquire()
    guard let last = multiply(product, operand, into: acc, &p) else { return nil }
    let place = RowTile(rows: product.tokens, columns: product.columns)
    let drained = p.emit(
      DrainHBM(
        tensors.out.tile(place),
        from: acc.tile(rows: place.rows.count, columns: place.columns.count)), after: last.made)
    accRing.release(acc, after: drained)
    return last.fed
  }
}
