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
  let isEncoding: Bool

  /// The layout with the largest pieces and chunks that fit, or with the smallest ones.
  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    let unit = max(32, machine.vector.lanes)
    let width = min(plan.tileKV, shape.kv)
    var pieces: [Int] = []
    var size = max(unit, 128)
    while size >= unit {
      if size <= plan.tileKV { pieces.append(size) }
      size /= 2
    }
    if pieces.isEmpty { pieces = [plan.tileKV] }
    var smallest: FlashPipelinedLayout?
    for piece in pieces {
      var chunk = piece
      while true {
        let layout = FlashPipelinedLayout(
          plan, shape, machine, width: width, piece: piece, chunk: chunk)
        smallest = layout
        if layout.fits(machine) {
          self = layout
          return
        }
        guard chunk % 2 == 0, chunk / 2 % unit == 0 else { break }
        chunk /= 2
      }
    }
    self =
      smallest
      ?? FlashPipelinedLayout(plan, shape, machine, width: width, piece: unit, chunk: unit)
  }

  private init(
    _ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration, width: Int,
    piece: Int, chunk: Int
  ) {
    self.plan = plan
    self.width = width
    self.piece = piece
    self.chunk = chunk
    headDim = shape.headDim
    rows = min(plan.tileQ, shape.queries)
    inFlight = plan.stages
    drained = machine.matrix.accumulator == .bf16 ? .bf16 : .f32
    granule = max(1, machine[.ub].alignment / drained.bytes)
    lanes = machine.vector.lanes
    lanesAreAligned =
      machine.vector.lanes * ElementFormat.f32.bytes % max(1, machine[.ub].alignment) == 0
    isEncoding = shape.kvFormat == .bf16
  }

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
    var list = FlashPieces.buffers(
      plan.kvStages, rows: part, headDim: headDim, staged: isEncoding ? laneRows : nil)
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

  func shortage(_ machine: MachineConfiguration) -> String? {
    let pieces = (width - 1) / piece + 1
    let needed = max(pieces, 2 * inFlight) + inFlight
    guard let events = machine.eventsPerPair, needed > events else { return nil }
    return "tiles of \(pieces) pieces, \(inFlight) in flight, need \(needed) events between two "
      + "queues, and there are \(events)"
  }
}
