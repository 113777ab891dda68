import NPUSim

/// Combines the partial results of splits, in ascending order, after all cores have stored theirs:
///
///     M = max m_s,  w_s = exp2(fl32(m_s − M)), 0 where m_s = −∞
///     l = fl32(l + fl32(l_s · w_s)),  O = fl32(O + fl32(O_s · w_s))           from l = 0, O = 0
///
/// and then the outputs, as without splits.
struct FlashCombine {
  private let form: FlashShape
  private let partials: FlashEpilogue.Partials
  private let epilogue: FlashEpilogue
  private var mRing: Ring<UB>
  private var lRing: Ring<UB>
  private var oRing: Ring<UB>
  private let maximum: BufferHandle<UB>
  private let weight: BufferHandle<UB>
  private let sum: BufferHandle<UB>
  private let output: BufferHandle<UB>

  init(
    _ form: FlashShape, _ partials: FlashEpilogue.Partials, _ memory: PlacedBuffers,
    _ epilogue: FlashEpilogue
  ) throws(NPUError) {
    self.form = form
    self.partials = partials
    self.epilogue = epilogue
    mRing = try memory.ring("split.m", in: UB.self)
    lRing = try memory.ring("split.l", in: UB.self)
    oRing = try memory.ring("split.o", in: UB.self)
    maximum = try memory.buffer("total.m", in: UB.self)
    weight = try memory.buffer("total.w", in: UB.self)
    sum = try memory.buffer("total.l", in: UB.self)
    output = try memory.buffer("total.o", in: UB.self)
  }

  /// The rings for tiles of up to 16 rows; none without splits.
  static func buffers(_ form: FlashShape, rows: Int) -> [PlannedBuffer] {
    guard form.splits > 1 else { return [] }
    func ring(_ name: String, _ slots: Int, columns: Int) -> PlannedBuffer {
      PlannedBuffer(name, .ub, .f32, slots: slots, rows: min(rows, 16), columns: columns)
    }
    return [
      ring("split.m", 2, columns: 1), ring("split.l", 2, columns: 1),
      ring("split.o", 2, columns: form.headDim), ring("total.m", 1, columns: 1),
      ring("total.w", 1, columns: 1), ring("total.l", 1, columns: 1),
      ring("total.o", 1, columns: form.headDim),
    ]
  }

  /// Joins the cores, and combines some rows.
  mutating func emit(_ rows: Range<Int>, _ p: inout ProgramBuilder) {
    p.emit(ChipBarrier())
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: maximum.rows) {
      p.pushScope("combine", iteration: first)
      combine(first, count: min(maximum.rows, rows.upperBound - first), &p)
      p.popScope()
    }
  }

  private mutating func combine(_ first: Int, count: Int, _ p: inout ProgramBuilder) {
    let m = maximum.tile(rows: count)
    let w = weight.tile(rows: count)
    let l = sum.tile(rows: count)
    let o = output.tile(rows: count)
    p.emit(Fill(m, -.infinity))
    p.emit(Fill(l, 0))
    p.emit(Fill(o, 0))
    for split in 0..<form.splits {
      let row = split * form.rows + first
      let part = mRing.next().tile(rows: count)
      p.emit(LoadUB(part, from: partials.m.tile(row: row, rows: count)))
      p.emit(Elementwise<MaxRule>(m, m, part))
    }
    for split in 0..<form.splits {
      let row = split * form.rows + first
      let splitM = mRing.next().tile(rows: count)
      let splitL = lRing.next().tile(rows: count)
      let splitO = oRing.next().tile(rows: count)
      p.emit(LoadUB(splitM, from: partials.m.tile(row: row, rows: count)))
      p.emit(LoadUB(splitL, from: partials.l.tile(row: row, rows: count)))
      p.emit(LoadUB(splitO, from: partials.o.tile(row: row, rows: count)))
      p.emit(Exp2Fused(w, splitM, m, k: 1))
      p.emit(RescaleAdd(l, splitL, w, l))
      p.emit(RescaleAdd(o, splitO, w, o))
    }
    epilogue.emit(
      runs: [FlashDecodeJob.Run(row: 0, tensorRow: first, count: count)], l: l, o: o, m: m, &p)
  }
}
