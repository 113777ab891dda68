import NPUSim

extension FlashReference {
  /// How many elements of a row are not finite only because of keys that the row does not see: a
  /// product touches them with the weight 0.
  func reached(_ index: Int, out: [Traced], lse: Traced) -> Int {
    guard operands.hasNonFiniteValues, lse.word.isFinite else { return 0 }
    let form = kernel.form
    let (group, query) = place(index)
    let visible = form.keys(query)
    return out.indices.reduce(0) { count, column in
      let isReached =
        !out[column].word.isFinite
        && visible.allSatisfy { operands.isFinite(group, $0, column) }
      return count + (isReached ? 1 : 0)
    }
  }
}

extension FlashOperands {
  /// Whether some element of v is NaN or infinite, and with it a block.
  var hasNonFiniteValues: Bool { v.scales.contains(0xFF) }

  /// Whether an element of v is finite as it came.
  func isFinite(_ group: Int, _ key: Int, _ column: Int) -> Bool {
    if !v.values.isEmpty {
      return v.values[(group * form.kv + key) * form.headDim + column].isFinite
    }
    let line = group * MXINT8.blocks(form.kv) + key / MXINT8.blockSize
    return v.scales[line * form.headDim + column] != 0xFF
  }
}
