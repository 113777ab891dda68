import NPUSim

// MARK: Schedule

/// The spread rung of ``FlashAttention``: one query a head, its kv tiles dealt out over all cores.
///
/// A kv head is one chain of steps, but little of a step needs the one before: only the maximum so far,
/// and the sums that go on from it. So the cores make all scores first, each those of some kv tiles, and
/// meet; then every core knows the maximum at each tile, and makes the weights of its tiles and their
/// products with v; they meet once more, and each adds up the products of some heads in the order of
/// the tiles. The words are those of the other rungs of the online form.
///
/// K and V cross HBM once, and rows of several kv heads together where they lie side by side. What the
/// cores tell each other is 2 · d + 8 bytes for each head and kv tile, with a BF16 accumulator.
struct FlashSpread: FlashProgram {
  private let kernel: FlashAttention

  init(_ kernel: FlashAttention) { self.kernel = kernel }

  /// Large kv tiles and two stages come first, then rows that are encoded many at a time; as many heads
  /// together as fill a burst; then many tiles of v before the cores meet.
  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule] {
    let longest = MXINT8.blocks(shape.kv) * MXINT8.blockSize
    let isEncoded = shape.kvFormat != .mxint8
    let heads = together(shape, machine) * shape.headsPerGroup
    var result: [FlashSchedule] = []
    for tileKV in [128, 64, 32] where tileKV == 32 || tileKV < longest + tileKV / 2 {
      for stages in [2, 1] {
        for (staged, rowStages) in isEncoded ? [(64, 3), (32, 5), (32, 3), (32, 1)] : [(32, 1)] {
          var plan = FlashSchedule(
            tileQ: 1, tileKV: tileKV, tileHeads: heads, stagedRows: staged, rowStages: rowStages,
            stages: stages)
          let units = max(1, FlashSpreadWork(plan, shape).most(of: machine.cores))
          var slots = units
          while slots > 0 {
            plan.kvStages = slots
            result.append(plan)
            slots = slots > 4 ? (slots + 1) / 2 : slots - 1
          }
        }
      }
    }
    return result
  }

  /// The words depend on the kv tile: all have that of the first.
  static func candidates(for problem: FlashSchedule.Problem) -> [FlashSchedule] {
    var plans: [FlashSchedule] = []
    for var plan in candidates(problem.shape, machine: problem.machine) {
      plan.follow(problem)
      guard plan.fits(problem), plan.tileKV == plans.first?.tileKV ?? plan.tileKV else { continue }
      plans.append(plan)
      if plans.count == 6 { break }
    }
    return plans
  }

  /// kv heads whose rows fill a burst where they lie side by side; 1 where a row is no whole blocks, or
  /// its scales could not be loaded beside those of another one.
  private static func together(_ shape: FlashShape, _ machine: MachineConfiguration) -> Int {
    guard canJoin(shape) else { return 1 }
    let bytes = shape.headDim * shape.kvFormat.element.bytes
    var count = 1
    while count * bytes < machine.hbm.burst, shape.kvHeads % (2 * count) == 0 { count *= 2 }
    return count
  }

  /// Whether rows of several kv heads may be one row on chip.
  static func canJoin(_ shape: FlashShape) -> Bool {
    shape.headDim % MXINT8.blockSize == 0 && !shape.kvFormat.isFP8 && shape.page == nil
  }

  /// Whether the rung is faster than decoding head by head, where it may be: both are timed in an order
  /// that a glance finds, each with the schedule that comes first.
  static func isFaster(_ shape: FlashShape, _ machine: MachineConfiguration) -> Bool {
    guard mayPay(shape, machine), let spread = cycles(.spread, shape, machine),
      let decode = cycles(.decode, shape, machine)
    else { return false }
    // The order that is found in the end may gain the other one a little more.
    return spread < decode - decode / 20
  }

  /// Micro-ops, about, of programs that are compared.
  private static let largestTimed = 0x1p19

  /// What a rung takes over dense rows; `nil` where it does not fit.
  private static func cycles(
    _ rung: FlashRung, _ shape: FlashShape, _ machine: MachineConfiguration
  ) -> Int64? {
    var shape = shape
    shape.page = nil
    let problem = FlashSchedule.Problem(rung: rung, shape: shape, machine: machine)
    guard let plan = rung.program.candidates(for: problem).first,
      plan.microOps(problem) <= largestTimed
    else { return nil }
    let kernel = FlashAttention(shape, rung, machine, plan)
    return (try? kernel.sequence(IndexTensors([:]))).flatMap { try? OrderSearch.glance($0) } ?? nil
  }

  /// Whether there are more cores than kv heads, and that might make up for what the meetings cost, by what
  /// the busiest core has to encode or load.
  private static func mayPay(_ shape: FlashShape, _ machine: MachineConfiguration) -> Bool {
    let cores = machine.cores
    guard shape.queries == 1, shape.splits == 1, cores > shape.groups else { return false }
    let vector = machine.vector
    func cycles(_ kind: VectorClass, _ elements: Double) -> Double {
      Double(vector.slopes[kind.index]) * elements / Double(vector.wordElements)
        + Double(vector.latencies[kind.index])
    }
    let path: TransferPath = shape.kvFormat == .mxint8 ? .hbmToL1 : .hbmToUB
    let elements = 2 * Double(shape.visibleKeys) * Double(shape.headDim)
    let bytes = elements * Double(shape.kvFormat.element.bytes)
    var group = bytes / machine[path].rate.approximate
    switch shape.kvFormat {
    case .bf16: group = max(group, cycles(.encodeMX, elements))
    case .e4m3fn, .e5m2: group = max(group, cycles(.requantise, elements / 4))
    case .mxint8: break
    }
    let groups = Double(shape.groups)
    let all = groups * bytes / machine.hbm.readRate.approximate
    // Three trips through HBM at least; what lies between them may be hidden or not.
    let trips = Double(machine[.hbmToUB].latency + machine[.ubToHBM].latency)
    return max(all, group * groups / Double(cores)) + 3 * trips < max(all, group)
  }

  static func layout(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> any FlashLayout {
    FlashSpreadLayout(plan, shape, machine)
  }

  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let (form, cores) = (kernel.form, kernel.machine.cores)
    let layout = FlashSpreadLayout(kernel.plan, form, kernel.machine)
    let (rows, overflow) = layout.work.tiles.count.multipliedReportingOverflow(by: form.rows)
    guard !overflow else {
      throw NPUError(.program, "the partial results of all kv tiles cannot be counted")
    }
    let shared = FlashSpreadShared(
      maxima: try p.tensor(
        "tile.m", .f32, rows: layout.work.tiles.count, columns: form.rows, role: .scratch),
      sums: try p.tensor("tile.l", .f32, rows: rows, columns: 1, role: .scratch),
      products: try p.tensor(
        "tile.o", kernel.drained, rows: rows, columns: form.headDim, role: .scratch))
    for core in 0..<cores {
      p.begin(core: core)
      let units = layout.work.share(core, of: cores)
      let own = WorkSplit.range(form.rows, core: core, of: cores)
      let memory = try p.allocate(layout.buffers)
      var tiles = try FlashSpreadCore(kernel, tensors, shared, layout.work, units, memory, &p)
      var combine = try FlashSpreadCombine(kernel, tensors, shared, layout.work, own, memory)
      tiles.score(&p)
      if cores > 1 { p.emit(ChipBarrier()) }
      if !(units.isEmpty && own.isEmpty) { combine.loadMaxima(&p) }
      tiles.multiply(&p)
      combine.prepare(&p)
      if cores > 1 { p.emit(ChipBarrier()) }
      combine.combine(&p)
    }
  }
}

/// What the cores of the spread rung tell each other through HBM.
struct FlashSpreadShared {
  /// [tiles, rows]: the largest raw score of each row in each kv tile.
  let maxima: BufferHandle<HBM>
  /// [tiles · rows, 1]: sums of weights.
  let sums: BufferHandle<HBM>
  /// [tiles · rows, d]: products with v.
  let products: BufferHandle<HBM>
}
