import NPUSim

// MARK: Algorithm

/// The pure reference of ``FlashAttention``: one unit is one query row of one head.
struct FlashReference: KernelReference {
  let kernel: FlashAttention
  let settings: DatapathSettings
  let operands: FlashOperands
  /// log2(e) / √d in FP32.
  let factor: Traced

  init(_ kernel: FlashAttention, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    self.kernel = kernel
    self.settings = settings
    operands = try FlashOperands(kernel.form, inputs)
    factor = Traced(
      kernel.form.scoreFactor, for: 1.4426950408889634 / Double(kernel.form.headDim).squareRoot())
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
    var m = Traced(-.infinity)
    var l = Traced(0)
    var o: [Traced]
  }

  /// Rows of a group share the operands that each of them would be given.
  var unitsTogether: Int { min(Self.mostTogether, kernel.form.rowsPerGroup) }

  private static let mostTogether = 16

  func evaluate(unit index: Int) -> ReferenceUnit { evaluate(units: [index])[0] }

  func evaluate(units: ArraySlice<Int>) -> [ReferenceUnit] {
    var result: [ReferenceUnit] = []
    var rest = units
    while let first = rest.first {
      let group = place(first).group
      let rows = rest.prefix { place($0).group == group }
      rest = rest.dropFirst(rows.count)
      if kernel.rung.isUnfused {
        let operands = operands.tile(0..<kernel.form.kv, of: group)
        result += rows.map { unfused($0, operands) }
      } else if kernel.rung == .scalar {
        result += rows.map { finished($0, scalar($0)) }
      } else {
        result += zip(rows, states(rows, of: group)).map { finished($0, $1) }
      }
    }
    return result
  }

  /// A row on its way through the tiles of a split.
  private struct Row {
    let query: Int
    let encoded: ProductRow
    let tiles: Range<Int>
    var state: State
    var parts: [State] = []
  }

  /// Rows of one group, split by split and tile by tile.
  private func states(_ indices: ArraySlice<Int>, of group: Int) -> [State] {
    let form = kernel.form
    let width = kernel.plan.tileKV
    let start = State(o: [Traced](repeating: Traced(0), count: form.headDim))
    var rows = indices.map { index in
      let query = place(index).query
      return Row(
        query: query, encoded: ProductRow(encoding: operands.query(index)),
        tiles: form.tiles(queries: queryTile(query), tileKV: width), state: start)
    }
    for split in 0..<form.splits {
      for tile in form.tiles(split: split, tileKV: width)
      where rows.contains(where: { $0.tiles.contains(tile) }) {
        let keys = tile * width..<min(form.kv, (tile + 1) * width)
        let operands = operands.tile(keys, of: group)
        for index in rows.indices where rows[index].tiles.contains(tile) {
          step(tile, operands, &rows[index])
        }
      }
      for index in rows.indices {
        rows[index].parts.append(rows[index].state)
        rows[index].state = start
      }
    }
    return rows.map { form.splits == 1 ? $0.parts[0] : combine($0.parts) }
  }

  /// The queries that share the products of a query: those of its query tile, which is thereby part of
  /// the definition where V is not finite.
  func queryTile(_ query: Int) -> Range<Int> {
    let size = kernel.plan.tileQ
    let first = query / size * size
    return first..<min(kernel.form.queries, first + size)
  }

  /// One kv tile of the online softmax.
  private func step(_ tile: Int, _ operands: FlashOperands.Tile, _ row: inout Row) {
    let keys = kernel.form.touched(
      tile, queries: queryTile(row.query), tileKV: kernel.plan.tileKV)
    let visible = kernel.form.keys(row.query)
    let scores = operands.k.product(
      row.encoded, lines: 0..<keys.count, accumulator: settings.accumulator)
    // The scores are a step of their own, of which the error is known as well as its bound.
    let x = zip(keys, scores).map { key, score in
      visible.contains(key) ? Traced.mul(score, factor).measured : Traced(-.infinity)
    }
    let weights = weights(x, &row.state)
    let product = operands.v.product(
      ProductRow(encoding: weights), lines: 0..<kernel.form.headDim,
      accumulator: settings.accumulator)
    row.state.o = zip(row.state.o, product).map { Traced.add($0, $1) }
  }

  /// The weights of some scaled scores. The state is brought to their maximum, and its sum takes them.
  func weights(_ x: [Traced], _ state: inout State) -> [Traced] {
    let m = x.reduce(state.m) { Traced.max($0, $1) }.shift
    let weights = x.map { weight($0, maximum: m) }
    if m.word != -.infinity {
      let alpha = exp2(.sub(state.m, m))
      state.l = .mul(state.l, alpha)
      state.o = state.o.map { .mul($0, alpha) }
    }
    state.l = .add(state.l, .sum(weights, lanes: settings.lanes))
    state.m = m
    return weights
  }

  /// exp2(fl32(x − m)), 0 where m = −∞: as it must be, or without a value where the scores overflowed.
  func weight(_ x: Traced, maximum: Traced) -> Traced {
    if maximum.word == -.infinity {
      return Traced(0, for: maximum.exact == -.infinity ? 0 : .nan)
    }
    return exp2(.sub(x, maximum))
  }

  func exp2(_ x: Traced) -> Traced { x.applying(.exp2, mode: settings.sfuMode) }

  /// Partial results of the splits, in ascending order.
  private func combine(_ parts: [State]) -> State {
    let m = Traced.max(parts.lazy.map(\.m)).shift
    var state = State(m: m, o: [Traced](repeating: Traced(0), count: kernel.form.headDim))
    for part in parts {
      let weight = part.m.word == -.infinity ? Traced(0) : exp2(.sub(part.m, m))
      state.l = .add(state.l, .mul(part.l, weight))
      state.o = zip(state.o, part.o).map { .add($0, .mul($1, weight)) }
    }
    return state
  }

  /// out and the log-sum-exp; 0 and −∞ for a row that sees no key.
  private func finished(_ index: Int, _ state: State) -> ReferenceUnit {
    let seesKeys = !kernel.form.keys(place(index).query).isEmpty
    let inverse =
      state.l.word == 0 ? Traced(0) : state.l.applying(.reciprocal, mode: settings.sfuMode)
    let out = state.o.map { seesKeys ? Traced.mul($0, inverse).bf16 : Traced(0) }
    let logSum = seesKeys ? self.logSum(m: state.m, l: state.l) : Traced(-.infinity)
    var unit = ReferenceUnit()
    unit.add("out", start: index * kernel.form.headDim, out, as: .bf16)
    unit.add("lse", start: index, [logSum], as: .f32)
    unit.reached = reached(index, out: out, lse: logSum)
    return unit
  }

  /// fl32(fl32(m·ln2) + ln l).
  func logSum(m: Traced, l: Traced) -> Traced {
    .add(
      .mul(m, Traced(Self.ln2, for: SpecialFunction.ln2)),
      l.applying(.log, mode: settings.sfuMode))
  }

  /// ln 2 rounded to FP32: 0x3f317218.
  static let ln2 = Float(bitPattern: 0x3F31_7218)
}
