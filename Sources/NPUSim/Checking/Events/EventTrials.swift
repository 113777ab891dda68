/// Judges events and barriers by trying the program without them, where the sequencer takes part in
/// events: what it waits for is known to all queues, and no window ends that (see ``EventNeed``).
struct EventTrials {
  /// Micro-ops that are judged in all.
  private static let most = 1 << 24

  private let program: Program
  private var options: CheckOptions
  /// Sets that may come too early in the program as it is.
  private let reuses: Int

  /// `nil` for a program that ``EventNeed`` judges.
  init?(_ program: Program, _ options: CheckOptions) {
    let isOfSequencer = program.cores.contains { records in
      records.contains { $0.kind.isInSequencer || $0.kind.isBetweenCores }
    }
    guard isOfSequencer else {
      return nil
    }
    self.program = program
    self.options = options
    self.options.lints = false
    reuses = Self.reuses(Checker.check(program, self.options))
  }

  /// The events each of which alone can go.
  func redundant() -> [EventPair] {
    let pairs = program.eventPairs
    return isAffordable(pairs.count) ? pairs.filter { isClean(program.removing([$0])) } : []
  }

  /// Events that can go together, taken in program order; none of the rest can go alone.
  func removable() -> [EventPair] {
    var removed: [EventPair] = []
    var rest = program.eventPairs
    while isAffordable(rest.count) {
      let before = removed.count
      rest.removeAll { pair in
        guard isClean(program.removing(removed + [pair])) else { return false }
        removed.append(pair)
        return true
      }
      if removed.count == before { break }
    }
    return removed.sorted { ($0.core, $0.set) < ($1.core, $1.set) }
  }

  /// The barriers on one queue each of which alone can go.
  func redundantBarriers() -> [Finding.Site] {
    let sites = program.cores.enumerated().flatMap { core, records in
      records.indices.filter { records[$0].kind == .barrierQueue }
        .map { Finding.Site(core: core, op: $0) }
    }
    guard isAffordable(sites.count) else { return [] }
    return sites.filter { isClean(program.removingMicroOps([$0.op], core: $0.core)) }
  }

  private func isAffordable(_ trials: Int) -> Bool {
    !trials.multipliedReportingOverflow(by: program.opCount).overflow
      && trials * program.opCount <= Self.most
  }

  private func isClean(_ trial: Program) -> Bool {
    let result = Checker.check(trial, options)
    return result.isClean && Self.reuses(result) <= reuses
  }

  private static func reuses(_ result: CheckResult) -> Int {
    result.findings.reduce(0) { $0 + $1.reuses.count }
  }
}
