import NPUSim

// MARK: Schedule

extension CompressEpilog {
  /// The micro-op program for a slot mapping: the rows that are written, in contiguous ranges over the
  /// cores, so that no two cores write one slot. Slots that do not exist become a defect of it.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let mapping = indices["slot_mapping"]
    guard mapping.count == tokens else {
      throw NPUError(
        .tensor, "slot_mapping has \(mapping.count) elements, needed \(tokens): one a row of x")
    }
    let binding = SlotBinding(mapping, slots: slots)
    let moves = ordered(binding.moves)
    p.indexList(mapping, named: "slot_mapping")
    let tensors = try CompressEpilogTensors(self, moves, &p)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let share = WorkSplit.range(moves.count, core: core, of: machine.cores)
      if share.isEmpty { continue }
      var stream = try CompressEpilogCore(self, tensors: tensors, &p)
      stream.emit(share, &p)
    }
    if let defect = binding.defect { p.report(defect) }
  }

  /// The moves in the order of the schedule; they come by slot.
  private func ordered(_ moves: [SlotBinding.Move]) -> [SlotBinding.Move] {
    if plan.order == .bySlot { return moves }
    let byRow = moves.sorted { $0.row < $1.row }
    if plan.order == .byRow { return byRow }
    let traffic = SlotTraffic(burst: max(1, machine.hbm.burst), tileRows: plan.tileRows)
    func bursts(_ moves: [SlotBinding.Move]) -> Int {
      traffic.bursts(moves.map(\.row), bytes: [2 * columns])
        + traffic.bursts(moves.map(\.slot), bytes: [columns, blocks * scales.bytes])
    }
    return bursts(byRow) < bursts(moves) ? byRow : moves
  }
}

/// The HBM tensors and the bound rows of the program.
struct CompressEpilogTensors {
  let x: BufferHandle<HBM>
  let cache: BufferHandle<HBM>
  let scale: BufferHandle<HBM>
  let moves: [SlotBinding.Move]
  /// Rows of x and slots of the cache, in the order of the moves.
  let rowList: UInt32
  let slotList: UInt32

  init(_ kernel: CompressEpilog, _ moves: [SlotBinding.Move], _ p: inout ProgramBuilder)
    throws(NPUError)
  {
    self.moves = moves
    x = try p.tensor(
      "x", kernel.input, rows: kernel.tokens, columns: kernel.columns, role: .input)
    cache = try p.tensor(
      "cache", kernel.codes, rows: kernel.slots, columns: kernel.columns, role: .inputOutput)
    scale = try p.tensor(
      "scale", kernel.scales, rows: kernel.slots, columns: kernel.blocks, role: .inputOutput)
    rowList = p.indexList(moves.map(\.row))
    slotList = p.indexList(moves.map(\.slot))
  }

  /// Whether the rows of x in a range of moves lie one after the other.
  func isContiguous(_ range: Range<Int>) -> Bool {
    range.dropFirst().allSatisfy { moves[$0].row == moves[$0 - 1].row + 1 }
  }
}
