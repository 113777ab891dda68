import NPUSim

// MARK: Algorithm

extension FlashReference {
  /// Attention of numbers: q, k and v have one element a row, and no product is taken by the matrix
  /// unit.
  ///
  /// 1. Per block of keys, ascending: s = fl32(q · k), −∞ where masked; m' = max(m, max fl32(s · c));
  ///    p = exp2(fl32(fl32(s · c) − m')), α = exp2(fl32(m − m')), 0 and 1 where m' = −∞.
  /// 2. l = fl32(fl32(l·α) + row sum of p), O = fl32(fl32(O·α) + row sum of fl32(p·v)).
  /// 3. out = bf16(fl32(O · fl32(1/l))), lse = fl32(fl32(m·ln2) + ln l); 0 and −∞ where l = 0.
  ///
  /// c is log2(e) in FP32: the scale of one dimension is 1.
  func scalar(_ index: Int) -> ReferenceUnit {
    let form = kernel.form
    let (group, query) = place(index)
    let visible = form.keys(query)
    let width = kernel.plan.tileKV
    let q = operands.q[index]
    let rows = queryTile(query)
    var state = State(o: [0])
    for tile in form.tiles(queries: rows, tileKV: width) {
      let keys = form.touched(tile, queries: rows, tileKV: width)
      let x = keys.map { key in
        visible.contains(key)
          ? FP32.mul(FP32.mul(q, operands.keys[group * form.kv + key]), factor) : -Float.infinity
      }
      let m = x.reduce(state.m) { FP32.max($0, $1) }
      let isEmpty = m == -.infinity
      let p = x.map { isEmpty ? 0 : exp2(FP32.sub($0, m)) }
      let alpha = isEmpty ? 1 : exp2(FP32.sub(state.m, m))
      let products = zip(keys, p).map { FP32.mul($1, operands.values[group * form.kv + $0]) }
      let sum = LaneReduction.sum(p, lanes: settings.lanes)
      let product = LaneReduction.sum(products, lanes: settings.lanes)
      state = State(
        m: m, l: FP32.add(FP32.mul(state.l, alpha), sum),
        o: [FP32.add(FP32.mul(state.o[0], alpha), product)])
    }
    var row = Row(out: [], lse: 0, state: state)
    finish(&row, seesKeys: !visible.isEmpty)
    return ReferenceUnit(
      words: [
        ReferenceSlice("out", start: index, bf16: row.out),
        ReferenceSlice("lse", start: index, fp32: [row.lse]),
      ], exact: exactScalar(index, group, visible),
      reached: reached(index, out: row.out, lse: row.lse))
  }

  /// Σ W·v of exact weights in FP64, and a bound on the datapath's error: that of the whole attention
  /// without its encodes and accumulators.
  ///
  /// With w = 2^-24, x and its maximum M in units of log2: p moves by the factor 2^ε, ε = 4w(|x| + |M|),
  /// for the roundings of x, x − m and the rescaling; with η = 2^ε − 1 the quotient moves by
  /// (Σ W|v|η + |out|·ΣWη) / (1 − ΣWη), and R = (8 + kvTile + 3·tiles)·w bounds the roundings of p, p·v,
  /// l and O relative to Σ W|v|; then u + 2w for the output, with 2^-7 for the reciprocal of `expu`.
  private func exactScalar(_ index: Int, _ group: Int, _ visible: Range<Int>) -> [ExactSlice] {
    guard !visible.isEmpty else {
      return [ExactSlice("out", start: index, values: [0], bounds: [0])]
    }
    let form = kernel.form
    let w = 0x1p-24
    let q = Double(operands.q[index])
    let x = visible.map { q * operands.key(group, $0, 0) * 1.4426950408889634 }
    let largest = x.reduce(-.infinity, Swift.max)
    let spread = x.reduce(0) { Swift.max($0, $1.magnitude) }
    let weights = x.map { ReferenceMath.exp(($0 - largest) * Self.ln2Exact) }
    let total = weights.reduce(0, +)
    var value = 0.0
    var size = 0.0
    var weighted = 0.0
    var common = 0.0
    var worst = 0.0
    for (position, key) in visible.enumerated() {
      let weight = weights[position] / total
      let epsilon = 4 * w * (x[position].magnitude + spread)
      let error = ReferenceMath.exp(epsilon * Self.ln2Exact) - 1
      let v = operands.value(group, key, 0)
      value += weight * v
      size += weight * v.magnitude
      weighted += weight * v.magnitude * error
      common += weight * error
      worst = Swift.max(worst, epsilon)
    }
    let tiles = (form.kv - 1) / kernel.plan.tileKV + 1
    let rounding = Double(8 + kernel.plan.tileKV + 3 * tiles) * w
    let moved =
      common < 1
      ? (weighted + value.magnitude * common + rounding * (size + weighted)) / (1 - common)
      : .infinity
    let last = 0x1p-8 + 2 * w + (settings.sfuMode == .expu ? 0x1p-7 : 0)
    let logSum = (largest + ReferenceMath.log(total) / Self.ln2Exact) * Self.ln2Exact
    let logBound =
      worst * Self.ln2Exact + rounding
      + 4 * w * (logSum.magnitude + spread + ReferenceMath.log(total).magnitude + 1)
    return [
      ExactSlice(
        "out", start: index, values: [value],
        bounds: [moved + last * (value.magnitude + moved) + 0x1p-120]),
      ExactSlice("lse", start: index, values: [logSum], bounds: [logBound]),
    ]
  }
}
