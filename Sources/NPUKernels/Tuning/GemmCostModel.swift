import NPUSim

/// What a schedule of gemm needs of each memory, and about how long it takes: for choosing one.
struct GemmCostModel: Sendable {
  let m: Int
  let n: Int
  let k: Int
  let operands: ElementFormat
  let result: ElementFormat
  let machine: MachineConfiguration

  init(
    m: Int, n: Int, k: Int, operands: ElementFormat, result: ElementFormat,
    machine: MachineConfiguration
  ) {
    self.m = m
    self.n = n
    self.k = k
    self.operands = operands
    self.result = result
    self.machine = machine
  }

  /// Event IDs of a pair of queues: what the rings between them may hold together.
  var eventLimit: Int { min(8, machine.eventsPerPair ?? 8) }

  static func tiles(_ extent: Int, _ tile: Int) -> Int { (extent - 1) / tile + 1 }

  private func rounded(_ value: Int, _ unit: Int) -> Int { (value + unit - 1) / unit * unit }

  private func pitch(_ bytes: Int, _ space: Space) -> Int {
    rounded(bytes, max(1, machine[space].alignment))
  }

  // MARK: Extents

  func rows(_ plan: GemmSchedule) -> Int { min(plan.tileM, m) }
  func columns(_ plan: GemmSchedule) -> Int { min(plan.tileN, n) }
  func chunk(_ plan: GemmSchedule, _ operand: GemmOperand) -> Int {
    min(plan.depth(ofLoad: operand), k)
  }
  func depth(_ plan: GemmSchedule) -> Int { min(plan.tileK, k) }

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

  /// Rows of the pieces in which a chunk of each BF16 operand passes the vector unit.
  ///
  /// Two BF16 and two MXINT8 slots of each operand share `ub`; the second operand's pieces are whole
  /// blocks, but for a vector's, whose only row holds all of the chunk.
  func pieces(_ plan: GemmSchedule) -> (input: Int, other: Int) {
    let capacity = (machine[.ub].bytes ?? 1 << 20) / 2
    let input = max(1, capacity / max(1, pieceBytes(rows: 1, columns: chunk(plan, .input))))
    if n == 1 { return (min(input, rows(plan)), 1) }
    let other = max(1, capacity / max(1, pieceBytes(rows: 32, columns: columns(plan)))) * 32
    return (min(input, rows(plan)), min(other, chunk(plan, .other)))
  }

  private func pieceBytes(rows: Int, columns: Int) -> Int {
    let alignment = max(1, machine[.ub].alignment)
    let padded = rounded(rows, rows > 1 ? 32 : 1)
    let encoded = padded * pitch(rounded(columns, rows > 1 ? 1 : 32), .ub)
    let scales = (padded * columns + 31) / 32 + padded + alignment
    return 2 * (rows * pitch(2 * columns, .ub) + encoded + scales)
  }

  /// What does not fit, or `nil`.
  func overflow(_ plan: GemmSchedule) -> String? {
    let events = plan.inputStages.addingReportingOverflow(plan.otherStages)
    if let limit = machine.eventsPerPair {
      if events.overflow || events.partialValue > max(2, limit) {
        return "stages.input and stages.other need \(events.partialValue) event IDs, "
          + "the machine has \(limit) for a pair of queues"
      }
      if max(plan.feedStages, plan.accStages) > limit {
        return "stages.feed and stages.acc need \(max(plan.feedStages, plan.accStages)) event IDs, "
          + "the machine has \(limit) for a pair of queues"
      }
    }
    let (rows, columns) = (rows(plan), columns(plan))
    let input = rounded(chunk(plan, .input), 32)
    let other = rounded(chunk(plan, .other), 32)
    let depth = rounded(depth(plan), 32)
    let accBytes = machine.matrix.accumulator == .bf16 ? 2 : 4
    let leftRows = plan.isTransposed ? columns : rows
    let rightColumns = plan.isTransposed ? 1 : columns
    return excess(
      .l1, (plan.inputStages, pitch(input, .l1), rows),
      (plan.otherStages, pitch(n == 1 ? other : columns, .l1), n == 1 ? 1 : other))
      ?? excess(.left, (plan.feedStages, pitch(depth, .left), leftRows))
      ?? excess(.right, (plan.feedStages, pitch(rightColumns, .right), depth))
      ?? excess(.acc, (plan.accStages, pitch(rightColumns * accBytes, .acc), leftRows))
      ?? vectorOverflow(plan, input: input, other: other, columns: columns)
  }

  /// The vector unit's pieces of both operands against `ub`.
  private func vectorOverflow(
    _ plan: GemmSchedule, input: Int, other: Int, columns: Int
  ) -> String? {
    guard operands == .bf16 else { return nil }
    let pieces = pieces(plan)
    let piece = n == 1 ? (rows: 1, columns: other) : (rows: pieces.other, columns: columns)
    return excess(
      .ub, (pieces.input, pieceBytes(rows: 1, columns: input), 1),
      (1, pieceBytes(rows: piece.rows, columns: piece.columns), 1))
  }

  /// Whether buffers of (slots, bytes of a line, lines) exceed a memory. Extents and slots are at
  /// most 2^30 each, so the products are checked.
  private func excess(_ space: Space, _ a: (Int, Int, Int), _ b: (Int, Int, Int) = (0, 0, 0))
    -> String?
  {
    guard let capacity = machine[space].bytes else { return nil }
    func size(_ part: (Int, Int, Int)) -> Int? {
      let (area, isTooLarge) = part.1.multipliedReportingOverflow(by: part.2)
      let (bytes, isTooMany) = area.multipliedReportingOverflow(by: part.0)
      return isTooLarge || isTooMany || bytes > 1 << 60 ? nil : bytes
    }
    guard let first = size(a), let second = size(b) else {
      return "\(space.name) holds \(capacity) bytes, needed more than 2^60"
    }
    if first + second <= capacity { return nil }
    return "\(space.name) holds \(capacity) bytes, needed \(first + second)"
  }
}
