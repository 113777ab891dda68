import NPUSim

/// What a schedule of the scalar rung keeps in `ub`.
struct FlashScalarLayout: FlashLayout {
  /// B0 and B1.
  let queries: Int
  let keys: Int
  let lanes: Int

  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    queries = min(plan.tileQ, shape.queries)
    keys = min(plan.tileKV, shape.kv)
    lanes = machine.vector.lanes
  }

  var buffers: BufferPlan {
    func ring(
      _ name: String, _ format: ElementFormat, slots: Int = 1, rows: Int, columns: Int
    ) -> PlannedBuffer {
      PlannedBuffer(name, .ub, format, slots: slots, rows: rows, columns: columns)
    }
    // Numbers as they are loaded, one a row; k and v in turn.
    var list = [
      ring("q", .bf16, rows: queries, columns: 1),
      ring("kv", .bf16, slots: 2, rows: keys, columns: 1),
    ]
    list += FlashResults.buffers(rows: queries, headDim: 1, inFlight: 1)
    list += [
      // Ones, numbers repeated along their row, and the same turned: a row for each query.
      ring("ones", .bf16, rows: keys, columns: queries),
      ring("repeated", .bf16, rows: keys, columns: queries),
      ring("turned", .bf16, rows: queries, columns: keys),
      // Scores, weights and their products.
      ring("s", .f32, rows: queries, columns: keys), ring("p", .f32, rows: queries, columns: keys),
      ring("partials", .f32, rows: queries, columns: min(lanes, keys)),
    ]
    for name in ["top", "m", "alpha", "l_block", "l", "o"] {
      list.append(ring(name, .f32, rows: queries, columns: 1))
    }
    return BufferPlan(list)
  }
}
