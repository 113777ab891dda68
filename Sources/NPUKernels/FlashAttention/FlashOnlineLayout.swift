import NPUSim

/// What a schedule of the online rung keeps in each memory of a core: one slot of everything.
struct FlashOnlineLayout: Sendable {
  let plan: FlashSchedule
  let shape: FlashShape
  let rows: Int
  /// Keys of a kv tile.
  let width: Int
  /// Keys that are fed and multiplied together.
  let piece: Int
  let lanes: Int
  let drained: ElementFormat

  /// The layout with the largest pieces that fit, or with the smallest ones.
  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    var layout = FlashOnlineLayout(plan, shape, machine, piece: min(128, plan.tileKV))
    for piece in [64, 32] where piece < layout.piece && layout.overflow(machine) != nil {
      layout = FlashOnlineLayout(plan, shape, machine, piece: piece)
    }
    self = layout
  }

  private init(
    _ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration, piece: Int
  ) {
    self.plan = plan
    self.shape = shape
    self.piece = piece
    rows = min(plan.tileQ, shape.queries)
    width = min(plan.tileKV, shape.kv)
    lanes = machine.vector.lanes
    drained = machine.matrix.accumulator == .bf16 ? .bf16 : .f32
  }

  /// Pieces of a kv tile.
  var pieces: Int { (width - 1) / piece + 1 }

  var queryRows: FlashBuffer {
    FlashBuffer("q", .l1, .mxint8, rows: rows, columns: shape.headDim)
  }
  var weightRows: FlashBuffer { FlashBuffer("p", .l1, .mxint8, rows: rows, columns: width) }
  var leftQueries: FlashBuffer {
    FlashBuffer("q_left", .left, .mxint8, rows: rows, columns: shape.headDim)
  }
  var leftWeights: FlashBuffer { FlashBuffer("p_left", .left, .mxint8, rows: rows, columns: width) }
  var rightKeys: FlashBuffer {
    FlashBuffer(
      "k_right", .right, .mxint8, rows: shape.headDim, columns: min(piece, width), axis: .alongRows)
  }
  var rightValues: FlashBuffer {
    FlashBuffer(
      "v_right", .right, .mxint8, rows: min(piece, width), columns: shape.headDim, axis: .alongRows)
  }
  var accScores: FlashBuffer {
    FlashBuffer("s_acc", .acc, drained, rows: rows, columns: min(piece, width))
  }
  var accProducts: FlashBuffer {
    FlashBuffer("t_acc", .acc, drained, rows: rows, columns: shape.headDim)
  }
  var scores: FlashBuffer { FlashBuffer("s", .ub, drained, rows: rows, columns: width) }
  var weights: FlashBuffer { FlashBuffer("p_fp32", .ub, .f32, rows: rows, columns: width) }
  var encoded: FlashBuffer { FlashBuffer("p_mx", .ub, .mxint8, rows: rows, columns: width) }
  var partials: FlashBuffer {
    FlashBuffer("p_sum", .ub, .f32, rows: rows, columns: min(lanes, width))
  }
  var products: FlashBuffer { FlashBuffer("t", .ub, drained, rows: rows, columns: shape.headDim) }
  var outputs: FlashBuffer { FlashBuffer("o", .ub, .f32, rows: rows, columns: shape.headDim) }
  func column(_ name: String) -> FlashBuffer {
    FlashBuffer(name, .ub, .f32, rows: rows, columns: 1)
  }

  /// Rows of K and V that are encoded at a time.
  var laneRows: Int { min(plan.stagedRows, piece, width) }

  /// What does not fit, or `nil`.
  func overflow(_ machine: MachineConfiguration) -> String? {
    let d = shape.headDim
    var list = [
      queryRows, weightRows, leftQueries, leftWeights, rightKeys, rightValues, accScores,
      accProducts, scores, weights, encoded, partials, products, outputs,
    ]
    list += ["top", "limit", "m", "alpha", "l_tile", "l"].map { column($0) }
    list += FlashPieces.buffers(pieces, rows: min(piece, width), headDim: d)
    list += FlashResults.buffers(rows: rows, headDim: d, inFlight: 1)
    list += FlashEncodeLane.buffers("q", rows: rows, columns: d)
    if shape.kvFormat == .bf16 {
      list += FlashEncodeLane.buffers("k", rows: laneRows, columns: d)
      list += FlashEncodeLane.buffers("v", rows: laneRows, columns: d, axis: .alongRows)
    }
    var footprint = FlashFootprint(machine)
    for buffer in list { buffer.add(to: &footprint) }
    if let wrong = footprint.overflow { return wrong }
    if let events = machine.eventsPerPair, pieces > events {
      return "kv tiles of \(pieces) pieces need as many events between two queues, and there are "
        + "\(events)"
    }
    return nil
  }
}
