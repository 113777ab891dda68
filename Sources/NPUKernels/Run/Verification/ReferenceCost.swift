import NPUSim

/// What evaluating a kernel's reference takes of memory, and how many threads may do it at once.
struct ReferenceCost {
  /// Bytes of an evaluated unit: its words and figures.
  let unit: Int
  /// Bytes of a thread that evaluates one, with its operands.
  let thread: Int
  /// Threads that evaluate at the same time.
  let threads: Int

  /// A unit on the way, as traced values of its stages, takes so many times what it gives.
  private static let workingCopies = 4
  /// What threads may take together, whatever they evaluate, unless a single one takes more.
  private static let allowance = 1 << 25

  init(_ kernel: any Kernel) {
    var unit = MemoryNeed()
    var tensors = MemoryNeed()
    for spec in kernel.tensors {
      tensors.add("", RunMemory.bytes(of: spec))
      guard spec.role != .input, spec.role != .index, kernel.referenceUnits > 0 else { continue }
      let elements = (spec.elements - 1) / kernel.referenceUnits + 1
      unit.add("", elements, times: spec.format.bytes + MemoryLayout<ErrorFigure>.stride)
    }
    var thread = MemoryNeed()
    thread.add("", unit.bytes, times: Self.workingCopies)
    thread.add("", kernel.operandBytes)
    self.unit = unit.bytes
    self.thread = thread.bytes
    // Large tensors may have some more.
    let budget = Self.allowance + min(tensors.bytes, 1 << 60) / 8
    threads = min(Processors.count, max(1, budget / max(1, thread.bytes)))
  }
}
