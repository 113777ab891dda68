extension FunctionalEngine {
  /// Executes a program in an explicit order: sources are read at a micro-op's read step, and its
  /// results reach memory at its write step.
  ///
  /// Steps of micro-ops that synchronise are ignored: the order is taken as it is. A result that a
  /// later micro-op of the queue forwards (``Access/forward`` on exactly the tile) is seen before its
  /// write step, and is not written once the later one's result is. Taps are taken at the write
  /// step.
  ///
  /// - Throws: `.program` as ``run(_:state:options:)`` does, and when a data micro-op is missing
  ///   from the order, named twice, or written before it is read.
  public static func run(
    _ program: Program, state: MachineState, order: [OrderStep],
    options: FunctionalOptions = .init()
  ) throws(NPUError) -> FunctionalResult {
    try program.checkExecutable(state)
    let shared = try ExecutionTables(program, progress: options.progress)
    var runs = program.cores.indices.map { OrderedRun(core: $0, state: state, shared: shared) }
    for step in order {
      let core = Int(step.core)
      let op = Int(step.op)
      guard runs.indices.contains(core), program.cores[core].indices.contains(op) else {
        throw NPUError(
          .program, "the order names core \(core) micro-op \(op), which the program does not have")
      }
      if program.cores[core][op].kind != .data { continue }
      switch step.kind {
      case .read: try runs[core].read(op, shared)
      case .write: try runs[core].write(op, shared)
      }
    }
    for run in runs { try run.checkComplete(program) }
    return FunctionalResult(
      taps: shared.recorder.tensorsSoFar(), numerics: NumericReport(runs.map(\.tally)))
  }
}

/// One core while it is executed in an explicit order.
private struct OrderedRun {
  private enum Progress: UInt8 {
    case none, read, written
  }

  private let core: Int
  private var datapath: Datapath
  private(set) var tally = NumericTally()
  private let marks: [UInt64]?
  private var progress: [Progress]
  /// Results between read and write step, oldest first: few at a time.
  private var pending: [Pending] = []

  private struct Pending {
    let op: Int
    var writes: StagedWrites
    /// The micro-op whose pending result it forwarded.
    let source: Int?
  }

  init(core: Int, state: MachineState, shared: ExecutionTables) {
    self.core = core
    datapath = state.datapath(core: core)
    let count = shared.program.cores[core].count
    marks = shared.recorder.marks(core: core, count: count)
    progress = Array(repeating: .none, count: count)
  }

  mutating func read(_ op: Int, _ shared: ExecutionTables) throws(NPUError) {
    guard progress[op] == .none else { throw misplaced(op, "is read twice", shared.program) }
    progress[op] = .read
    let record = shared.program.cores[core][op]
    datapath.forwarded = nil
    var source: Int?
    for k in 0..<Int(record.operandCount) where record.access(k).contains(.forward) {
      let tile = shared.program.tiles[Int(record.words[k])]
      guard record.access(k).isSuperset(of: .update) else {
        stream(behind: op, on: tile, shared.program)
        continue
      }
      let earlier = pending.last { earlier in
        earlier.op < op && shared.program.cores[core][earlier.op].queue == record.queue
          && earlier.writes.tiles.contains(tile)
      }
      datapath.forwarded = earlier?.writes
      source = earlier?.op
    }
    datapath.stage = StagedWrites()
    shared.execute(record, &datapath)
    if let fault = datapath.fault { throw shared.program.error(fault, core: core, op: op) }
    if datapath.health != tally.health { tally.note(datapath.health, op: op) }
    if let writes = datapath.stage {
      pending.append(Pending(op: op, writes: writes, source: source))
    }
    datapath.stage = nil
  }

  /// A micro-op that streams takes what those before it wrote to the very tile as it comes: for what
  /// it reads they have written it.
  private mutating func stream(behind op: Int, on tile: TileRef, _ program: Program) {
    let records = program.cores[core]
    for index in pending.indices where pending[index].op < op {
      let earlier = records[pending[index].op]
      guard earlier.queue == records[op].queue, earlier.forwardsResults,
        pending[index].writes.tiles.contains(tile)
      else { continue }
      datapath.commit(pending[index].writes)
      pending[index].writes = StagedWrites()
    }
  }

  mutating func write(_ op: Int, _ shared: ExecutionTables) throws(NPUError) {
    guard let index = pending.firstIndex(where: { $0.op == op }) else {
      throw misplaced(
        op, progress[op] == .none ? "is written before it is read" : "is written twice",
        shared.program)
    }
    progress[op] = .written
    datapath.commit(pending[index].writes)
    // A chain is one result: what it forwarded on the way must not overwrite its end.
    var link = pending[index].source
    while let earlier = link, let place = pending.firstIndex(where: { $0.op == earlier }) {
      link = pending[place].source
      pending[place].writes = StagedWrites()
    }
    pending.remove(at: index)
    if let marks, marks[op >> 6] >> UInt64(op & 63) & 1 == 1 {
      shared.recorder.record(core: core, op: op, datapath)
    }
  }

  func checkComplete(_ program: Program) throws(NPUError) {
    for (op, record) in program.cores[core].enumerated()
    where record.kind == .data && progress[op] != .written {
      throw misplaced(op, "is not both read and written", program)
    }
  }

  private func misplaced(_ op: Int, _ what: String, _ program: Program) -> NPUError {
    NPUError(
      .program, "in the given order \(program.describe(Finding.Site(core: core, op: op))) \(what)",
      hint: "name each data micro-op once for reading and later once for writing")
  }
}
