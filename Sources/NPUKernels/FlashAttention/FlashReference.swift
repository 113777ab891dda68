import NPUSim

// MARK: Algorithm

/// The pure reference of ``FlashAttention``: one unit is one query row of one head.
struct FlashReference: KernelReference {
  let kernel: FlashAttention
  let settings: DatapathSettings
  let operands: FlashOperands
  /// log2(e) / √d in FP32.
  let factor: Float

  init(_ kernel: FlashAttention, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    self.kernel = kernel
    self.settings = settings
    operands = try FlashOperands(kernel.form, inputs)
    factor = kernel.form.scoreFactor
  }

  /// The head's kv group and the query of a row.
  func place(_ row: Int) -> (group: Int, query: Int) {
    let form = kernel.form
    let head = row / form.queries
    let group = head / form.heads * form.kvHeads + head % form.heads / form.headsPerGroup
    return (group, row % form.queries)
  }

  /// m, l and O of a row after some kv tiles.
  struct State {
    var m = -Float.infinity
    var l: Float = 0
    var o: [Float]
  }

  /// A kv tile as a row saw it, for the error bound.
  struct Step {
    var keys: Range<Int>
    /// The maximum after it.
    var m: Float
    var scales: [UInt8]
    /// Σ |accumulator| of the chain of each column.
    var magnitudes: [Double]
  }

  /// A row's result and how it came about.
  struct Row {
    var out: [Float]
    var lse: Float
    var state: State
    var steps: [Step] = []
    /// Σ |accumulator| of the score chain of each key from the first tile's first on.
    var scoreMagnitudes: [Int: Double] = [:]
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    if kernel.rung.isUnfused { return unfused(index) }
    if kernel.rung == .scalar { return scalar(index) }
    let row = row(index)
    let d = kernel.form.headDim
    return ReferenceUnit(
      words: [
        ReferenceSlice("out", start: index * d, bf16: row.out),
        ReferenceSlice("lse", start: index, fp32: [row.lse]),
      ], exact: exact(index, row), reached: reached(index, out: row.out, lse: row.lse))
  }

  /// One query row, tile by tile and split by split.
  func row(_ index: Int) -> Row {
    let form = kernel.form
    let (group, query) = place(index)
    let tiles = form.tiles(queries: queryTile(query), tileKV: kernel.plan.tileKV)
    let encoded = operands.query(index)
    let start = State(o: [Float](repeating: 0, count: form.headDim))
    var row = Row(out: [], lse: 0, state: start)
    var parts: [State] = []
    for split in 0..<form.splits {
      var part = start
      for tile in form.tiles(split: split, tileKV: kernel.plan.tileKV).clamped(to: tiles) {
        step(tile, encoded, group, query, &row, &part)
      }
      parts.append(part)
    }
    row.state = form.splits == 1 ? parts[0] : combine(parts)
    finish(&row, seesKeys: !form.keys(query).isEmpty)
    return row
  }

  /// The queries that share the products of a query: those of its query tile, which is thereby part of
  /// the definition where V is not finite.
  func queryTile(_ query: Int) -> Range<Int> {
    let size = kernel.plan.tileQ
    let first = query / size * size
    return first..<min(kernel.form.queries, first + size)
  }

  /// One kv tile of the online softmax.
  private func step(
    _ tile: Int, _ query: ReferenceBlocks, _ group: Int, _ index: Int, _ row: inout Row,
    _ state: inout State
  ) {
    let keys = kernel.form.touched(
      tile, queries: queryTile(index), tileKV: kernel.plan.tileKV)
    let visible = kernel.form.keys(index)
    let (scores, magnitudes) = operands.scores(
      query, group: group, keys: keys, accumulator: settings.accumulator)
    let x = zip(keys, scores).map { key, score in
      visible.contains(key) ? FP32.mul(score, factor) : -Float.infinity
    }
    let m = x.reduce(state.m) { FP32.max($0, $1) }
    let isEmpty = m == -.infinity
    let p = x.map { isEmpty ? 0 : exp2(FP32.sub($0, m)) }
    let alpha = isEmpty ? 1 : exp2(FP32.sub(state.m, m))
    let product = operands.product(
      p, group: group, first: keys.lowerBound, accumulator: settings.accumulator)
    let sum = LaneReduction.sum(p, lanes: settings.lanes)
    state = State(
      m: m, l: FP32.add(FP32.mul(state.l, alpha), sum),
      o: zip(state.o, product.values).map { FP32.add(FP32.mul($0, alpha), $1) })
    row.steps.append(
      Step(keys: keys, m: m, scales: product.scales, magnitudes: product.magnitudes))
    for (key, magnitude) in zip(keys, magnitudes) { row.scoreMagnitudes[key] = magnitude }
  }

  func exp2(_ x: Float) -> Float {
    SpecialFunction.exp2.fp32(x, mode: settings.sfuMode)
  }

  /// Partial results of the splits, in ascending order.
  private func combine(_ parts: [State]) -> State {
    let m = parts.reduce(-Float.infinity) { FP32.max($0, $1.m) }
    var state = State(m: m, o: [Float](repeating: 0, count: kernel.form.headDim))
    for part in parts {
      let isEmpty = part.m == -.infinity
      let weight = isEmpty ? 0 : exp2(FP32.sub(part.m, m))
      state = State(
        m: m, l: FP32.add(state.l, FP32.mul(part.l, weight)),
        o: zip(state.o, part.o).map { FP32.add($0, FP32.mul($1, weight)) })
    }
    return state
  }

  /// out and the log-sum-exp; 0 and −∞ for a row that sees no key.
  func finish(_ row: inout Row, seesKeys: Bool) {
    let state = row.state
    guard seesKeys else {
      row.out = state.o.map { _ in 0 }
      row.lse = -.infinity
      return
    }
    let inverse =
      state.l == 0 ? 0 : SpecialFunction.reciprocal.fp32(state.l, mode: settings.sfuMode)
    row.out = state.o.map { BF16(FP32.mul($0, inverse)).float }
    row.lse = lse(m: state.m, l: state.l)
  }

  /// fl32(fl32(m·ln2) + ln l).
  func lse(m: Float, l: Float) -> Float {
    FP32.add(
      FP32.mul(m, FlashReference.ln2), SpecialFunction.log.fp32(l, mode: settings.sfuMode))
  }

  /// ln 2 rounded to FP32: 0x3f317218.
  static let ln2 = Float(bitPattern: 0x3F31_7218)
}
