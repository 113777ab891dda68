import NPUSim

/// What a schedule of the scalar rung keeps in `ub`.
struct FlashScalarLayout: Sendable {
  /// B0 and B1.
  let queries: Int
  let keys: Int
  let lanes: Int

  init(_ plan: FlashSchedule, _ shape: FlashShape, _ machine: MachineConfiguration) {
    queries = min(plan.tileQ, shape.queries)
    keys = min(plan.tileKV, shape.kv)
    lanes = machine.vector.lanes
  }

  /// Numbers of a block as they are loaded, one a row; `kv` takes k and v in turn.
  func numbers(_ name: String) -> FlashBuffer {
    FlashBuffer(
      name, .ub, .bf16, slots: name == "q" ? 1 : 2, rows: name == "q" ? queries : keys, columns: 1)
  }
  /// Ones, and numbers repeated along their row.
  func repeated(_ name: String) -> FlashBuffer {
    FlashBuffer(name, .ub, .bf16, rows: keys, columns: queries)
  }
  /// The same turned: a row for each query, all alike.
  var turned: FlashBuffer { FlashBuffer("turned", .ub, .bf16, rows: queries, columns: keys) }
  /// Scores, weights and their products.
  func block(_ name: String) -> FlashBuffer {
    FlashBuffer(name, .ub, .f32, rows: queries, columns: keys)
  }
  var partials: FlashBuffer {
    FlashBuffer("partials", .ub, .f32, rows: queries, columns: min(lanes, keys))
  }
  /// One FP32 number a query.
  func column(_ name: String) -> FlashBuffer {
    FlashBuffer(name, .ub, .f32, rows: queries, columns: 1)
  }

  /// What does not fit, or `nil`.
  func overflow(_ machine: MachineConfiguration) -> String? {
    var list = ["q", "kv"].map { numbers($0) } + ["ones", "repeated"].map { repeated($0) }
    list += [turned, block("s"), block("p"), partials]
    list += ["top", "m", "alpha", "l_block", "l", "o"].map { column($0) }
    list += FlashResults.buffers(rows: queries, headDim: 1, inFlight: 1)
    var footprint = FlashFootprint(machine)
    for buffer in list { buffer.add(to: &footprint) }
    return footprint.overflow
  }
}
