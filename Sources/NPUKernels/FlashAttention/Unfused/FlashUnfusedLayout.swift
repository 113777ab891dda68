import NPUSim

/// What a schedule of the unfused rung keeps in each memory of a core: two matrix products and a
/// softmax of whole rows, one after the other, with the same number of slots everywhere.
struct FlashUnfusedLayout: FlashLayout {
  let plan: FlashSchedule
  let shape: FlashShape
  /// Rows of a tile of the products.
  let rows: Int
  /// Keys of a tile of the products.
  let width: Int
  /// Rows of the softmax at a time.
  let softmaxRows: Int
  let lanes: Int
  let drained: ElementFormat

  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    self.plan = plan
    self.shape = shape
    softmaxRows = plan.softmaxRows
    rows = min(plan.tileQ, shape.queries)
    width = min(plan.tileKV, shape.kv)
    lanes = machine.vector.lanes
    drained = machine.matrix.accumulator.format
  }

  /// The most rows of the softmax that fit, or one.
  static func mostSoftmaxRows(_ plan: FlashSchedule, _ problem: FlashSchedule.Problem) -> Int {
    var plan = plan
    plan.softmaxRows = min(plan.tileQ, problem.shape.queries)
    while plan.softmaxRows > 1, !plan.fits(problem) { plan.softmaxRows /= 2 }
    return plan.softmaxRows
  }

  /// Rows of K and V that are encoded at a time.
  var laneRows: Int { min(plan.stagedRows, width) }

  var buffers: BufferPlan { BufferPlan(products + softmax) }

  private var products: [PlannedBuffer] {
    let d = shape.headDim
    func ring(
      _ name: String, _ space: Space, _ format: ElementFormat, slots: Int = 1, columns: Int
    ) -> PlannedBuffer {
      PlannedBuffer(name, space, format, slots: slots, rows: rows, columns: columns)
    }
    var list = FlashPieces.buffers(plan.kvStages, rows: width, shape, staged: laneRows)
    list += FlashEncodeLane.buffers("q", rows: rows, columns: d)
    list += FlashEncodeLane.buffers("p", rows: rows, columns: width)
    list += [
      ring("q", .l1, .mxint8, columns: d),
      ring("p", .l1, .mxint8, slots: plan.stages, columns: width),
      ring("q_left", .left, .mxint8, columns: d),
      ring("p_left", .left, .mxint8, slots: plan.stages, columns: width),
      PlannedBuffer("k_right", .right, .mxint8, rows: d, columns: width, axis: .alongRows),
      PlannedBuffer("v_right", .right, .mxint8, rows: width, columns: d, axis: .alongRows),
      ring("s_acc", .acc, drained, slots: plan.stages, columns: width),
      ring("t_acc", .acc, drained, columns: d),
    ]
    return list
  }

  private var softmax: [PlannedBuffer] {
    func ring(
      _ name: String, _ format: ElementFormat, slots: Int = 1, columns: Int
    ) -> PlannedBuffer {
      PlannedBuffer(name, .ub, format, slots: slots, rows: softmaxRows, columns: columns)
    }
    return [
      ring("s", drained, slots: plan.stages, columns: shape.kv),
      ring("p_rows", .bf16, slots: plan.stages, columns: shape.kv),
      ring("lse_rows", .f32, slots: plan.stages, columns: 1),
      ring("p_fp32", .f32, columns: shape.kv),
      ring("p_sum", .f32, columns: min(lanes, shape.kv)),
    ] + ["top", "limit", "l", "inverse", "log_l"].map { ring($0, .f32, columns: 1) }
  }
}
