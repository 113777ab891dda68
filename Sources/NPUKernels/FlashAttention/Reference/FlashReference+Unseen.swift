import NPUSim

extension FlashReference {
  /// How many elements of a row are not finite only because of keys that the row does not see: a
  /// product touches them with the weight 0.
  func reached(_ index: Int, out: [Traced], lse: Traced) -> Int {
    guard lse.word.isFinite, out.contains(where: { !$0.word.isFinite }) else { return 0 }
    let (group, query) = place(index)
    let given = operands.hasNonFiniteValues(kernel.form.keys(query), of: group)
    return zip(out, given).count { !$0.word.isFinite && !$1 }
  }
}
