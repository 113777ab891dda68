import NPUSim

/// Emits the kv tiles of one core of the spread rung: their scores, and behind the meeting of the cores
/// their weights and products.
struct FlashSpreadCore {
  private let form: FlashShape
  private let plan: FlashSchedule
  private let tensors: FlashTensors
  private let shared: FlashSpreadShared
  private let units: [FlashSpreadWork.Unit]
  private let lanes: Int
  private var stream: FlashCacheStream
  /// v of the first units, which comes before the cores meet.
  private var values: [Ring<L1>.Slot] = []
  private let queryValues: BufferHandle<UB>
  private let queryCodes: BufferHandle<UB>
  private let stagedQueries: BufferHandle<L1>
  private var queryLeft: Ring<Left>
  private var rightRing: Ring<Right>
  private let scoreAcc: Ring<Acc>
  private let scores: Ring<UB>
  private let maxima: Ring<UB>
  private let maximumRows: Ring<UB>
  /// Maxima of all rows: a row for each, a column for each kv tile.
  private let allMaxima: BufferHandle<UB>
  private let tops: Ring<UB>
  private let limits: Ring<UB>
  private let weights: Ring<UB>
  private let codes: Ring<UB>
  private let stagedWeights: Ring<L1>
  private let weightLeft: Ring<Left>
  private let partials: Ring<UB>
  private let sums: Ring<UB>
  private let productAcc: Ring<Acc>

  init(
    _ kernel: FlashAttention, _ tensors: FlashTensors, _ shared: FlashSpreadShared,
    _ work: FlashSpreadWork, _ units: Range<Int>, _ memory: PlacedBuffers,
    _ p: inout ProgramBuilder
  ) throws(NPUError) {
    form = kernel.form
    plan = kernel.plan
    lanes = kernel.machine.vector.lanes
    self.tensors = tensors
    self.shared = shared
    self.units = units.map { work.unit($0) }
    stream = try FlashCacheStream(kernel, tensors, groups: work.together, memory, &p)
    queryValues = try memory.buffer("q", in: UB.self)
    queryCodes = try memory.buffer("q_mx", in: UB.self)
    stagedQueries = try memory.buffer("q", in: L1.self)
    queryLeft = try memory.ring("q", in: Left.self)
    rightRing = try memory.ring("right", in: Right.self)
    scoreAcc = try memory.ring("scores", in: Acc.self)
    scores = try memory.ring("scores", in: UB.self)
    maxima = try memory.ring("max", in: UB.self)
    maximumRows = try memory.ring("max_row", in: UB.self)
    allMaxima = try memory.buffer("maxima_t", in: UB.self)
    tops = try memory.ring("top", in: UB.self)
    limits = try memory.ring("m", in: UB.self)
    weights = try memory.ring("p", in: UB.self)
    codes = try memory.ring("p_mx", in: UB.self)
    stagedWeights = try memory.ring("p", in: L1.self)
    weightLeft = try memory.ring("p", in: Left.self)
    partials = try memory.ring("partials", in: UB.self)
    sums = try memory.ring("sum", in: UB.self)
    productAcc = try memory.ring("product", in: Acc.self)
  }

  // MARK: Before the cores meet

  /// The scores of every unit and their row maxima, and v of the first ones.
  mutating func score(_ p: inout ProgramBuilder) {
    var left = queryLeft[0]
    for (index, unit) in units.enumerated() where !p.hasOverflowed {
      p.pushScope("scores", iteration: index)
      if index == 0 || units[index - 1].groups != unit.groups {
        left = queryLeft.next()
        feedQueries(unit, to: left, &p)
      }
      score(index, unit, left, &p)
      p.popScope()
    }
    for unit in units.prefix(plan.kvStages) { values.append(bring(.value, unit, &p)) }
  }

  private mutating func bring(
    _ operand: FlashCacheStream.Operand, _ unit: FlashSpreadWork.Unit, _ p: inout ProgramBuilder
  ) -> Ring<L1>.Slot {
    stream.bring(
      FlashCacheStream.Chunk(operand, groups: unit.groups, keys: unit.keys), &p)
  }

  /// The queries of a unit, encoded along d.
  private func feedQueries(
    _ unit: FlashSpreadWork.Unit, to left: Ring<Left>.Slot, _ p: inout ProgramBuilder
  ) {
    let rows = unit.rows.count
    let (values, encoded) = (queryValues.tile(rows: rows), queryCodes.tile(rows: rows))
    p.emit(LoadUB(values, from: tensors.q.tile(row: unit.rows.lowerBound, rows: rows)))
    p.emit(EncodeMX(encoded, values))
    let staged = stagedQueries.tile(rows: rows)
    p.emit(StoreL1(staged, from: encoded))
    p.emit(FeedLeft(left.tile(rows: rows), from: staged))
  }

  private mutating func score(
    _ index: Int, _ unit: FlashSpreadWork.Unit, _ left: Ring<Left>.Slot,
    _ p: inout ProgramBuilder
  ) {
    let (rows, keys) = (unit.rows.count, unit.keys.count)
    let key = bring(.key, unit, &p)
    let acc = scoreAcc[index]
    for part in parts(unit) {
      for columns in RowTile.pieces(0..<keys, plan.rightColumns) {
        let right = rightRing.next().tile(rows: form.headDim, columns: columns.count)
        p.emit(
          FeedRightTransposed(
            right,
            from: key.tile(
              row: columns.lowerBound, column: part.index * form.headDim, rows: columns.count,
              columns: form.headDim)))
        p.emit(
          Matmul(
            acc.tile(
              row: part.row, column: columns.lowerBound, rows: part.count, columns: columns.count),
            left: left.tile(row: part.row, rows: part.count), right: right, accumulate: false))
      }
    }
    let scores = scores[index].tile(rows: rows, columns: keys)
    p.emit(DrainUB(scores, from: acc.tile(rows: rows, columns: keys)))
    mask(scores, unit, &p)
    let (maximum, line) = (maxima[index].tile(rows: rows), maximumRows[index].tile(columns: rows))
    p.emit(RowMax(maximum, scores, start: true))
    // A row of the tensor lies in one burst, where a column would take one for each element.
    p.emit(TransposeUB(line, maximum))
    p.emit(
      StoreHBM(
        shared.maxima.tile(
          row: unit.tile, column: unit.rows.lowerBound, rows: 1, columns: rows), from: line))
  }

  /// The rows of each kv head of a unit.
  private func parts(_ unit: FlashSpreadWork.Unit) -> [(index: Int, row: Int, count: Int)] {
    let count = form.headsPerGroup
    return (0..<unit.groups.count).map { (index: $0, row: $0 * count, count: count) }
  }

  /// Masks the keys before the window of the query.
  private func mask(
    _ scores: Tile<UB>, _ unit: FlashSpreadWork.Unit, _ p: inout ProgramBuilder
  ) {
    guard form.isMasked, form.keys(0).lowerBound > unit.keys.lowerBound else { return }
    p.emit(
      Mask(
        scores, scores, row: form.position(0), column: unit.keys.lowerBound,
        causal: form.isCausal, window: form.window, rowsPerPosition: unit.rows.count))
  }

  // MARK: Behind it

  /// The weights of every unit, their sums, and their products with v.
  mutating func multiply(_ p: inout ProgramBuilder) {
    for (index, unit) in units.enumerated() where !p.hasOverflowed {
      p.pushScope("product", iteration: index)
      weigh(index, unit, &p)
      multiply(index, unit, &p)
      p.popScope()
    }
  }

  /// p of a unit, in `left`, and its row sums.
  private func weigh(_ index: Int, _ unit: FlashSpreadWork.Unit, _ p: inout ProgramBuilder) {
    let (rows, keys) = (unit.rows.count, unit.keys.count)
    let (top, limit) = (tops[index].tile(rows: rows), limits[index].tile(rows: rows))
    let seen = allMaxima.tile(
      row: unit.rows.lowerBound, rows: rows, columns: unit.tile + 1)
    p.emit(RowMax(top, seen, start: true))
    // m' = max S · k, and p = exp2(fl32(fl32(S · k) − m')).
    p.emit(WithScalar<MulRule>(limit, top, form.scoreFactor))
    let weights = weights[index].tile(rows: rows, columns: keys)
    p.emit(
      Exp2Fused(
        weights, scores[index].tile(rows: rows, columns: keys), limit, k: form.scoreFactor))
    let encoded = codes[index].tile(rows: rows, columns: keys)
    let staged = stagedWeights[index].tile(rows: rows, columns: keys)
    p.emit(EncodeMX(encoded, weights))
    p.emit(StoreL1(staged, from: encoded))
    p.emit(FeedLeft(weightLeft[index].tile(rows: rows, columns: keys), from: staged))
    let partial = partials[index].tile(rows: rows, columns: min(lanes, keys))
    let sum = sums[index].tile(rows: rows)
    p.emit(RowSum(partial, weights, start: true))
    p.emit(RowFinish(sum, partial))
    p.emit(StoreHBM(shared.sums.tile(row: row(unit), rows: rows), from: sum))
  }

  /// Where the rows of a unit begin among those of all tiles.
  private func row(_ unit: FlashSpreadWork.Unit) -> Int {
    unit.tile * form.rows + unit.rows.lowerBound
  }

  private mutating func multiply(
    _ index: Int, _ unit: FlashSpreadWork.Unit, _ p: inout ProgramBuilder
  ) {
    let (rows, keys) = (unit.rows.count, unit.keys.count)
    let value = index < values.count ? values[index] : bring(.value, unit, &p)
    let (left, acc) = (weightLeft[index], productAcc[index])
    for part in parts(unit) {
      for columns in RowTile.pieces(0..<form.headDim, plan.rightColumns) {
        let right = rightRing.next().tile(rows: keys, columns: columns.count)
        p.emit(
          FeedRight(
            right,
            from: value.tile(
              column: part.index * form.headDim + columns.lowerBound, rows: keys,
              columns: columns.count)))
        p.emit(
          Matmul(
            acc.tile(
              row: part.row, column: columns.lowerBound, rows: part.count, columns: columns.count),
            left: left.tile(row: part.row, rows: part.count, columns: keys), right: right,
            accumulate: false))
      }
    }
    p.emit(
      DrainHBM(shared.products.tile(row: row(unit), rows: rows), from: acc.tile(rows: rows)))
  }
}
