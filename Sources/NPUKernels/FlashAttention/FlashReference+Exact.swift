import NPUSim

/// What the bound of a row's error needs to know of how it was computed.
struct ExactTrace {
  /// The keys that the query sees.
  var visible: Range<Int>
  /// Σ |accumulator| of the score chain of each key.
  var scoreMagnitudes: [Int: Double]
  /// By column: what the encode of the weights, the chains and the drains add to the output at most.
  var moved: [Double]
  /// Relative error of each weight beside that of its score: a rounding to BF16, or none.
  var weightError = 0.0
}

extension FlashReference {
  /// The trace of an online softmax: what each tile adds is scaled by 2^(m − M) / l at the end.
  func exact(_ index: Int, _ row: Row) -> [ExactSlice] {
    let form = kernel.form
    let (group, query) = place(index)
    let visible = form.keys(query)
    var moved = [Double](repeating: 0, count: form.headDim)
    let perAdd = settings.accumulator == .bf16 ? 0x1p-8 + 0x1p-24 : 0x1p-24
    let sum = Double(row.state.l)
    for step in row.steps where step.m > -.infinity {
      let scale = ReferenceMath.exp(Double(step.m - row.state.m) * Self.ln2Exact) / sum
      for column in moved.indices {
        var part = perAdd * step.magnitudes[column]
        for key in step.keys.clamped(to: visible) {
          let weightStep = ReferenceBlocks.step(step.scales[(key - step.keys.lowerBound) / 32])
          part +=
            weightStep
            * (operands.value(group, key, column).magnitude
              + operands.valueStep(group, key, column))
        }
        moved[column] += part * scale
      }
    }
    return exact(
      index,
      ExactTrace(visible: visible, scoreMagnitudes: row.scoreMagnitudes, moved: moved))
  }

  static let ln2Exact = 0.693147180559945309

  /// softmax(q·kᵀ/√d)·v in FP64, and a bound on the datapath's error.
  ///
  /// With u = 2^-8 (BF16) and w = 2^-24 (FP32): a score moves by δ = Σ over d of what the encodes move
  /// its products, at most a step h = 2^(e − 6) of the block for each factor, and (u + w)|acc| for each
  /// accumulator add (w in FP32). Its weight then moves by the factor 2^ε, ε = k·δ + 4w(|x| + max |x|)
  /// for the roundings of x, of x − m and of the rescaling; with η = 2^ε·(1 + weightError) − 1 and the
  /// exact weights W, the quotient moves by (Σ W|v|η + |out|·ΣWη) / (1 − ΣWη). To this the bound adds
  /// what the trace says was moved, v's own encode, R = (8 + kvTile + 3·tiles + splits)·w of Σ W|v| for
  /// the FP32 roundings of p, l and O, and u + 2w for the output (2^-7 for the reciprocal of `expu`,
  /// assumed). FP64 itself is below R.
  func exact(_ index: Int, _ trace: ExactTrace) -> [ExactSlice] {
    let form = kernel.form
    let d = form.headDim
    let (group, _) = place(index)
    guard !trace.visible.isEmpty else {
      let zeros = [Double](repeating: 0, count: d)
      return [ExactSlice("out", start: index * d, values: zeros, bounds: zeros)]
    }
    let scores = exactScores(index, group, trace)
    let largest = scores.map(\.x).reduce(-.infinity, Swift.max)
    let spread = scores.reduce(0) { Swift.max($0, $1.x.magnitude) }
    let w = 0x1p-24
    var weights: [Double] = []
    var errors: [Double] = []
    var total = 0.0
    var worst = 0.0
    for score in scores {
      let weight = ReferenceMath.exp((score.x - largest) * Self.ln2Exact)
      let epsilon = score.error + 4 * w * (score.x.magnitude + spread)
      weights.append(weight)
      errors.append(
        ReferenceMath.exp(epsilon * Self.ln2Exact) * (1 + trace.weightError) - 1)
      total += weight
      worst = Swift.max(worst, epsilon)
    }
    var common = 0.0
    for index in weights.indices {
      weights[index] /= total
      common += weights[index] * errors[index]
    }
    let tiles = (form.kv - 1) / kernel.plan.tileKV + 1
    let rounding = Double(8 + kernel.plan.tileKV + 3 * tiles + form.splits) * w
    let left = common < 1 ? 1 - common : 0
    var values = [Double](repeating: 0, count: d)
    var bounds = [Double](repeating: 0, count: d)
    let last = 0x1p-8 + 2 * w + (settings.sfuMode == .expu ? 0x1p-7 : 0)
    for column in 0..<d {
      var value = 0.0
      var size = 0.0
      var weighted = 0.0
      var encoded = 0.0
      for (key, position) in zip(trace.visible, weights.indices) {
        let v = operands.value(group, key, column)
        value += weights[position] * v
        size += weights[position] * v.magnitude
        weighted += weights[position] * v.magnitude * errors[position]
        encoded +=
          weights[position] * (1 + errors[position]) * operands.valueStep(group, key, column)
      }
      let error =
        (weighted + value.magnitude * common + encoded + rounding * (size + weighted)) / left
        + trace.moved[column]
      values[column] = value
      bounds[column] = finite(error + last * (value.magnitude + error) + 0x1p-120)
    }
    let logSum = (largest + ReferenceMath.log(total) / Self.ln2Exact) * Self.ln2Exact
    let logBound =
      worst * Self.ln2Exact + rounding
      + 4 * w * (logSum.magnitude + spread + ReferenceMath.log(total).magnitude + 1)
    return [
      ExactSlice("out", start: index * d, values: values, bounds: bounds),
      ExactSlice("lse", start: index, values: [logSum], bounds: [finite(logBound)]),
    ]
  }

  /// The bound, or infinity where there is none.
  private func finite(_ bound: Double) -> Double { bound.isFinite ? bound : .infinity }

  /// The exact scaled scores in units of log2, and what they move by at most.
  private func exactScores(_ index: Int, _ group: Int, _ trace: ExactTrace) -> [(
    x: Double, error: Double
  )] {
    let form = kernel.form
    let d = form.headDim
    let encoded = operands.query(index)
    let q = (0..<d).map { Double(operands.q[index * d + $0]) }
    let steps = (0..<d).map { ReferenceBlocks.step(encoded.scales[$0 / 32]) }
    let factor = 1.4426950408889634 / Double(d).squareRoot()
    let perAdd = settings.accumulator == .bf16 ? 0x1p-8 + 0x1p-24 : 0x1p-24
    return trace.visible.map { key in
      var score = 0.0
      var moved = 0.0
      for column in 0..<d {
        let k = operands.key(group, key, column)
        let step = operands.keyStep(group, key, column)
        score += q[column] * k
        moved += steps[column] * k.magnitude + (q[column].magnitude + steps[column]) * step
      }
      moved += perAdd * (trace.scoreMagnitudes[key] ?? 0) + 0x1p-120
      return (score * factor, moved * factor)
    }
  }
}
