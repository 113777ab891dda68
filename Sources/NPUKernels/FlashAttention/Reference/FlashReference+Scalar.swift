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
  func scalar(_ index: Int) -> State {
    let form = kernel.form
    let (group, query) = place(index)
    let visible = form.keys(query)
    let width = kernel.plan.tileKV
    let q = Traced(operands.query(index)[0])
    let rows = queryTile(query)
    var state = State(o: [Traced(0)])
    for tile in form.tiles(queries: rows, tileKV: width) {
      let keys = form.touched(tile, queries: rows, tileKV: width)
      let x = zip(keys, operands.keys(keys, of: group)).map { key, k in
        visible.contains(key) ? Traced.mul(.mul(q, Traced(k)), factor) : Traced(-.infinity)
      }
      let weights = weights(x, &state)
      let products = zip(operands.values(keys, of: group), weights).map {
        Traced.mul($1, Traced($0))
      }
      state.o = [.add(state.o[0], .sum(products, lanes: settings.lanes))]
    }
    return state
  }
}
