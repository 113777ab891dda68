import NPUSim

/// What a schedule of gemm keeps in each memory, and about how long it takes: for choosing one.
struct GemmCostModel: Sendable {
  let m: Int
  let n: Int
  let k: Int
  let form: GemmForm
  let input: GemmRings
  let other: GemmRings
  let machine: MachineConfiguration

  /// The second operand of one column is one line: the same bytes, and rows that need no padding on
  /// chip.
  init(
    m: Int, n: Int, k: Int, form: GemmForm, input: GemmRings, other: GemmRings,
    machine: MachineConfiguration
  ) {
    self.m = m
    self.n = n
    self.k = k
    var form = form
    if n == 1 { form.layout = .lines }
    self.form = form
    self.input = input
    self.other = other
    self.machine = machine
  }

  /// Loads of both operands that rings are made for: more seldom help.
  static let mostLoads = 8

  static func tiles(_ extent: Int, _ tile: Int) -> Int { (extent - 1) / tile + 1 }

  // MARK: Extents

  func rows(_ plan: GemmSchedule) -> Int { min(plan.tileM, m) }
  func columns(_ plan: GemmSchedule) -> Int { min(plan.tileN, n) }
  func chunk(_ plan: GemmSchedule, _ operand: GemmOperand) -> Int {
    min(plan.depth(ofLoad: operand), k)
  }
  func depth(_ plan: GemmSchedule) -> Int { min(plan.tileK, k) }

  /// Whether the vector unit encodes an operand on its way to `l1`.
  func encodes(_ operand: GemmOperand, _ plan: GemmSchedule) -> Bool {
    form.encodes(operand) && !(operand == .input && plan.isAhead)
  }

  /// Columns of a row that are encoded at a time, where that is done ahead: few, so that there are many rows,
  /// whose parts of a slot are one run in HBM.
  private static let columnsAhead = 512

  /// Columns of a piece of the first operand that the vector unit encodes.
  private func pieceColumns(_ plan: GemmSchedule) -> Int {
    let chunk = chunk(plan, .input)
    return plan.isAhead ? min(k, max(1, Self.columnsAhead / chunk) * chunk) : chunk
  }

  /// Loads of an operand for the whole depth of a tile.
  func loads(_ plan: GemmSchedule, _ operand: GemmOperand) -> Int {
    Self.tiles(k, plan.depth(ofLoad: operand))
  }

  /// Slots without which a load would be overwritten while it is still to be used.
  func leastStages(_ plan: GemmSchedule) -> (input: Int, other: Int) {
    guard plan.slabs > 0 else { return (1, 1) }
    func slots(_ operand: GemmOperand, isKept: Bool) -> Int {
      guard isKept else { return plan.slabs > 1 ? loads(plan, operand) : 1 }
      let (all, overflow) = loads(plan, operand).multipliedReportingOverflow(by: plan.slabs)
      return overflow ? Int.max : all
    }
    return (slots(.input, isKept: plan.kept == 1), slots(.other, isKept: plan.kept == 2))
  }

  /// Rows of the largest pieces in which a chunk of each BF16 operand passes the vector unit: about as many as
  /// half of `ub` has room for, whole blocks where they run along k.
  /// Of the accumulators that meet a partner as many.
  func largestPieces(_ plan: GemmSchedule) -> (input: Int, other: Int, partner: Int) {
    let half = (machine[.ub].bytes ?? 1 << 20) / 2
    func lines(_ operand: GemmOperand) -> Int {
      let columns = operand == .input ? pieceColumns(plan) : chunk(plan, operand)
      return max(1, half / max(1, roomyBytes(rows: 1, columns: columns)))
    }
    let input = min(lines(.input), plan.isAhead ? m : rows(plan))
    let sums = accumulators(plan)
    let line = 2 * (pitch(form.result.bytes * sums.columns) + pitch(2 * sums.columns))
    let partner = min(max(1, half / max(1, line)), sums.rows)
    guard form.isDeep(.other) else {
      return (input, min(lines(.other), columns(plan)), partner)
    }
    let other = max(1, half / max(1, roomyBytes(rows: 32, columns: columns(plan)))) * 32
    return (input, min(other, chunk(plan, .other)), partner)
  }

  /// What a choice of pieces sets aside for one of so many rows, of which each may have gaps: it takes
  /// less. What the pieces do take, ``buffers(_:)`` says.
  private func roomyBytes(rows: Int, columns: Int) -> Int {
    let line = rows > 1 ? columns : MXINT8.blocks(columns) * MXINT8.blockSize
    let scales = (rows * columns + 31) / 32 + rows + max(1, machine[.ub].alignment)
    return 2 * (rows * (pitch(2 * columns) + pitch(line)) + scales)
  }

  /// Bytes of a row in `ub`.
  private func pitch(_ bytes: Int) -> Int {
    let alignment = max(1, machine[.ub].alignment)
    return (bytes + alignment - 1) / alignment * alignment
  }

  // MARK: Buffers

  /// An output tile as the accumulators hold it.
  func accumulators(_ plan: GemmSchedule) -> (rows: Int, columns: Int) {
    plan.isTransposed ? (columns(plan), 1) : (rows(plan), columns(plan))
  }

  func buffers(_ plan: GemmSchedule) -> BufferPlan {
    let depth = depth(plan)
    let (leftRows, rightColumns) = accumulators(plan)
    var buffers = [staged(plan, .input), staged(plan, .other)]
    if form.encodes(.input) {
      buffers.insert(contentsOf: lane(plan, .input, rows: plan.inputPiece), at: 1)
    }
    if form.encodes(.other) { buffers += lane(plan, .other, rows: plan.otherPiece) }
    buffers += [
      PlannedBuffer(
        "left", .left, .mxint8, slots: plan.feedStages, rows: leftRows, columns: depth),
      PlannedBuffer(
        "right", .right, .mxint8, slots: plan.feedStages, rows: depth, columns: rightColumns,
        axis: .alongRows),
      PlannedBuffer(
        "acc", .acc, machine.matrix.accumulator.format, slots: plan.accStages,
        rows: leftRows, columns: rightColumns),
    ]
    if let partner = form.partner {
      for (name, format) in [
        (GemmProblem.productName, form.result), (partner.rawValue, .bf16),
      ] {
        buffers.append(
          PlannedBuffer(
            name, .ub, format, slots: 2, rows: min(plan.partnerPiece, leftRows),
            columns: rightColumns))
      }
    }
    return BufferPlan(buffers)
  }

  /// The chunks of an operand in `l1`.
  private func staged(_ plan: GemmSchedule, _ operand: GemmOperand) -> PlannedBuffer {
    let chunk = chunk(plan, operand)
    return operand == .input
      ? PlannedBuffer(
        input.chunks, .l1, .mxint8, slots: plan.inputStages, rows: rows(plan), columns: chunk)
      : PlannedBuffer(
        other.chunks, .l1, .mxint8, slots: plan.otherStages,
        rows: form.isDeep(.other) ? chunk : columns(plan),
        columns: form.isDeep(.other) ? columns(plan) : chunk,
        axis: form.isDeep(.other) ? .alongRows : .alongColumns)
  }

  /// What pieces of a BF16 operand pass in `ub`: two slots of their values and of their encoding.
  private func lane(_ plan: GemmSchedule, _ operand: GemmOperand, rows: Int) -> [PlannedBuffer] {
    let names = operand == .input ? input : other
    let along = operand == .input ? pieceColumns(plan) : chunk(plan, operand)
    let columns = form.isDeep(operand) ? columns(plan) : along
    return [
      PlannedBuffer(names.values, .ub, .bf16, slots: 2, rows: rows, columns: columns),
      PlannedBuffer(
        names.encoded, .ub, .mxint8, slots: 2, rows: rows, columns: columns,
        axis: form.isDeep(operand) ? .alongRows : .alongColumns),
    ]
  }
}

/// The names of the rings that an operand passes: chunks in `l1`, pieces of them in `ub`.
struct GemmRings: Sendable {
  let chunks: String
  let values: String
  let encoded: String

  init(_ operand: String) {
    chunks = operand
    values = operand + "_bf16"
    encoded = operand + "_mx"
  }
}
