import NPUSim

// MARK: Algorithm

extension FlashReference {
  /// The unfused evaluation of a row: three kernels one after the other.
  ///
  /// 1. `scores` = q·kᵀ, drained, for every key.
  /// 2. x = fl32(scores · k), −∞ where masked; m = row max; p = exp2(fl32(x − m)) in FP32, 0 where
  ///    m = −∞; l = the row sum of p; `probabilities` = bf16(fl32(p · fl32(1/l))), 0 where l = 0.
  /// 3. out = bf16(MXINT8(probabilities) · v), one chain over the whole row.
  func unfused(_ index: Int) -> ReferenceUnit {
    let form = kernel.form
    let d = form.headDim
    let (group, query) = place(index)
    let (scores, scoreMagnitudes) = operands.scores(
      operands.query(index), group: group, keys: 0..<form.kv, accumulator: settings.accumulator)
    let visible = form.keys(query)
    let x = scores.indices.map { key in
      visible.contains(key) ? FP32.mul(scores[key], factor) : -Float.infinity
    }
    let m = x.reduce(-Float.infinity) { FP32.max($0, $1) }
    let p = x.map { value -> Float in
      m == -.infinity
        ? 0 : SpecialFunction.exp2.fp32(FP32.sub(value, m), mode: settings.sfuMode)
    }
    let l = LaneReduction.sum(p, lanes: settings.lanes)
    let inverse = SpecialFunction.reciprocal.fp32(l, mode: settings.sfuMode)
    let probabilities = p.map { l == 0 ? 0 : BF16(FP32.mul($0, inverse)).float }
    let product = operands.product(
      probabilities, group: group, first: 0, accumulator: settings.accumulator)
    let out = product.values.map { BF16($0).float }
    let logSum = l == 0 ? -Float.infinity : lse(m: m, l: l)

    var trace = ExactTrace(visible: visible, scoreMagnitudes: [:], moved: product.magnitudes)
    for key in visible { trace.scoreMagnitudes[key] = scoreMagnitudes[key] }
    let perAdd = settings.accumulator == .bf16 ? 0x1p-8 + 0x1p-24 : 0x1p-24
    for column in 0..<d {
      trace.moved[column] = perAdd * product.magnitudes[column]
      for key in visible {
        let step = ReferenceBlocks.step(product.scales[key / 32])
        trace.moved[column] +=
          step
          * (operands.value(group, key, column).magnitude
            + operands.valueStep(group, key, column))
      }
    }
    trace.weightError = 0x1p-8
    let words =
      kernel.drained == .bf16
      ? ReferenceSlice("scores", start: index * form.kv, bf16: scores)
      : ReferenceSlice("scores", start: index * form.kv, fp32: scores)
    return ReferenceUnit(
      words: [
        words,
        ReferenceSlice("probabilities", start: index * form.kv, bf16: probabilities),
        ReferenceSlice("out", start: index * d, bf16: out),
        ReferenceSlice("lse", start: index, fp32: [logSum]),
      ], exact: exact(index, trace), reached: reached(index, out: out, lse: logSum))
  }
}
