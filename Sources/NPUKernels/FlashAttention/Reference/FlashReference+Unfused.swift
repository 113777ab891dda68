import NPUSim

// MARK: Algorithm

extension FlashReference {
  /// The unfused evaluation of a row over all keys of its group: three kernels one after the other.
  ///
  /// 1. `scores` = q·kᵀ, drained, for every key.
  /// 2. x = fl32(scores · k), −∞ where masked; m = row max; p = exp2(fl32(x − m)) in FP32, 0 where
  ///    m = −∞; l = the row sum of p; `probabilities` = bf16(fl32(p · fl32(1/l))), 0 where l = 0.
  /// 3. out = bf16(MXINT8(probabilities) · v), one chain over the whole row.
  func unfused(_ index: Int, _ group: FlashOperands.Tile) -> ReferenceUnit {
    let form = kernel.form
    let scores = group.k.product(
      ProductRow(encoding: operands.query(index)), lines: 0..<form.kv,
      accumulator: settings.accumulator)
    let visible = form.keys(place(index).query)
    let x = scores.indices.map { key in
      visible.contains(key) ? Traced.mul(scores[key].given, factor) : Traced(-.infinity)
    }
    let m = Traced.max(x).shift
    let p = x.map { weight($0, maximum: m) }
    let l = Traced.sum(p, lanes: settings.lanes)
    let inverse = l.applying(.reciprocal, mode: settings.sfuMode)
    let probabilities = p.map { l.word == 0 ? Traced(0) : Traced.mul($0, inverse).bf16 }
    let out = group.v.product(
      ProductRow(encoding: probabilities.map(\.given)), lines: 0..<form.headDim,
      accumulator: settings.accumulator
    ).map(\.bf16)
    let logSum = self.logSum(m: m, l: l)
    var unit = ReferenceUnit()
    unit.add("scores", start: index * form.kv, scores, as: kernel.drained)
    unit.add("probabilities", start: index * form.kv, probabilities, as: .bf16)
    unit.add("out", start: index * form.headDim, out, as: .bf16)
    unit.add("lse", start: index, [logSum], as: .f32)
    unit.reached = reached(index, out: out, lse: logSum)
    return unit
  }
}
