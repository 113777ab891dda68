/// Times programs: when each micro-op starts and ends, and what every queue's cycles went to.
///
/// Sees records, footprints and work; never a value.
public enum TimingEngine {
  /// Times `program` on its machine.
  ///
  /// Throws `.program` for a program with defects and for one that deadlocks (naming each blocked
  /// queue), `.configuration` for a machine whose tables are incomplete, `.limit` for a run that may
  /// take more than 2^59 cycles.
  public static func run(_ program: Program, _ options: TimingOptions = TimingOptions())
    throws(NPUError) -> TimingResult
  {
    if let defect = program.defects.first {
      throw NPUError(
        .program,
        "a program with \(program.defects.count) defects cannot be timed; the first: "
          + "\(defect.code.rawValue) \(defect.message)",
        hint: defect.fix)
    }
    let table = try PriceTable(program)
    guard program.works.count <= OpCode.largestIndex else {
      throw NPUError(
        .limit, "the program has \(program.works.count) amounts of work",
        hint: "at most \(OpCode.largestIndex) can be timed")
    }
    var timelines: [[OpInstants]] = []
    let counts = options.timeline ? program.cores.map(\.count) : []
    var result = try withRecords(program.cores) { lists throws(NPUError) in
      try withInstants(counts, &timelines) { instants throws(NPUError) in
        try (table.prices + [.synchronisation]).withUnsafeBufferPointer {
          prices throws(NPUError) in
          try program.tiles.withUnsafeBufferPointer { tiles throws(NPUError) in
            try program.machine.propagations.withUnsafeBufferPointer {
              propagations throws(NPUError) in
              try run(program, options, table, prices, propagations, lists, tiles, instants)
            }
          }
        }
      }
    }
    // The innermost list was done with first.
    if options.timeline { result.timeline = timelines.reversed() }
    return result
  }

  private static func run(
    _ program: Program, _ options: TimingOptions, _ table: PriceTable,
    _ prices: UnsafeBufferPointer<PriceTable.Price>, _ propagations: UnsafeBufferPointer<Int64>,
    _ lists: [UnsafeBufferPointer<OpRecord>], _ tiles: UnsafeBufferPointer<TileRef>,
    _ instants: [UnsafeMutablePointer<OpInstants>?]
  ) throws(NPUError) -> TimingResult {
    let machine = program.machine
    var censuses: [CoreCensus] = []
    for (core, list) in lists.enumerated() {
      censuses.append(try CoreCensus(list, core: core, of: program))
    }
    try checkLength(program, censuses, table)
    guard let priceBase = prices.baseAddress, let pairs = propagations.baseAddress else {
      throw NPUError(.program, "the program has no table of works")
    }
    var shared = CorePipeline.Shared(
      prices: priceBase, syncPrice: prices.count - 1,
      memory: MemorySystem(machine, isRecorded: options.timeline),
      footprints: FootprintCache(layout: TileLayout(program), tiles: tiles),
      isUncontended: options.uncontended, propagations: pairs,
      corePropagation: machine.eventPropagation,
      jitter: options.jitter.map { JitterSource($0) })
    let cores = UnsafeMutableBufferPointer<CorePipeline>.allocate(capacity: lists.count)
    for (core, list) in lists.enumerated() {
      (cores.baseAddress.unsafelyUnwrapped + core).initialize(
        to: CorePipeline(
          core: core, records: list, census: censuses[core],
          units: censuses[core].hasUnitFlags
            ? UnitChains(program.cores[core], tiles: program.tiles) : nil,
          machine: machine, options: options,
          instants: core < instants.count ? instants[core] : nil))
    }
    defer {
      for core in cores { core.deallocate() }
      cores.deinitialize()
      cores.deallocate()
    }
    drive(cores, &shared, barrierCost: machine.coreBarrier)
    try checkFinished(cores, program)
    return try result(cores, shared)
  }

  /// Lets each core advance as far as no other core can come before it at the HBM server.
  private static func drive(
    _ cores: UnsafeMutableBufferPointer<CorePipeline>, _ shared: inout CorePipeline.Shared,
    barrierCost: Int64
  ) {
    for core in cores.indices { cores[core].begin(&shared) }
    var agenda = CoreAgenda(cores: cores.count)
    var waiting = 0
    while let core = agenda.first {
      let (limit, limitCore) = agenda.second
      let next = cores[core].advance(&shared, limit: limit, limitCore: limitCore)
      if next < Int64.max { agenda.delayFirst(to: next) } else { agenda.removeFirst() }
      for woken in shared.firings.takeWoken() {
        cores[woken].catchUp(&shared)
        agenda.bringForward(woken)
      }
      guard next == Int64.max, cores[core].awaitsCores != nil else { continue }
      waiting += 1
      guard waiting == cores.count else { continue }
      let start = cores.reduce(0) { max($0, $1.awaitsCores ?? 0) } + barrierCost
      for core in cores.indices { cores[core].release(at: start) }
      agenda = CoreAgenda(cores: cores.count)
      waiting = 0
    }
  }

  /// Refuses runs whose instants might not fit.
  private static func checkLength(
    _ program: Program, _ censuses: [CoreCensus], _ table: PriceTable
  ) throws(NPUError) {
    let machine = program.machine
    var total: Int64 = 0
    let propagations = machine.propagations
    var overflow = (propagations.min() ?? 0) < 0 || machine.coreBarrier < 0
    func add(_ count: Int, _ cycles: Int64) {
      let (product, tooLarge) = Int64(count).multipliedReportingOverflow(by: cycles)
      let (sum, carried) = total.addingReportingOverflow(product)
      overflow = overflow || tooLarge || carried
      total = sum
    }
    add(program.opCount, table.longest)
    add(censuses.reduce(0) { $0 + $1.waits }, propagations.max() ?? 0)
    add(censuses.reduce(0) { $0 + $1.coreBarriers }, machine.coreBarrier)
    guard !overflow, total <= PriceTable.limit / JitterSource.largest else {
      throw NPUError(
        .limit, "the run may take more cycles than can be counted",
        hint: "use a shorter program, higher rates or lower latencies")
    }
  }

  private static func checkFinished(
    _ cores: UnsafeMutableBufferPointer<CorePipeline>, _ program: Program
  ) throws(NPUError) {
    if cores.allSatisfy(\.isFinished) { return }
    let lines = cores.flatMap { $0.blocked(program) }
    throw NPUError(
      .program, "the program deadlocks; blocked: \(lines.joined(separator: "; "))",
      hint: "check the program: the checker names the cycle or the missing set")
  }

  private static func result(
    _ cores: UnsafeMutableBufferPointer<CorePipeline>, _ shared: CorePipeline.Shared
  ) throws(NPUError) -> TimingResult {
    var timings: [CoreTiming] = []
    for core in cores {
      let cycles = (0..<Queue.count).reduce(core.sequencerFree) {
        max($0, core.queues[$1].latestVisible)
      }
      timings.append(CoreTiming(cycles: cycles, queues: []))
    }
    let cycles = timings.reduce(0) { max($0, $1.cycles) }
    for core in cores {
      for q in 0..<Queue.count {
        let queue = core.queues[q]
        var stalls = (0..<StallReason.count).map { queue.stalls[$0] }
        stalls[StallReason.drained.index] += cycles - queue.free
        let timing = QueueTiming(ops: queue.ops, busy: queue.busy, stalls: stalls)
        guard timing.busy + stalls.reduce(0, +) == cycles, stalls.allSatisfy({ $0 >= 0 }) else {
          throw NPUError(
            .internal,
            "core \(core.core) \(Queue.allCases[q].name): busy \(timing.busy) and stalls \(stalls) "
              + "do not add up to \(cycles) cycles")
        }
        timings[core.core].queues.append(timing)
      }
    }
    return TimingResult(
      cycles: cycles, cores: timings, timeline: nil, services: shared.memory.services)
  }

  /// Calls `body` with room for the instants of lists of `counts` micro-ops, and hands what it put
  /// there over in `timelines`, the last list first.
  private static func withInstants<Result>(
    _ counts: [Int], _ timelines: inout [[OpInstants]],
    _ known: [UnsafeMutablePointer<OpInstants>?] = [],
    _ body: ([UnsafeMutablePointer<OpInstants>?]) throws(NPUError) -> Result
  ) throws(NPUError) -> Result {
    if known.count == counts.count { return try body(known) }
    var list = [OpInstants](
      repeating: OpInstants(dispatch: 0, start: 0, free: 0, visible: 0),
      count: counts[known.count])
    let result = try list.withUnsafeMutableBufferPointer { room throws(NPUError) in
      try withInstants(counts, &timelines, known + [room.baseAddress], body)
    }
    timelines.append(list)
    return result
  }

  /// Calls `body` with the storage of every list.
  private static func withRecords<Result>(
    _ lists: [[OpRecord]], _ known: [UnsafeBufferPointer<OpRecord>] = [],
    _ body: ([UnsafeBufferPointer<OpRecord>]) throws(NPUError) -> Result
  ) throws(NPUError) -> Result {
    if known.count == lists.count { return try body(known) }
    return try lists[known.count].withUnsafeBufferPointer { list throws(NPUError) in
      try withRecords(lists, known + [list], body)
    }
  }
}
