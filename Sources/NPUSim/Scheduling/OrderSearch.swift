/// Looks for the order in which the micro-ops of a program take the fewest cycles.
///
/// Rules of ``ListScheduler`` each make an order of every core; each order gets its events, and is
/// timed exactly. The fastest stands, written order among them; of equals the first. How many rules
/// are tried depends on the number of micro-ops alone.
public struct OrderSearch: ~Copyable {
  /// How much is tried.
  public enum Effort: Sendable, Hashable {
    /// The few rules that gain most: what a program takes is told from another, whichever is kept.
    case glance
    /// As many rules as the length of the program allows.
    case whole
  }

  /// One order that was tried.
  struct Trial: Sendable {
    var rule: OrderRule
    var orders: [[UInt32]?]
    /// `nil` where it cannot be timed.
    var cycles: Int64?
    /// The program, where it is faster than what was known before.
    var lowered: SequentialProgram.Lowered?
  }

  private let program: SequentialProgram
  /// What events have to order.
  private let graphs: ConflictGraphs
  private let threads: Int
  /// `nil` for those that are kept as written.
  private let cores: [CoreModel?]
  /// For each core the first that is like it: they share their orders.
  private let alike: [Int]
  private let budget: RuleBudget
  private var best: Trial?
  /// Cycles of the best order so far.
  private var cycles: Int64
  /// Orders that were tried, the written one among them.
  private var known: Set<[[UInt32]?]> = []
  private var trials: [Trial] = []

  /// Looks for the order of a program.
  ///
  /// - Parameter threads: how many rules are tried at a time; nothing else depends on it.
  /// - Throws: what keeps the program in written order from being timed, other than defects.
  public static func run(
    _ program: SequentialProgram, effort: Effort = .whole,
    threads: Int = min(2, Processors.count)
  ) throws(NPUError) -> FoundOrder {
    let graphs = ConflictGraphs(program)
    let written = program.lowered(in: program.writtenOrders, graphs)
    var found = FoundOrder(program: written.program, places: written.places)
    guard written.program.defects.isEmpty, written.program.exceededLimit == nil else {
      return found
    }
    let cycles = try TimingEngine.run(written.program).cycles
    found.writtenCycles = cycles
    found.cycles = cycles
    guard
      var search = try OrderSearch(
        program, graphs, effort, writtenCycles: cycles, threads: threads)
    else {
      return found
    }
    search.tryRules()
    if let best = search.best, let lowered = best.lowered {
      found.program = lowered.program
      found.places = lowered.places
      found.rule = best.rule
      found.cycles = best.cycles
    }
    return found
  }

  /// Every order that is tried, whatever it takes.
  public static func all(
    _ program: SequentialProgram, threads: Int = min(2, Processors.count)
  ) throws(NPUError) -> [FoundOrder] {
    let graphs = ConflictGraphs(program)
    let written = program.lowered(in: program.writtenOrders, graphs).program
    guard written.defects.isEmpty, written.exceededLimit == nil else { return [] }
    let cycles = try TimingEngine.run(written).cycles
    guard
      var search = try OrderSearch(
        program, graphs, .whole, writtenCycles: cycles, threads: threads)
    else {
      return []
    }
    search.tryRules()
    return search.trials.map { trial in
      let lowered = program.lowered(in: trial.orders, graphs)
      return FoundOrder(
        program: lowered.program, places: lowered.places, rule: trial.rule, writtenCycles: cycles,
        cycles: trial.cycles)
    }
  }

  /// `nil` where sums of cycles might not fit.
  private init?(
    _ program: SequentialProgram, _ graphs: ConflictGraphs, _ effort: Effort,
    writtenCycles: Int64, threads: Int
  ) throws(NPUError) {
    let prices = try PriceTable(program.tables)
    let lengths = (0..<program.coreCount).map { program.records(ofCore: $0).count }
    let sharers = lengths.count { $0 > 0 }
    guard
      prices.canAdd(
        lengths.reduce(0, +), sharers: sharers,
        crossing: program.tables.machine.eventPropagation)
    else { return nil }
    self.program = program
    self.graphs = graphs
    self.threads = threads
    cycles = writtenCycles
    let ordered = graphs.withTaps(of: program)
    var cores: [CoreModel?] = []
    var alike: [Int] = []
    for core in 0..<program.coreCount {
      guard let graph = ordered[core] else {
        cores.append(nil)
        alike.append(core)
        continue
      }
      let records = program.records(ofCore: core)
      let twin = cores.firstIndex { $0?.isLike(records, graph) ?? false }
      alike.append(twin ?? core)
      cores.append(
        twin == nil
          ? CoreModel(records, graph, prices, program.tables.machine, sharers: sharers) : nil)
    }
    self.cores = cores
    self.alike = alike
    budget = RuleBudget(microOps: lengths.reduce(0, +), effort)
    known.insert(program.writtenOrders)
  }

  /// Tries rules as far as the budget goes: first those that know nothing, then those that go on from
  /// the best so far.
  private mutating func tryRules() {
    tryAll(budget.rules)
    for _ in 0..<budget.rounds {
      let before = cycles
      tryAll(budget.improvements)
      if cycles == before { break }
    }
  }

  /// Tries some rules, several at a time.
  private mutating func tryAll(_ rules: [OrderRule]) {
    let base = best?.orders
    let orders = Concurrent.map(rules, threads: threads) { [cores, alike] rule in
      Self.orders(rule, cores, alike, base)
    }
    var fresh: [Trial] = []
    for (rule, orders) in zip(rules, orders) where known.insert(orders).inserted {
      fresh.append(Trial(rule: rule, orders: orders))
    }
    let timed = Concurrent.map(fresh, threads: threads) { [program, graphs, cycles] trial in
      let lowered = program.lowered(in: trial.orders, graphs)
      guard lowered.program.defects.isEmpty,
        let own = try? TimingEngine.run(lowered.program).cycles
      else { return trial }
      var trial = trial
      trial.cycles = own
      if own < cycles { trial.lowered = lowered }
      return trial
    }
    for var trial in timed {
      if let cycles = trial.cycles, cycles < self.cycles {
        self.cycles = cycles
        best = trial
      }
      trial.lowered = nil
      trials.append(trial)
    }
  }

  /// The order of every core by a rule.
  private static func orders(
    _ rule: OrderRule, _ cores: [CoreModel?], _ alike: [Int], _ base: [[UInt32]?]?
  ) -> [[UInt32]?] {
    var result: [[UInt32]?] = []
    for (core, model) in cores.enumerated() {
      guard let model else {
        result.append(alike[core] == core ? nil : result[alike[core]])
        continue
      }
      var priorities: [Int64] = []
      switch rule.priority {
      case .written: priorities = model.records.indices.map { Int64(-$0) }
      case .longestPath: priorities = model.tails()
      case .improved: priorities = model.tails(in: base?[core] ?? model.writtenOrder)
      }
      var scheduler = ListScheduler(model, rule, priorities: priorities)
      scheduler.run()
      result.append(scheduler.order)
    }
    return result
  }
}

extension SequentialProgram {
  /// Every core as it was written.
  fileprivate var writtenOrders: [[UInt32]?] { [[UInt32]?](repeating: nil, count: coreCount) }
}

extension PriceTable {
  /// Whether the sum over so many micro-ops fits, each with the longest price of all as `sharers`
  /// cores have it, and `crossing` cycles.
  fileprivate func canAdd(_ count: Int, sharers: Int, crossing: Int64) -> Bool {
    let (each, tooLong) = longest.multipliedReportingOverflow(by: Int64(max(1, sharers)))
    let (step, carried) = each.addingReportingOverflow(crossing)
    let (rounded, overflow) = step.addingReportingOverflow(8)
    let (sum, tooMany) = rounded.multipliedReportingOverflow(by: Int64(max(1, count)))
    return !tooLong && !carried && !overflow && !tooMany && sum <= Self.limit
  }
}

extension CoreModel {
  fileprivate var writtenOrder: [UInt32] { [UInt32](0..<UInt32(records.count)) }
}
