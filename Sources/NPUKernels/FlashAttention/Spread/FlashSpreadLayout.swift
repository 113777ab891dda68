import NPUSim

/// What a schedule of the spread rung keeps in each memory of a core.
struct FlashSpreadLayout: FlashLayout {
  let plan: FlashSchedule
  let shape: FlashShape
  let machine: MachineConfiguration
  let work: FlashSpreadWork

  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    self.plan = plan
    self.shape = shape
    self.machine = machine
    work = FlashSpreadWork(plan, shape)
  }

  /// Partial results of a row that are brought together.
  static let combined = 8

  var buffers: BufferPlan {
    let units = work.most(of: machine.cores)
    let own = (shape.rows - 1) / machine.cores + 1
    let (rows, d) = (work.rows, shape.headDim)
    let width = min(plan.tileKV, shape.kv)
    let drained = machine.matrix.accumulator.format
    func ring(
      _ name: String, _ space: Space, _ format: ElementFormat, slots: Int = 1, columns: Int
    ) -> PlannedBuffer {
      PlannedBuffer(name, space, format, slots: slots, rows: rows, columns: columns)
    }
    func column(_ name: String, slots: Int = 1, rows: Int) -> PlannedBuffer {
      PlannedBuffer(name, .ub, .f32, slots: slots, rows: rows, columns: 1)
    }
    let tiles = work.tiles.count
    let (all, overflow) = tiles.multipliedReportingOverflow(by: own)
    let steps = overflow ? Int.max : all
    let part = min(tiles, Self.combined) * own
    var list = FlashEpilogue.buffers(shape, rows: own)
    list += FlashCacheStream.buffers(
      shape, plan, keyRows: width, groups: work.together, isComposed: false)
    list += [
      ring("q", .ub, .bf16, columns: d), ring("q_mx", .ub, .mxint8, columns: d),
      ring("q", .l1, .mxint8, columns: d),
      ring("q", .left, .mxint8, slots: plan.stages, columns: d),
      PlannedBuffer(
        "right", .right, .mxint8, slots: plan.stages, rows: max(width, d),
        columns: plan.rightColumns, axis: .alongRows),
      ring("scores", .acc, drained, slots: plan.stages, columns: width),
      ring("scores", .ub, drained, slots: units, columns: width),
      column("max", slots: plan.stages, rows: rows),
      PlannedBuffer("max_row", .ub, .f32, slots: plan.stages, rows: 1, columns: rows),
      PlannedBuffer("maxima", .ub, .f32, rows: tiles, columns: shape.rows),
      PlannedBuffer("maxima_t", .ub, .f32, rows: shape.rows, columns: tiles),
      column("top", slots: units, rows: rows), column("m", slots: units, rows: rows),
      ring("p", .ub, .f32, slots: plan.stages, columns: width),
      ring("p_mx", .ub, .mxint8, slots: plan.stages, columns: width),
      ring("p", .l1, .mxint8, slots: plan.stages, columns: width),
      ring("p", .left, .mxint8, slots: plan.stages, columns: width),
      ring(
        "partials", .ub, .f32, slots: plan.stages, columns: min(machine.vector.lanes, width)),
      column("sum", slots: plan.stages, rows: rows),
      ring("product", .acc, drained, slots: plan.stages, columns: d),
      column("own_top", rows: steps), column("own_m", rows: steps),
      column("alpha", rows: steps), column("l_part", slots: 2, rows: part),
      PlannedBuffer("o_part", .ub, drained, slots: 2, rows: part, columns: d),
      column("l", rows: own),
      PlannedBuffer("o", .ub, .f32, rows: own, columns: d),
    ]
    return BufferPlan(list)
  }
}
