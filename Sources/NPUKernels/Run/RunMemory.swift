import NPUSim

/// What a run takes of memory, judged before it takes it. Everything whose size a shape or a text
/// decides passes here: inputs, the memories of the machine, taps, dumps, the reference, the program.
///
/// docs/limits.md states what each is counted as.
enum RunMemory {
  /// What any run takes beside what its shape decides.
  private static let base = 32 << 20
  /// Of a micro-op, with its share of the tables, of the order and of the timing.
  private static let microOpBytes = 160
  /// The same in a check, where programs are larger: overlapping tiles are judged.
  private static let checkedBytes = 200

  /// What the tensors of a kernel take, with no program yet.
  static func need(of kernel: any Kernel, _ request: RunRequest) -> MemoryNeed {
    var need = MemoryNeed()
    need.add("the run itself", base)
    guard request.plan >= .values else { return need }
    for spec in kernel.tensors {
      let bytes = bytes(of: spec)
      switch spec.role {
      case .index: need.add("index tensors", bytes, times: 2)
      case .intermediate:
        // Collected with a bit a byte, then copied.
        need.add("taps", withBits(bytes))
        need.add("taps", bytes)
      case .input: need.add("inputs", bytes)
      case .updated, .output:
        if spec.role == .updated { need.add("inputs", bytes) }
        need.add("HBM", withBits(bytes), times: request.jitterRuns > 0 ? 2 : 1)
        need.add("dumps", bytes)
      }
    }
    addReference(of: kernel, request, to: &need)
    return need
  }

  /// What the reference takes: what it keeps, the units that were evaluated ahead of the comparison,
  /// and of each thread its operands and the unit that it is at.
  private static func addReference(
    of kernel: any Kernel, _ request: RunRequest, to need: inout MemoryNeed
  ) {
    let units = Verifier.unitCount(of: kernel, request.verification)
    guard units > 0 else { return }
    let cost = ReferenceCost(kernel)
    need.add("the reference", units, times: MemoryLayout<Int>.stride)
    need.add("the reference", kernel.referenceBytes)
    need.add("the reference", cost.thread, times: min(units, cost.threads))
    let (ahead, isOver) = cost.unit.multipliedReportingOverflow(by: units)
    need.add("the reference", min(isOver ? .max : ahead, ReferenceAhead.mostBytes))
  }

  /// What a run of a program takes.
  static func need(
    of kernel: any Kernel, _ program: Program, _ request: RunRequest
  ) -> MemoryNeed {
    var need = need(of: kernel, request)
    need.add(
      "the program", program.opCount,
      times: request.plan < .timing ? checkedBytes : microOpBytes)
    need.add("events between cores", program.exchangeBytes)
    guard request.plan >= .values else { return need }
    var ends: [Int: Int] = [:]
    var named = Set(kernel.tensors.map(\.name))
    for buffer in program.buffers {
      guard buffer.space.isOnChip else {
        // Memory of the program's own; what has a name is counted already.
        if named.insert(buffer.name).inserted {
          need.add("HBM", withBits(buffer.payloadExtent + buffer.scaleExtent))
        }
        continue
      }
      let key = Int(buffer.core) * Space.allCases.count + Int(buffer.space.rawValue)
      let end = buffer.base.addingReportingOverflow(buffer.payloadExtent)
      ends[key] = max(ends[key] ?? 0, end.overflow ? .max : end.partialValue)
      need.add("memories on chip", withBits(buffer.scaleExtent))
    }
    for end in ends.values { need.add("memories on chip", withBits(end)) }
    return need
  }

  /// What the tensors of files take beside the words that a run is given.
  static func need(
    of kernel: any Kernel, _ plan: InputPlan?, _ expect: TensorSource?
  ) -> MemoryNeed {
    var need = MemoryNeed()
    plan?.addConversions(to: &need)
    if let expect { ExpectedTensors.add(kernel.tensors, from: expect, to: &need) }
    return need
  }

  /// Bytes with a bit for each that says whether it was written.
  private static func withBits(_ bytes: Int) -> Int {
    let (sum, isOver) = bytes.addingReportingOverflow(bytes / 8)
    return isOver ? .max : sum
  }

  /// The bytes of a tensor, scales included.
  static func bytes(of spec: TensorSpec) -> Int {
    var elements = 1
    for dimension in spec.shape {
      let (product, isOver) = elements.multipliedReportingOverflow(by: max(0, dimension))
      if isOver { return .max }
      elements = product
    }
    let (payload, isOver) = elements.multipliedReportingOverflow(by: spec.format.bytes)
    guard !isOver, spec.format == .mxint8 else { return isOver ? .max : payload }
    let across = spec.shape.isEmpty ? 1 : max(1, spec.shape[spec.shape.count + spec.fileAxis])
    // As many lines across the block axis, each with a scale for 32 elements.
    let (sum, isLarge) = payload.addingReportingOverflow(elements / across * ((across + 31) / 32))
    return isLarge ? .max : sum
  }
}
