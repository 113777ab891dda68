import NPUSim

/// What a schedule of the pipelined rung keeps in each memory of a core.
struct FlashPipelinedLayout: Sendable {
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
        if layout.overflow(machine) == nil {
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

  // MARK: Matrix side

  var queryRows: FlashBuffer {
    FlashBuffer("q", .l1, .mxint8, slots: inFlight, rows: rows, columns: headDim)
  }
  var weightRows: FlashBuffer {
    FlashBuffer("p", .l1, .mxint8, slots: inFlight, rows: rows, columns: min(piece, width))
  }
  var leftQueries: FlashBuffer {
    FlashBuffer("q_left", .left, .mxint8, slots: inFlight, rows: rows, columns: headDim)
  }
  var leftWeights: FlashBuffer {
    FlashBuffer(
      "p_left", .left, .mxint8, slots: 2 * inFlight, rows: rows, columns: min(piece, width))
  }
  var rightKeys: FlashBuffer {
    FlashBuffer(
      "k_right", .right, .mxint8, rows: headDim, columns: min(piece, width), axis: .alongRows)
  }
  var rightValues: FlashBuffer {
    FlashBuffer(
      "v_right", .right, .mxint8, rows: min(piece, width), columns: headDim, axis: .alongRows)
  }
  var accScores: FlashBuffer {
    FlashBuffer("s_acc", .acc, drained, slots: 2 * inFlight, rows: rows, columns: min(piece, width))
  }
  var accProducts: FlashBuffer {
    FlashBuffer("t_acc", .acc, drained, slots: inFlight, rows: rows, columns: headDim)
  }

  // MARK: Vector side

  var scores: FlashBuffer {
    FlashBuffer("s", .ub, drained, slots: inFlight, rows: rows, columns: width)
  }
  var folded: FlashBuffer {
    FlashBuffer("s_max", .ub, drained, slots: inFlight, rows: rows, columns: min(chunk, width))
  }
  var weights: FlashBuffer {
    FlashBuffer("p_chunk", .ub, .f32, slots: inFlight, rows: rows, columns: min(chunk, width))
  }
  var encoded: FlashBuffer {
    FlashBuffer("p_mx", .ub, .mxint8, slots: inFlight, rows: rows, columns: min(piece, width))
  }
  var partials: FlashBuffer {
    FlashBuffer("p_sum", .ub, .f32, slots: inFlight, rows: rows, columns: min(lanes, width))
  }
  var products: FlashBuffer {
    FlashBuffer("t", .ub, drained, slots: inFlight, rows: rows, columns: headDim)
  }
  var outputs: FlashBuffer {
    FlashBuffer("o", .ub, .f32, slots: inFlight, rows: rows, columns: headDim)
  }
  /// Columns of one value a row, `slots` for each tile in flight.
  func column(_ name: String, slots: Int = 1) -> FlashBuffer {
    FlashBuffer(name, .ub, .f32, slots: slots * inFlight, rows: rows, columns: 1)
  }
  /// Raw maxima, scaled maxima before and after, rescaling factors, sums of a tile, sums of this job
  /// and the one before.
  private var columns: [FlashBuffer] {
    [
      column("s_top"), column("m", slots: 2), column("alpha"), column("l_tile"),
      column("l", slots: 2),
    ]
  }

  /// Rows of K and V that are encoded at a time.
  var laneRows: Int { min(plan.stagedRows, piece, width) }

  /// What does not fit, or `nil`.
  func overflow(_ machine: MachineConfiguration) -> String? {
    var list = [
      queryRows, weightRows, leftQueries, leftWeights, rightKeys, rightValues, accScores,
      accProducts, scores, folded, weights, encoded, partials, products, outputs,
    ]
    list += columns + FlashPieces.buffers(plan.kvStages, rows: min(piece, width), headDim: headDim)
    list += FlashResults.buffers(rows: rows, headDim: headDim, inFlight: inFlight)
    list += FlashEncodeLane.buffers("q", rows: rows, columns: headDim)
    if isEncoding {
      list += FlashEncodeLane.buffers("k", rows: laneRows, columns: headDim)
      list += FlashEncodeLane.buffers("v", rows: laneRows, columns: headDim, axis: .alongRows)
    }
    var footprint = FlashFootprint(machine)
    for buffer in list { buffer.add(to: &footprint) }
    if let wrong = footprint.overflow { return wrong }
    let pieces = (width - 1) / piece + 1
    if let events = machine.eventsPerPair, max(pieces, 2 * inFlight) + inFlight > events {
      return "tiles of \(pieces) pieces, \(inFlight) in flight, need "
        + "\(max(pieces, 2 * inFlight) + inFlight) events between two queues, and there are \(events)"
    }
    return nil
  }
}
