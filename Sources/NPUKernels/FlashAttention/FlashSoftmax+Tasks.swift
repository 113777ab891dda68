import NPUSim

extension FlashSoftmax {
  private func width(_ step: Int) -> Int { steps[step].keys.count }
  private func rows(_ step: Int) -> Int { steps[step].job.rows }

  /// Masks what a row may not see, and takes the maximum of each row.
  mutating func maximum(_ step: Int, _ p: inout ProgramBuilder) {
    guard var state = inFlight[step] else { return }
    let scores = state.scores.tile(rows: rows(step), columns: width(step))
    mask(step, state, &p)
    let maximum = maximumRing.acquire()
    p.emit(RowMax(maximum.tile(rows: rows(step)), scores, start: true), after: state.drained)
    state.maximum = maximum
    state.previous = carried[steps[step].jobIndex]?.maximum
    inFlight[step] = state
  }

  /// Masks the tiles at the border of what is seen, head by head.
  private func mask(_ step: Int, _ state: InFlight, _ p: inout ProgramBuilder) {
    let job = steps[step].job
    let keys = steps[step].keys
    guard form.isMasked, let last = job.queries.last else { return }
    let first = job.queries.lowerBound
    let isWhole =
      form.keys(last).lowerBound <= keys.lowerBound
      && form.keys(first).upperBound >= keys.upperBound
    if isWhole { return }
    let queries = job.queries.count
    // Rows of one query each stand at one position.
    let runs = queries == 1 ? 1 : job.heads.count
    for run in 0..<runs {
      let count = queries == 1 ? job.rows : queries
      let tile = state.scores.tile(row: run * queries, rows: count, columns: keys.count)
      p.emit(
        Mask(
          tile, tile, row: form.position(first), column: keys.lowerBound, causal: form.isCausal,
          window: form.window, rowsPerPosition: queries == 1 ? count : 1), after: state.drained)
    }
  }

  /// The larger of this maximum and the one before.
  mutating func join(_ step: Int, _ p: inout ProgramBuilder) {
    guard let state = inFlight[step], let maximum = state.maximum?.tile(rows: rows(step)),
      let previous = state.previous?.tile(rows: rows(step))
    else { return }
    p.emit(Elementwise<MaxRule>(maximum, maximum, previous), after: [])
  }

  /// m' = max S · k.
  mutating func scale(_ step: Int, _ p: inout ProgramBuilder) {
    guard var state = inFlight[step], let maximum = state.maximum else { return }
    let scaled = scaledRing.acquire()
    p.emit(
      WithScalar<MulRule>(
        scaled.tile(rows: rows(step)), maximum.tile(rows: rows(step)), form.scoreFactor),
      after: scaled.free)
    state.scaled = scaled
    inFlight[step] = state
    if steps[step].isFirst {
      carried[steps[step].jobIndex] = Carried(l: lRing.acquire(), o: nil)
    }
    carried[steps[step].jobIndex]?.scaled = scaled
    carried[steps[step].jobIndex]?.maximum = maximum
  }

  /// p = exp2(fl32(fl32(S · k) − m')).
  mutating func weigh(_ step: Int, _ p: inout ProgramBuilder) {
    guard let state = inFlight[step], let scaled = state.scaled else { return }
    let made = p.emit(
      Exp2Fused(
        weightTile.tile(rows: rows(step), columns: width(step)),
        state.scores.tile(rows: rows(step), columns: width(step)),
        scaled.tile(rows: rows(step)), k: form.scoreFactor), after: [])
    scoreRing.release(state.scores, after: made)
  }

  /// p in MXINT8 along kv, to `l1`.
  mutating func encode(_ step: Int, _ p: inout ProgramBuilder) {
    let slot = encodedRing.acquire()
    let tile = slot.tile(rows: rows(step), columns: width(step))
    let made = p.emit(
      EncodeMX(tile, weightTile.tile(rows: rows(step), columns: width(step))), after: slot.free)
    let target = targetRing.acquire()
    let stored = p.emit(
      StoreL1(target.tile(rows: rows(step), columns: width(step)), from: tile),
      after: [made] + target.free)
    encodedRing.release(slot, after: stored)
    encoded[step] = (target, stored)
  }

  /// α = exp2(fl32(m − m')), m being the maximum before times k.
  mutating func factor(_ step: Int, _ p: inout ProgramBuilder) {
    guard var state = inFlight[step], let previous = state.previous, let scaled = state.scaled
    else { return }
    let factor = factorRing.acquire()
    p.emit(
      Exp2Fused(
        factor.tile(rows: rows(step)), previous.tile(rows: rows(step)),
        scaled.tile(rows: rows(step)), k: form.scoreFactor, empty: .one), after: [])
    state.factor = factor
    inFlight[step] = state
  }

  /// The lanes' partial sums of p.
  mutating func sum(_ step: Int, _ p: inout ProgramBuilder) {
    p.emit(
      RowSum(
        partialTile.tile(rows: rows(step), columns: min(lanes, width(step))),
        weightTile.tile(rows: rows(step), columns: width(step)), start: true), after: [])
  }

  /// The row sum of p; of the first tile it is l.
  mutating func finishSum(_ step: Int, _ p: inout ProgramBuilder) {
    guard let l = carried[steps[step].jobIndex]?.l else { return }
    let isFirst = steps[step].isFirst
    p.emit(
      RowFinish(
        isFirst ? l.tile(rows: rows(step)) : sumTile.tile(rows: rows(step)),
        partialTile.tile(rows: rows(step), columns: min(lanes, width(step)))),
      after: isFirst ? l.free : [])
  }

  /// l = fl32(fl32(l · α) + row sum).
  mutating func rescaleSum(_ step: Int, _ p: inout ProgramBuilder) {
    guard let l = carried[steps[step].jobIndex]?.l.tile(rows: rows(step)),
      let factor = inFlight[step]?.factor
    else { return }
    p.emit(
      RescaleAdd(l, l, factor.tile(rows: rows(step)), sumTile.tile(rows: rows(step))), after: [])
  }

  /// O = fl32(fl32(O · α) + T); of the first tile T + 0, as O and α are 0.
  mutating func rescaleOutput(_ step: Int, _ p: inout ProgramBuilder) {
    guard let state = inFlight[step], let product = state.product,
      let multiplied = state.multiplied
    else { return }
    let source = product.tile(rows: rows(step), columns: form.headDim)
    let job = steps[step].jobIndex
    let done: Token
    if steps[step].isFirst {
      let o = oRing.acquire()
      carried[job]?.o = o
      done = p.emit(
        WithScalar<AddRule>(o.tile(rows: rows(step)), source, 0), after: [multiplied] + o.free)
    } else {
      guard let o = carried[job]?.o?.tile(rows: rows(step)), let factor = state.factor else {
        return
      }
      done = p.emit(
        RescaleAdd(o, o, factor.tile(rows: rows(step)), source), after: multiplied)
    }
    productRing.release(product, after: done)
    carried[job]?.written = done
    inFlight[step] = nil
  }

  /// The results of a job, or its part of them.
  mutating func finish(_ step: Int, _ p: inout ProgramBuilder) {
    guard let carried = carried.removeValue(forKey: steps[step].jobIndex) else { return }
    finish(steps[step].job, carried, &p)
  }

  mutating func finish(_ job: FlashDecodeJob, _ carried: Carried, _ p: inout ProgramBuilder) {
    guard let o = carried.o, let scaled = carried.scaled, let written = carried.written else {
      return
    }
    let read = epilogue.emit(
      job, l: carried.l.tile(rows: job.rows), o: o.tile(rows: job.rows),
      m: scaled.tile(rows: job.rows), after: written, &p)
    lRing.release(carried.l, after: read)
    oRing.release(o, after: read)
    scaledRing.release(scaled, after: read)
  }
}
