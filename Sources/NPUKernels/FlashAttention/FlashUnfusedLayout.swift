import NPUSim

/// What a schedule of the unfused rung keeps in each memory of a core: two matrix products and a
/// softmax of whole rows, one after the other, with the same number of slots everywhere.
struct FlashUnfusedLayout: Sendable {
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

  /// The layout with the most rows of softmax that fit, or with one.
  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    let most = min(plan.tileQ, shape.queries)
    var rows = most
    while rows > 1 {
      let layout = FlashUnfusedLayout(plan, shape, machine, softmaxRows: rows)
      if layout.overflow(machine) == nil {
        self = layout
        return
      }
      rows /= 2
    }
    self.init(plan, shape, machine, softmaxRows: 1)
  }

  private init(
    _ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration, softmaxRows: Int
  ) {
    self.plan = plan
    self.shape = shape
    self.softmaxRows = softmaxRows
    rows = min(plan.tileQ, shape.queries)
    width = min(plan.tileKV, shape.kv)
    lanes = machine.vector.lanes
    drained = machine.matrix.accumulator == .bf16 ? .bf16 : .f32
  }

  // MARK: Products

  /// The first operand of either product on its way to the matrix unit: q, or the probabilities.
  func operandRows(_ name: String) -> FlashBuffer {
    FlashBuffer(
      name, .l1, .mxint8, slots: name == "q" ? 1 : plan.stages, rows: rows,
      columns: name == "q" ? shape.headDim : width)
  }
  func left(_ name: String) -> FlashBuffer {
    FlashBuffer(
      name + "_left", .left, .mxint8, slots: name == "q" ? 1 : plan.stages, rows: rows,
      columns: name == "q" ? shape.headDim : width)
  }
  var rightKeys: FlashBuffer {
    FlashBuffer(
      "k_right", .right, .mxint8, rows: shape.headDim, columns: width, axis: .alongRows)
  }
  var rightValues: FlashBuffer {
    FlashBuffer(
      "v_right", .right, .mxint8, rows: width, columns: shape.headDim, axis: .alongRows)
  }
  var accScores: FlashBuffer {
    FlashBuffer("s_acc", .acc, drained, slots: plan.stages, rows: rows, columns: width)
  }
  var accProducts: FlashBuffer {
    FlashBuffer("t_acc", .acc, drained, rows: rows, columns: shape.headDim)
  }

  // MARK: Softmax

  var scores: FlashBuffer {
    FlashBuffer("s", .ub, drained, slots: plan.stages, rows: softmaxRows, columns: shape.kv)
  }
  var weights: FlashBuffer {
    FlashBuffer("p_fp32", .ub, .f32, rows: softmaxRows, columns: shape.kv)
  }
  var probabilities: FlashBuffer {
    FlashBuffer("p_rows", .ub, .bf16, slots: plan.stages, rows: softmaxRows, columns: shape.kv)
  }
  var partials: FlashBuffer {
    FlashBuffer("p_sum", .ub, .f32, rows: softmaxRows, columns: min(lanes, shape.kv))
  }
  func column(_ name: String) -> FlashBuffer {
    FlashBuffer(
      name, .ub, .f32, slots: name == "lse_rows" ? plan.stages : 1, rows: softmaxRows, columns: 1)
  }

  /// Rows of K and V that are encoded at a time.
  var laneRows: Int { min(plan.stagedRows, width) }

  /// What does not fit, or `nil`.
  func overflow(_ machine: MachineConfiguration) -> String? {
    let d = shape.headDim
    var list = [
      operandRows("q"), operandRows("p"), left("q"), left("p"), rightKeys, rightValues, accScores,
      accProducts, scores, weights, probabilities, partials,
    ]
    list += ["top", "limit", "l", "inverse", "log_l", "lse_rows"].map { column($0) }
    list += FlashPieces.buffers(plan.kvStages, rows: width, headDim: d)
    list += FlashEncodeLane.buffers("q", rows: rows, columns: d)
    list += FlashEncodeLane.buffers("p", rows: rows, columns: width)
    if shape.kvFormat == .bf16 {
      list += FlashEncodeLane.buffers("k", rows: laneRows, columns: d)
      list += FlashEncodeLane.buffers("v", rows: laneRows, columns: d, axis: .alongRows)
    }
    var footprint = FlashFootprint(machine)
    for buffer in list { buffer.add(to: &footprint) }
    if let wrong = footprint.overflow { return wrong }
    if let events = machine.eventsPerPair, plan.kvStages + 2 > events {
      return "\(plan.kvStages) slots of keys need \(plan.kvStages + 2) events between two queues, "
        + "and there are \(events)"
    }
    return nil
  }
}
