import NPUSim

/// What a schedule of the online rung keeps in each memory of a core: one slot of everything.
struct FlashOnlineLayout: FlashLayout {
  let plan: FlashSchedule
  let shape: FlashShape
  let rows: Int
  /// Keys of a kv tile.
  let width: Int
  /// Keys that are fed and multiplied together.
  let piece: Int
  let lanes: Int
  let drained: ElementFormat

  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    self.plan = plan
    self.shape = shape
    piece = plan.piece
    rows = min(plan.tileQ, shape.queries)
    width = min(plan.tileKV, shape.kv)
    lanes = machine.vector.lanes
    drained = machine.matrix.accumulator.format
  }

  /// The largest piece that fits, or the smallest.
  static func largestPiece(_ plan: FlashSchedule, _ problem: FlashSchedule.Problem) -> Int {
    let first = min(128, plan.tileKV)
    let pieces = [first] + [64, 32].filter { $0 < first }
    let fitting = pieces.first { piece in
      var plan = plan
      plan.piece = piece
      return plan.fits(problem)
    }
    return fitting ?? pieces[pieces.count - 1]
  }

  /// Pieces of a kv tile.
  var pieces: Int { (width - 1) / piece + 1 }

  /// Rows of K and V that are encoded at a time.
  var laneRows: Int { min(plan.stagedRows, piece, width) }

  var buffers: BufferPlan {
    let d = shape.headDim
    let part = min(piece, width)
    func ring(
      _ name: String, _ space: Space, _ format: ElementFormat, columns: Int
    ) -> PlannedBuffer {
      PlannedBuffer(name, space, format, rows: rows, columns: columns)
    }
    var list = FlashPieces.buffers(pieces, rows: part, shape, staged: laneRows)
    list += FlashEncodeLane.buffers("q", rows: rows, columns: d)
    list += FlashResults.buffers(rows: rows, headDim: d, inFlight: 1)
    list += [
      ring("q", .l1, .mxint8, columns: d), ring("p", .l1, .mxint8, columns: width),
      ring("q_left", .left, .mxint8, columns: d), ring("p_left", .left, .mxint8, columns: width),
      PlannedBuffer("k_right", .right, .mxint8, rows: d, columns: part, axis: .alongRows),
      PlannedBuffer("v_right", .right, .mxint8, rows: part, columns: d, axis: .alongRows),
      ring("s_acc", .acc, drained, columns: part), ring("t_acc", .acc, drained, columns: d),
      ring("s", .ub, drained, columns: width), ring("p_mx", .ub, .mxint8, columns: width),
      ring("t", .ub, drained, columns: d), ring("p_fp32", .ub, .f32, columns: width),
      ring("p_sum", .ub, .f32, columns: min(lanes, width)), ring("o", .ub, .f32, columns: d),
    ]
    for name in ["top", "limit", "m", "alpha", "l_tile", "l"] {
      list.append(ring(name, .ub, .f32, columns: 1))
    }
    return BufferPlan(list)
  }
}
