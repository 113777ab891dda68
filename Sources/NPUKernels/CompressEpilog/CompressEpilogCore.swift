import NPUSim

/// Emits the rows of one core, tile by tile: loads run a ring ahead of the encode, codes and scales
/// are scattered behind it.
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

  private struct Load {
    var slot: Ring<UB>.Slot
    var loaded: Token
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
    let pieces = pieces(moves)
    var loads: [Load] = []
    for (index, piece) in pieces.enumerated() {
      p.pushScope("tile", iteration: index)
      while loads.count < min(pieces.count, index + plan.stages) {
        loads.append(load(pieces[loads.count], &p))
      }
      let x = loads[index].slot.tile(rows: piece.moves.count, columns: piece.columns.count)
      let codes = codeRing.acquire()
      let scales = scaleRing.acquire()
      let codeTile = codes.tile(rows: piece.moves.count, columns: piece.columns.count)
      let scaleTile = scales.tile(
        rows: piece.moves.count, columns: FP8Block.blocks(piece.columns.count))
      let tokens = [loads[index].loaded] + codes.free + scales.free
      let encoded =
        steps.map { compose(codeTile, scaleTile, x, $0, after: tokens, &p) }
        ?? p.emit(
          EncodeFP8(codeTile, scaleTile, x, roundScale: kernel.rule == .e8m0(roundsUp: true)),
          after: tokens)
      xRing.release(loads[index].slot, after: encoded)
      scatter(piece, codes, codeTile, scales, scaleTile, after: encoded, &p)
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

  private mutating func load(_ piece: Piece, _ p: inout ProgramBuilder) -> Load {
    let slot = xRing.acquire()
    let rows = piece.moves.count
    let columns = piece.columns.count
    let target = slot.tile(rows: rows, columns: columns)
    let first = Int(tensors.moves[piece.moves.lowerBound].row)
    let column = piece.columns.lowerBound
    let loaded =
      tensors.isContiguous(piece.moves)
      ? p.emit(
        LoadUB(
          target, from: tensors.x.tile(row: first, column: column, rows: rows, columns: columns)),
        after: slot.free)
      : p.emit(
        GatherUB(
          target,
          from: tensors.x.gathered(
            tensors.rowList, first: piece.moves.lowerBound, rows: rows, column: column,
            columns: columns)), after: slot.free)
    return Load(slot: slot, loaded: loaded)
  }

  private mutating func scatter(
    _ piece: Piece, _ codes: Ring<UB>.Slot, _ codeTile: Tile<UB>, _ scales: Ring<UB>.Slot,
    _ scaleTile: Tile<UB>, after encoded: Token, _ p: inout ProgramBuilder
  ) {
    let storedCodes = p.emit(
      StoreScatter(
        tensors.cache.gathered(
          tensors.slotList, first: piece.moves.lowerBound, rows: codeTile.rows,
          column: piece.columns.lowerBound, columns: codeTile.columns), from: codeTile),
      after: encoded)
    codeRing.release(codes, after: storedCodes)
    let storedScales = p.emit(
      StoreScatter(
        tensors.scale.gathered(
          tensors.slotList, first: piece.moves.lowerBound, rows: scaleTile.rows,
          column: piece.columns.lowerBound / FP8Block.blockSize, columns: scaleTile.columns),
        from: scaleTile), after: encoded)
    scaleRing.release(scales, after: storedScales)
  }

  /// The encode as elementary micro-ops; returns the last, which makes the codes.
  private func compose(
    _ codes: Tile<UB>, _ scales: Tile<UB>, _ x: Tile<UB>, _ steps: Steps, after tokens: [Token],
    _ p: inout ProgramBuilder
  ) -> Token {
    let reciprocal = kernel.block.reciprocal
    let quotients = steps.quotients.tile(rows: x.rows, columns: x.columns)
    guard case .e8m0(let roundsUp) = kernel.rule else {
      p.emit(BlockAbsMax(scales, x), after: tokens)
      p.emit(WithScalar<MulRule>(scales, scales, reciprocal))
      p.emit(BlockBroadcast<DivRule>(quotients, x, scales))
      p.emit(SelectFinite(quotients, quotients, else: x))
      return p.emit(Cast(codes, quotients, saturating: false))
    }
    let maxima = steps.maxima.tile(rows: scales.rows, columns: scales.columns)
    p.emit(BlockAbsMax(maxima, x), after: tokens)
    p.emit(WithScalar<MaxRule>(maxima, maxima, 1e-4))
    p.emit(WithScalar<MulRule>(maxima, maxima, reciprocal))
    p.emit(CastScale(scales, maxima, roundsUp ? .ceil : .floor))
    p.emit(BlockBroadcast<DivRule>(quotients, x, roundsUp ? scales : maxima))
    return p.emit(Cast(codes, quotients, saturating: true))
  }
}
