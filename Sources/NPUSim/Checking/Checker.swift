/// Judges the schedule of a program: races, uninitialised reads, events, deadlock, layout.
///
/// The judgement rests on the order that queues, events and barriers give, never on durations, so
/// that a clean verdict holds for every timing. See `docs/checking.md`.
public enum Checker {
  /// Micro-ops of a core that can be judged.
  static let largestCore = 1 << 29

  /// Judges a program. Never fails: a program that cannot be judged has findings that say why.
  ///
  /// Findings are gathered by the `lines` of the text that the program was made from; without them by
  /// mnemonic and scope.
  public static func check(
    _ program: Program, _ options: CheckOptions = CheckOptions(), lines: SourceLines? = nil
  ) -> CheckResult {
    var run = CheckRun(program, options, lines)
    return run.result()
  }

  /// The events each of which alone can be deleted (both its set and its wait) without any error
  /// appearing. Empty for a program that is not clean. Two of them may stand in for each other: see
  /// ``removableEvents(_:)``.
  public static func redundantEvents(
    _ program: Program, _ options: CheckOptions = CheckOptions()
  ) -> [EventPair] {
    guard check(program, options).isClean else { return [] }
    return EventTrials(program, options)?.redundant() ?? needs(program, options) { $0.redundant() }
  }

  /// Events that can all be deleted together without any error appearing, chosen in program order; no
  /// event that is left can go. Empty for a program that is not clean.
  public static func removableEvents(
    _ program: Program, _ options: CheckOptions = CheckOptions()
  ) -> [EventPair] {
    guard check(program, options).isClean else { return [] }
    return EventTrials(program, options)?.removable() ?? needs(program, options) { $0.removable() }
  }

  /// The barriers on one queue each of which alone can be deleted without any error appearing. Empty
  /// for a program that is not clean.
  public static func redundantBarriers(
    _ program: Program, _ options: CheckOptions = CheckOptions()
  ) -> [Finding.Site] {
    guard check(program, options).isClean else { return [] }
    if let trials = EventTrials(program, options) { return trials.redundantBarriers() }
    return needs(program, options) { need in
      need.redundantBarriers().map { Finding.Site(core: need.core, op: $0) }
    }
  }

  /// Judges the synchronisation of each core of a clean program.
  static func needs<Answer>(
    _ program: Program, _ options: CheckOptions, _ judge: (inout EventNeed) -> [Answer]
  ) -> [Answer] {
    let layout = TileLayout(program)
    let use = TileUse(program, layout: layout)
    guard let table = AtomTable(program, layout: layout, use: use, budget: options.budget) else {
      return []
    }
    let orders = OrderRecord.record(program, use)
    let dependences = DependenceRecord.record(program, use, table)
    return program.cores.indices.flatMap { core in
      var need = EventNeed(
        program, core: core, dependences: dependences[core], order: orders[core])
      return judge(&need)
    }
  }
}

/// One check in progress.
struct CheckRun {
  let program: Program
  let options: CheckOptions
  let layout: TileLayout
  private let lines: SourceLines?
  private var writer: FindingWriter
  private var findings: [Finding] = []
  private var outside: [String] = []
  private var races: [Race] = []
  private var raceCount = 0
  private var uninitialised: [UninitialisedRead] = []
  private var matchedEvents = 0

  init(_ program: Program, _ options: CheckOptions, _ lines: SourceLines?) {
    self.lines = lines
    self.program = program
    self.options = options
    layout = TileLayout(program)
    writer = FindingWriter(program, layout: layout)
  }

  mutating func result() -> CheckResult {
    findings = program.defects.map(writer.defect)
    let use = TileUse(program, layout: layout)
    findings += use.unsound.findings + use.overlaps
    if !use.unsound.isEmpty {
      outside.append("accesses of tiles that do not lie in a buffer of the core")
    }
    if use.unsound.isMalformed
      || program.cores.contains(where: { $0.count >= Checker.largestCore })
    {
      outside.append("order: a record names no tile, or a core has 2^29 micro-ops or more")
    } else {
      judgeOrder(use)
      findings += RoleJudgement(program, layout: layout, use: use, writer).findings()
    }
    let isClean = !findings.contains { $0.severity == .error }
    if options.lints && isClean { findings += lints(use) }
    return CheckResult(
      findings: sorted(folded()),
      proof: Proof(
        microOps: program.opCount, events: matchedEvents, barriers: use.barriers,
        cores: program.cores.count, isProved: isClean && outside.isEmpty, outside: outside),
      races: races, raceCount: raceCount,
      uninitialisedReads: uninitialised.map { .init(core: $0.core, op: $0.op) })
  }

  /// The P codes that need no timing.
  private mutating func lints(_ use: TileUse) -> [Finding] {
    guard let table = AtomTable(program, layout: layout, use: use, budget: options.budget) else {
      return []
    }
    let orders = OrderRecord.record(program, use)
    let dependences = DependenceRecord.record(program, use, table)
    var events: [EventPair] = []
    var removable: Set<EventPair> = []
    var barriers: [Finding.Site] = []
    var dead: [Finding.Site] = []
    let trials = EventTrials(program, options)
    if let trials {
      events = trials.redundant()
      barriers = trials.redundantBarriers()
      if !events.isEmpty { removable.formUnion(trials.removable()) }
    }
    for core in program.cores.indices {
      if trials == nil {
        var need = EventNeed(
          program, core: core, dependences: dependences[core], order: orders[core])
        let alone = need.redundant()
        events += alone
        barriers += need.redundantBarriers().map { Finding.Site(core: core, op: $0) }
        // Judged last, as it takes the events out one after the other.
        if !alone.isEmpty { removable.formUnion(need.removable()) }
      }
      dead += DeadStores(program, table: table).micros(core: core, order: orders[core])
        .map { Finding.Site(core: core, op: $0) }
    }
    let barrierLints = BarrierLints(program, writer)
    let layoutLints = LayoutLints(program, layout: layout, writer)
    let unfenced = program.machine.hbm.readAfterWrite == .event ? unfenced(table, use) : []
    return writer.redundant(events, together: removable) + barrierLints.redundant(barriers)
      + barrierLints.overWide()
      + layoutLints.unfilledBursts() + layoutLints.bankConflicts() + layoutLints.singleBuffers()
      + layoutLints.deadStores(dead) + writer.unreadParts(unreadSlots(table))
      + unfenced
  }

  private mutating func judgeOrder(_ use: TileUse) {
    guard let table = AtomTable(program, layout: layout, use: use, budget: options.budget) else {
      return outside.append("order: the tiles cut each other into too many pieces")
    }
    var order = ProgramOrder(program, use)
    let hasRace: Bool
    if use.hasCoreEvents {
      // The history of atoms knows of cores that meet at barriers only.
      var nobody = NoObserver()
      order.run(&nobody) { _, _, _ in }
      enumerate(table, use)
      hasRace = raceCount > 0
    } else {
      let (isRaced, reads) = table.withHistory(of: program, listsRaces: false) { history in
        order.run(&history) { history, core, phase in history.enter(core: core, phase: phase) }
        return (history.hasRace, history.uninitialised)
      }
      hasRace = isRaced
      uninitialised = reads
      if hasRace { enumerate(table, use) }
    }
    matchedEvents = order.walks.reduce(0) { $0 + $1.events.matched }
    matchedEvents += order.exchange?.matched ?? 0
    locate(races.flatMap { [$0.first, $0.second] })
    var unordered = writer.races(races, total: raceCount)
    // What a race leaves unwritten in some timings is mended with the race.
    let unwritten = uninitialised.filter { !$0.isRaced }
    locate(unwritten.map { .init(core: $0.core, op: $0.op) })
    unordered += writer.uninitialised(unwritten)
    if !unordered.isEmpty {
      // The lines of what it names are found first.
      let slots = unreadSlots(table)
      writer.blame(slots, for: &unordered)
    }
    findings += unordered
    findings += EventJudgement(program, writer, order, use).findings()
    findings += CoreEventJudgement(program, writer, order, use).findings()
    let reuses = ReuseJudgement(program, writer, order, use)?.findings() ?? []
    if reuses.contains(where: { $0.code == .S008 }) {
      outside.append("timings in which a set comes before the wait that makes room for it (S008)")
    }
    findings += reuses
    findings += DeadlockJudgement(program, writer, order).findings()
    let left = order.notExecuted
    // With a race, or a deadlock, there is no one order to judge lifetimes by.
    if !hasRace && left == 0 {
      findings += LifetimeJudgement(program, table: table, writer)
        .findings(OrderRecord.record(program, use))
      if program.machine.hbm.readAfterWrite == .fence {
        findings += unfenced(table, use)
      }
    }
    if left > 0 {
      outside.append("\(left.counted("micro-op")) that a deadlock keeps from ever executing")
    }
  }

  /// Reads of HBM bytes that a core wrote with no barrier on all queues in between.
  private mutating func unfenced(_ table: AtomTable, _ use: TileUse) -> [Finding] {
    let judgement = FenceJudgement(program, table: table)
    guard judgement.isNeeded else { return [] }
    let reads = judgement.reads(OrderRecord.record(program, use))
    locate(reads.flatMap { [$0.write, $0.read] })
    return writer.fences(reads)
  }

  /// Lists the races: every pair, or of each racing micro-op the latest ones that it races with where
  /// footprints have too many atoms for that.
  private mutating func enumerate(_ table: AtomTable, _ use: TileUse) {
    let exact =
      table.crowds.isEmpty
      ? table
      : AtomTable(
        program, layout: layout, use: use, budget: .exact(total: options.enumerationLimit))
    guard let exact else {
      if use.hasCoreEvents {
        return outside.append("order: the tiles cut each other into too many pieces")
      }
      let latest = LatestRaces(program, layout: layout, table: table, use)
      races = Array(latest.races.prefix(options.raceLimit))
      raceCount = latest.races.count
      uninitialised = latest.uninitialised
      outside.append("racing pairs beyond the latest ones of each micro-op")
      return
    }
    let orders = OrderRecord.record(program, use)
    let index = AccessIndex(program, table: exact, orders: orders)
    var enumeration = RaceEnumeration(
      program, table: exact, orders: orders, index: index, options: options)
    enumeration.run()
    races = enumeration.races
    raceCount = enumeration.count
    uninitialised = enumeration.uninitialised
    if enumeration.isTruncated {
      outside.append("racing pairs beyond the first \(options.enumerationLimit) looked at")
    }
  }

  private mutating func unreadSlots(_ table: AtomTable) -> [UnreadSlots.Slot] {
    let slots = UnreadSlots(program, table: table).slots(writer)
    locate(slots.flatMap { [$0.fill] + ($0.staleRead.map { [$0.site] } ?? []) })
    return slots
  }

  /// Finds the lines of micro-ops that findings name.
  private mutating func locate(_ sites: [Finding.Site]) {
    guard let lines else { return }
    let new = Set(sites).subtracting(writer.lines.keys)
    if !new.isEmpty { writer.lines.merge(lines.of(new)) { known, _ in known } }
  }

  /// The findings, those of further events of a line and of further cores folded.
  private mutating func folded() -> [Finding] {
    locate(EventFolding.sites(findings))
    findings = EventFolding.fold(findings, in: program, lines: writer.lines)
    if program.cores.count > 1 { locate(findings.flatMap(\.sites)) }
    return CoreFolding.fold(findings, in: program, lines: writer.lines)
  }

  /// Errors before the rest, and causes before what follows from them.
  private func sorted(_ findings: [Finding]) -> [Finding] {
    findings.enumerated().sorted {
      (Self.rank($0.element), $0.offset) < (Self.rank($1.element), $1.offset)
    }.map(\.element)
  }

  /// Operands decide what is ordered, events whether it is ordered, and a deadlock what ever runs.
  private static func rank(_ finding: Finding) -> Int {
    switch (finding.severity, finding.code) {
    case (.warning, _): 10
    case (.lint, _): 11
    case (_, .S001), (_, .S002), (_, .S003), (_, .S005), (_, .S007): 1
    case (_, .D001), (_, .D002), (_, .D003): 2
    case (_, .H001), (_, .H002), (_, .H003): 3
    case (_, .I001), (_, .I002), (_, .I003): 4
    case (_, .S004): 5
    case (_, .M004): 6
    default: 0
    }
  }
}
