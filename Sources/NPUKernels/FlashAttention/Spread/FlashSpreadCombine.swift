import NPUSim

/// Adds up the kv tiles of some rows on one core of the spread rung, in ascending order, when the cores
/// have stored their parts:
///
///     α = exp2(fl32(m − m')),  l = fl32(fl32(l·α) + row sum of p),  O = fl32(fl32(O·α) + T)
///
/// m of each tile being the largest raw score up to it times k, and then the outputs.
struct FlashSpreadCombine {
  private let form: FlashShape
  private let shared: FlashSpreadShared
  private let rows: Range<Int>
  private let tiles: Int
  private let epilogue: FlashEpilogue
  private let maxima: BufferHandle<UB>
  private let allMaxima: BufferHandle<UB>
  private let tops: BufferHandle<UB>
  private let limits: BufferHandle<UB>
  private let factors: BufferHandle<UB>
  private var sumRing: Ring<UB>
  private var productRing: Ring<UB>
  private let total: BufferHandle<UB>
  private let output: BufferHandle<UB>

  init(
    _ kernel: FlashAttention, _ tensors: FlashTensors, _ shared: FlashSpreadShared,
    _ work: FlashSpreadWork, _ rows: Range<Int>, _ memory: PlacedBuffers
  ) throws(NPUError) {
    form = kernel.form
    self.shared = shared
    self.rows = rows
    tiles = work.tiles.count
    epilogue = try FlashEpilogue(form, tensors, partials: nil, memory)
    maxima = try memory.buffer("maxima", in: UB.self)
    allMaxima = try memory.buffer("maxima_t", in: UB.self)
    tops = try memory.buffer("own_top", in: UB.self)
    limits = try memory.buffer("own_m", in: UB.self)
    factors = try memory.buffer("alpha", in: UB.self)
    sumRing = try memory.ring("l_part", in: UB.self)
    productRing = try memory.ring("o_part", in: UB.self)
    total = try memory.buffer("l", in: UB.self)
    output = try memory.buffer("o", in: UB.self)
  }

  /// The maxima of all rows and tiles, those of a row one beside the other.
  func loadMaxima(_ p: inout ProgramBuilder) {
    p.emit(LoadUB(maxima.tile(), from: shared.maxima.tile()))
    p.emit(TransposeUB(allMaxima.tile(), maxima.tile()))
  }

  /// m at each tile, and α from each to the next: rows of a tile after those of the one before.
  func prepare(_ p: inout ProgramBuilder) {
    guard !rows.isEmpty else { return }
    let own = rows.count
    for tile in 0..<tiles {
      p.emit(
        RowMax(
          tops.tile(row: tile * own, rows: own),
          allMaxima.tile(row: rows.lowerBound, rows: own, columns: tile + 1), start: true))
    }
    p.emit(
      WithScalar<MulRule>(
        limits.tile(rows: tiles * own), tops.tile(rows: tiles * own), form.scoreFactor))
    guard tiles > 1 else { return }
    let later = (tiles - 1) * own
    p.emit(
      Exp2Fused(
        factors.tile(rows: later), tops.tile(rows: later), limits.tile(row: own, rows: later),
        k: form.scoreFactor, empty: .one))
  }

  /// l and O over all tiles, and the results.
  mutating func combine(_ p: inout ProgramBuilder) {
    guard !rows.isEmpty else { return }
    p.pushScope("combine")
    defer { p.popScope() }
    let own = rows.count
    let (l, o) = (total.tile(rows: own), output.tile(rows: own))
    let list = p.indexList(
      (0..<tiles).flatMap { tile in rows.map { Int32(clamping: tile * form.rows + $0) } })
    for part in RowTile.pieces(0..<tiles, FlashSpreadLayout.combined) where !p.hasOverflowed {
      let (sums, products) = (sumRing.next(), productRing.next())
      let (first, count) = (part.lowerBound * own, part.count * own)
      p.emit(
        GatherUB(
          sums.tile(rows: count),
          from: shared.sums.gathered(list, first: first, rows: count, columns: 1)))
      p.emit(
        GatherUB(
          products.tile(rows: count),
          from: shared.products.gathered(list, first: first, rows: count, columns: form.headDim)))
      for tile in part {
        let row = (tile - part.lowerBound) * own
        add(tile, sums.tile(row: row, rows: own), products.tile(row: row, rows: own), l, o, &p)
      }
    }
    epilogue.emit(
      runs: [FlashDecodeJob.Run(row: 0, tensorRow: rows.lowerBound, count: own)], l: l, o: o,
      m: limits.tile(row: (tiles - 1) * own, rows: own), &p)
  }

  /// Goes on with a tile; the first one stands for itself, as O and α are 0.
  private func add(
    _ tile: Int, _ sum: Tile<UB>, _ product: Tile<UB>, _ l: Tile<UB>, _ o: Tile<UB>,
    _ p: inout ProgramBuilder
  ) {
    guard tile > 0 else {
      p.emit(WithScalar<AddRule>(l, sum, 0))
      p.emit(WithScalar<AddRule>(o, product, 0))
      return
    }
    let factor = factors.tile(row: (tile - 1) * rows.count, rows: rows.count)
    p.emit(RescaleAdd(l, l, factor, sum))
    p.emit(RescaleAdd(o, o, factor, product))
  }
}
