import NPUSim

/// What a schedule of the decode rungs keeps in each memory of a core.
struct FlashDecodeLayout: FlashLayout {
  let plan: FlashSchedule
  let shape: FlashShape
  let machine: MachineConfiguration
  let isComposed: Bool

  init(
    _ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration, isComposed: Bool
  ) {
    self.plan = plan
    self.shape = shape
    self.machine = machine
    self.isComposed = isComposed
  }

  /// Rows of the largest job.
  private var rows: Int {
    let perGroup = shape.headsPerGroup
    let heads =
      plan.tileHeads < perGroup ? plan.tileHeads : plan.tileHeads / perGroup * perGroup
    return min(shape.batch * shape.heads, heads) * min(plan.tileQ, shape.queries)
  }

  /// Columns at which a tile of any memory that they pass may start.
  static func columnUnit(_ machine: MachineConfiguration) -> Int {
    [Space.l1, .right, .acc, .ub].map { machine[$0].alignment }.max() ?? 32
  }

  /// Columns of a `right` tile that takes all keys or all columns of v at once.
  static func widest(_ plan: FlashSchedule, _ shape: FlashShape) -> Int {
    max(min(plan.tileKV, shape.kv), shape.headDim)
  }

  /// Columns of a `right` tile: the most that leave room for two stages or more.
  static func mostRightColumns(_ plan: FlashSchedule, _ problem: FlashSchedule.Problem) -> Int {
    let widest = widest(plan, problem.shape)
    guard let capacity = problem.machine[.right].bytes else { return widest }
    let unit = columnUnit(problem.machine)
    let rows = MXINT8.blocks(widest) * MXINT8.blockSize
    let fitting = capacity / (max(2, plan.stages) * rows) / unit * unit
    return max(min(unit, widest), fitting >= widest ? widest : fitting)
  }

  var buffers: BufferPlan {
    let (rows, right) = (rows, plan.rightColumns)
    let width = min(plan.tileKV, shape.kv)
    let d = shape.headDim
    let drained = machine.matrix.accumulator.format
    func ring(
      _ name: String, _ space: Space, _ format: ElementFormat, slots: Int = 1, columns: Int
    ) -> PlannedBuffer {
      PlannedBuffer(name, space, format, slots: slots, rows: rows, columns: columns)
    }
    var list = FlashEpilogue.buffers(shape, rows: rows)
    list += FlashCacheStream.buffers(
      shape, plan, keyRows: min(right, width), isComposed: isComposed)
    list += FlashSoftmax.buffers(
      shape, plan, rows: rows, drained: drained, lanes: machine.vector.lanes)
    list += [
      ring("q", .ub, .bf16, columns: d), ring("q_mx", .ub, .mxint8, columns: d),
      ring("q", .l1, .mxint8, columns: d),
      ring("q", .left, .mxint8, slots: plan.stages, columns: d),
      ring("p", .left, .mxint8, slots: plan.stages, columns: width),
      PlannedBuffer(
        "right", .right, .mxint8, slots: plan.stages, rows: max(width, d), columns: right,
        axis: .alongRows),
      ring("scores", .acc, drained, slots: plan.stages, columns: width),
      ring("product", .acc, drained, slots: plan.stages, columns: d),
    ]
    return BufferPlan(list + FlashCombine.buffers(shape, rows: rows))
  }
}
