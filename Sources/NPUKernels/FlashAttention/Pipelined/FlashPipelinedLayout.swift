import NPUSim

/// What a schedule of the pipelined rung keeps in each memory of a core.
struct FlashPipelinedLayout: FlashLayout {
  let plan: FlashSchedule
  let headDim: Int
  /// Rows of a query tile, keys of a score tile.
  let rows: Int
  let width: Int
  /// Query tiles in flight.
  let inFlight: Int
  /// Keys that are fed and multiplied together: a multiple of 32 and of the lanes, or a whole tile.
  let piece: Int
  /// Keys of a score tile that the vector unit exponentiates at a time; divides `piece`.
  let chunk: Int
  /// Columns of scores that start on the alignment of `ub`.
  let granule: Int
  let lanes: Int
  /// Whether each group of lanes of a row starts on the alignment of `ub`.
  let lanesAreAligned: Bool
  /// The format of the accumulators, and of what is drained.
  let drained: ElementFormat
  private let shape: FlashShape

  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    self.plan = plan
    piece = plan.piece
    chunk = plan.chunk
    width = min(plan.tileKV, shape.kv)
    headDim = shape.headDim
    rows = min(plan.tileQ, shape.queries)
    inFlight = plan.stages
    drained = machine.matrix.accumulator.format
    granule = max(1, machine[.ub].alignment / drained.bytes)
    lanes = machine.vector.lanes
    lanesAreAligned =
      machine.vector.lanes * ElementFormat.f32.bytes % max(1, machine[.ub].alignment) == 0
    self.shape = shape
  }

  // MARK: Pieces and chunks

  /// What pieces and chunks are multiples of: whole blocks and whole groups of lanes.
  static func unit(_ machine: MachineConfiguration) -> Int { max(32, machine.vector.lanes) }

  /// The largest piece that fits with some chunk, or the smallest.
  static func largestPiece(_ plan: FlashSchedule, _ problem: FlashSchedule.Problem) -> Int {
    let unit = unit(problem.machine)
    var pieces = halves(of: max(unit, 128), unit: unit).filter { $0 <= plan.tileKV }
    if pieces.isEmpty { pieces = [plan.tileKV] }
    let fitting = pieces.first { piece in
      var plan = plan
      plan.piece = piece
      plan.chunk = largestChunk(plan, problem)
      return plan.fits(problem)
    }
    return fitting ?? pieces[pieces.count - 1]
  }

  /// The largest part of a piece that fits, or the smallest.
  static func largestChunk(_ plan: FlashSchedule, _ problem: FlashSchedule.Problem) -> Int {
    let chunks = halves(of: plan.piece, unit: unit(problem.machine))
    let fitting = chunks.first { chunk in
      var plan = plan
      plan.chunk = chunk
      return plan.fits(problem)
    }
    return fitting ?? chunks[chunks.count - 1]
  }

  /// A number, half of it, and so on, as long as that is whole units.
  static func halves(of number: Int, unit: Int) -> [Int] {
    var result = [number]
    while let last = result.last, last % 2 == 0, last / 2 % unit == 0 { result.append(last / 2) }
    return result
  }

  // MARK: Buffers

  /// Rows of K and V that are encoded at a time.
  var laneRows: Int { min(plan.stagedRows, piece, width) }

  /// Keys of a score tile that the vector unit exponentiates at a time, where there are so many.
  var chunkColumns: Int { min(chunk, width) }

  var buffers: BufferPlan {
    let part = min(piece, width)
    func ring(
      _ name: String, _ space: Space, _ format: ElementFormat, slots: Int = 1, columns: Int
    ) -> PlannedBuffer {
      PlannedBuffer(
        name, space, format, slots: slots * inFlight, rows: rows, columns: columns)
    }
    func column(_ name: String, slots: Int = 1) -> PlannedBuffer {
      ring(name, .ub, .f32, slots: slots, columns: 1)
    }
    var list = FlashPieces.buffers(plan.kvStages, rows: part, shape, staged: laneRows)
    list += FlashEncodeLane.buffers("q", rows: rows, columns: headDim)
    list += [
      ring("q", .l1, .mxint8, columns: headDim), ring("p", .l1, .mxint8, columns: part),
      ring("q_left", .left, .mxint8, columns: headDim),
      ring("p_left", .left, .mxint8, slots: 2, columns: part),
      PlannedBuffer("k_right", .right, .mxint8, rows: headDim, columns: part, axis: .alongRows),
      PlannedBuffer("v_right", .right, .mxint8, rows: part, columns: headDim, axis: .alongRows),
      ring("s_acc", .acc, drained, slots: 2, columns: part),
      ring("t_acc", .acc, drained, columns: headDim),
      ring("s", .ub, drained, columns: width), ring("s_max", .ub, drained, columns: chunkColumns),
      ring("p_chunk", .ub, .f32, columns: chunkColumns),
      ring("p_mx", .ub, .mxint8, columns: part),
      ring("p_sum", .ub, .f32, columns: min(lanes, width)),
      ring("t", .ub, drained, columns: headDim), ring("o", .ub, .f32, columns: headDim),
      column("s_top"), column("m", slots: 2), column("alpha"), column("l_tile"),
      column("l", slots: 2),
    ]
    list += FlashResults.buffers(rows: rows, headDim: headDim, inFlight: inFlight)
    return BufferPlan(list)
  }
}
