import NPUSim

/// Emits the rows of one core, tile by tile: loaded, encoded, and codes and scales scattered.
struct CompressEpilogCore {
  private let kernel: CompressEpilog
  private let plan: CompressEpilogSchedule
  private let tensors: CompressEpilogTensors

  private var xRing: Ring<UB>
  private var codeRing: Ring<UB>
  private var scaleRing: Ring<UB>
  /// What the composed form passes from micro-op to micro-op.
  private let steps: Steps?

  /// FP32 quotients, and FP32 maxima that become exact scales.
  private struct Steps {
    let quotients: BufferHandle<UB>
    let maxima: BufferHandle<UB>
  }

  /// A rectangle of the moved rows.
  private struct Piece {
    var moves: Range<Int>
    var columns: Range<Int>
  }

  init(
    _ kernel: CompressEpilog, tensors: CompressEpilogTensors, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.kernel = kernel
    self.tensors = tensors
    plan = kernel.plan
    let memory = try p.allocate(kernel.buffers)
    xRing = try memory.ring("x_tiles", in: UB.self)
    codeRing = try memory.ring("codes", in: UB.self)
    scaleRing = try memory.ring("scales", in: UB.self)
    guard kernel.isComposed else {
      steps = nil
      return
    }
    steps = Steps(
      quotients: try memory.buffer("quotients", in: UB.self),
      maxima: try memory.buffer("maxima", in: UB.self))
  }

  mutating func emit(_ moves: Range<Int>, _ p: inout ProgramBuilder) {
    for (index, piece) in pieces(moves).enumerated() {
      p.pushScope("tile", iteration: index)
      let x = load(piece, &p)
      let codes = codeRing.next().tile(rows: x.rows, columns: x.columns)
      let scales = scaleRing.next().tile(rows: x.rows, columns: FP8Block.blocks(x.columns))
      if let steps {
        compose(codes, scales, x, steps, &p)
      } else {
        p.emit(EncodeFP8(codes, scales, x, roundScale: kernel.rule == .e8m0(roundsUp: true)))
      }
      scatter(piece, codes, scales, &p)
      p.popScope()
    }
  }

  private func pieces(_ moves: Range<Int>) -> [Piece] {
    stride(from: moves.lowerBound, to: moves.upperBound, by: plan.tileRows).flatMap { start in
      stride(from: 0, to: kernel.columns, by: plan.tileColumns).map { column in
        Piece(
          moves: start..<min(start + plan.tileRows, moves.upperBound),
          columns: column..<min(column + plan.tileColumns, kernel.columns))
      }
    }
  }

  private mutating func load(_ piece: Piece, _ p: inout ProgramBuilder) -> Tile<UB> {
    let rows = piece.moves.count
    let columns = piece.columns.count
    let target = xRing.next().tile(rows: rows, columns: columns)
    let first = Int(tensors.moves[piece.moves.lowerBound].row)
    let column = piece.columns.lowerBound
    if tensors.isContiguous(piece.moves) {
      p.emit(
        LoadUB(
          target, from: tensors.x.tile(row: first, column: column, rows: rows, columns: columns)))
    } else {
      p.emit(
        GatherUB(
          target,
          from: tensors.x.gathered(
            tensors.rowList, first: piece.moves.lowerBound, rows: rows, column: column,
            columns: columns)))
    }
    return target
  }

  private func scatter(
    _ piece: Piece, _ codes: Tile<UB>, _ scales: Tile<UB>, _ p: inout ProgramBuilder
  ) {
    p.emit(
      StoreScatter(
        tensors.cache.gathered(
          tensors.slotList, first: piece.moves.lowerBound, rows: codes.rows,
          column: piece.columns.lowerBound, columns: codes.columns), from: codes))
    p.emit(
      StoreScatter(
        tensors.scale.gathered(
          tensors.slotList, first: piece.moves.lowerBound, rows: scales.rows,
          column: piece.columns.lowerBound / FP8Block.blockSize, columns: scales.columns),
        from: scales))
  }

  /// The encode as elementary micro-ops.
  private func compose(
    _ codes: Tile<UB>, _ scales: Tile<UB>, _ x: Tile<UB>, _ steps: Steps,
    _ p: inout ProgramBuilder
  ) {
    let reciprocal = kernel.block.reciprocal
    let quotients = steps.quotients.tile(rows: x.rows, columns: x.columns)
    guard case .e8m0(let roundsUp) = kernel.rule else {
      p.emit(BlockAbsMax(scales, x))
      p.emit(WithScalar<MulRule>(scales, scales, reciprocal))
      p.emit(BlockBroadcast<DivRule>(quotients, x, scales))
      p.emit(SelectFinite(quotients, quotients, else: x))
      p.emit(Cast(codes, quotients, saturating: false))
      return
    }
    let maxima = steps.maxima.tile(rows: scales.rows, columns: scales.columns)
    p.emit(BlockAbsMax(maxima, x))
    p.emit(WithScalar<MaxRule>(maxima, maxima, 1e-4))
    p.emit(WithScalar<MulRule>(maxima, maxima, reciprocal))
    p.emit(CastScale(scales, maxima, roundsUp ? .ceil : .floor))
    p.emit(BlockBroadcast<DivRule>(quotients, x, roundsUp ? scales : maxima))
    p.emit(Cast(codes, quotients, saturating: true))
  }
}
