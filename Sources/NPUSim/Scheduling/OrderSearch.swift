/// Looks for the order in which the micro-ops of a program take the fewest cycles.
///
/// Rules of ``ListScheduler`` each make an order of every core; each order gets its events, and is
/// timed exactly. The fastest stands, written order among them; of equals the first. How many rules
/// are tried depends on the number of micro-ops alone.
public struct OrderSearch: ~Copyable {
  /// One order that was tried.
  private struct Trial: Sendable {
    var rule: OrderRule
    var orders: [[UInt32]?]
    /// `nil` where it cannot be timed.
    var cycles: Int64?
  }

  private let program: SequentialProgram
  /// What events have to order.
  private let graphs: ConflictGraphs
  /// `nil` for those that are kept as written.
  private let cores: [CoreModel?]
  /// For each core the first that is like it: they share their orders.
  private let alike: [Int]
  private let budget: RuleBudget
  /// The fastest so far, `nil` before one was timed, and its orders; `nil` of the written one.
  private var standing: FoundOrder?
  private var best: [[UInt32]?]?
  /// Digests of orders that were tried: what has the digest of another is taken for it.
  private var known: Set<UInt64> = []
  /// Every one, where that is asked for.
  private var trials: [Trial]?
  private var cost = SearchCost(rules: 0, bytes: 0)

  /// Looks for the order of a program.
  ///
  /// - Parameter threads: how many rules are tried at a time; nothing else depends on it.
  /// - Throws: what keeps the program in written order from being timed, other than defects.
  public static func run(
    _ program: SequentialProgram, threads: Int = min(2, Processors.count)
  ) throws(NPUError) -> FoundOrder {
    let graphs = ConflictGraphs(program)
    let written = try written(program, graphs)
    guard written.cycles != nil else { return written }
    var search = try OrderSearch(program, graphs, from: consume written, threads: threads)
    search.tryRules()
    guard var found = search.standing else { return try Self.written(program, graphs) }
    found.search = search.cost
    return found
  }

  /// What a program takes in the better order of the two rules that gain most, written order aside:
  /// enough to tell it from another. `nil` where it has defects.
  ///
  /// - Parameter cycles: what another program takes. The second rule is left out where the first one
  ///   takes an eighth more.
  /// - Throws: what keeps the program from being timed, other than defects.
  public static func glance(
    _ program: SequentialProgram, against cycles: Int64? = nil
  ) throws(NPUError) -> Int64? {
    guard program.defects.isEmpty && program.tables.exceededLimit == nil else { return nil }
    let graphs = ConflictGraphs(program)
    var search = try OrderSearch(program, graphs, .glance, threads: 1)
    for rule in search.budget.rules {
      search.tryTogether([rule], nil)
      if let found = search.standing?.cycles, let cycles, found / 9 > cycles / 8 { break }
    }
    if let found = search.standing { return found.cycles }
    // Where sums might not fit, no rule makes an order.
    return try written(program, graphs).cycles
  }

  /// Every order that is tried besides the written one, whatever it takes.
  public static func all(
    _ program: SequentialProgram, threads: Int = min(2, Processors.count)
  ) throws(NPUError) -> [FoundOrder] {
    let graphs = ConflictGraphs(program)
    let written = try written(program, graphs)
    guard written.cycles != nil else { return [] }
    var search = try OrderSearch(program, graphs, from: written, threads: threads)
    search.trials = []
    search.tryRules()
    return (search.trials ?? []).map { trial in
      let lowered = program.lowered(in: trial.orders, graphs)
      return FoundOrder(
        program: lowered.program, places: lowered.places, rule: trial.rule,
        writtenCycles: written.cycles, cycles: trial.cycles)
    }
  }

  /// The written order, without cycles where it has defects.
  private static func written(
    _ program: SequentialProgram, _ graphs: ConflictGraphs
  ) throws(NPUError) -> FoundOrder {
    let lowered = program.lowered(in: program.writtenOrders, graphs)
    var written = FoundOrder(program: lowered.program, places: lowered.places)
    if lowered.program.defects.isEmpty && lowered.program.exceededLimit == nil {
      written.cycles = try TimingEngine.run(lowered.program).cycles
      written.writtenCycles = written.cycles
    }
    return written
  }

  /// Models each core. Where sums of cycles might not fit, nothing is to be tried.
  ///
  /// - Parameters:
  ///   - written: the written order, where that was timed.
  ///   - budget: `nil` for what the length of the program allows.
  private init(
    _ program: SequentialProgram, _ graphs: ConflictGraphs, from written: FoundOrder? = nil,
    _ budget: RuleBudget? = nil, threads: Int
  ) throws(NPUError) {
    standing = written
    if written != nil { known.insert(Self.digest(program.writtenOrders)) }
    let microOps = program.opCount
    self.program = program
    self.graphs = graphs
    let sharers = (0..<program.coreCount).count { !program.records(ofCore: $0).isEmpty }
    guard let prices = try PriceTable(program, sharers: sharers, microOps) else {
      (cores, alike, self.budget) = ([], [], .none)
      return
    }
    self.budget =
      budget
      ?? RuleBudget(
        microOps: microOps, sharesHBM: sharers > 1, threads: threads)
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
  }

  /// Tries rules as far as the budget goes: first those that know nothing, then those that go on from
  /// the best so far.
  private mutating func tryRules() {
    tryAll(budget.rules)
    for _ in 0..<budget.rounds {
      let before = standing?.cycles
      tryAll(budget.improvements)
      if standing?.cycles == before { break }
    }
  }

  /// Tries some rules, several at a time.
  private mutating func tryAll(_ rules: [OrderRule]) {
    let base = best
    for first in stride(from: 0, to: rules.count, by: budget.threads) {
      tryTogether(Array(rules[first..<min(first + budget.threads, rules.count)]), base)
    }
  }

  private mutating func tryTogether(_ rules: [OrderRule], _ base: [[UInt32]?]?) {
    let made = Concurrent.map(rules, threads: budget.threads) { [cores, alike] rule in
      Self.orders(rule, cores, alike, base)
    }
    var fresh: [Trial] = []
    for (rule, made) in zip(rules, made) where known.insert(Self.digest(made.orders)).inserted {
      fresh.append(Trial(rule: rule, orders: made.orders))
    }
    let limit = standing?.cycles ?? .max
    let timed = Concurrent.map(fresh, threads: budget.threads) { [program, graphs] trial in
      Self.time(trial, program, graphs, limit)
    }
    cost.rules += rules.count
    cost.bytes = max(
      cost.bytes,
      heldBytes + max(made.reduce(0) { $0 + $1.bytes }, timed.reduce(0) { $0 + $1.bytes }))
    for (trial, lowered, _) in timed {
      trials?.append(trial)
      guard let lowered, let cycles = trial.cycles, cycles < standing?.cycles ?? .max else {
        continue
      }
      standing = FoundOrder(
        program: lowered.program, places: lowered.places, rule: trial.rule,
        writtenCycles: standing?.writtenCycles, cycles: cycles)
      best = trial.orders
    }
  }

  /// FNV-1a over the places.
  private static func digest(_ orders: [[UInt32]?]) -> UInt64 {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ value: UInt32) { digest = (digest ^ UInt64(value)) &* 0x100_0000_01b3 }
    for order in orders {
      add(order.map { UInt32(truncatingIfNeeded: $0.count) } ?? .max)
      for place in order ?? [] { add(place) }
    }
    return digest
  }

  /// Bytes of what is held from rule to rule.
  private var heldBytes: Int {
    let models = cores.reduce(0) { $0 + ($1?.storageBytes ?? 0) }
    let order = (best ?? []).reduce(0) { $0 + ($1?.storageBytes ?? 0) }
    return graphs.storageBytes + models + order
  }

  /// Times an order; the program comes back where it takes fewer than `limit` cycles, and how many
  /// bytes it took to make.
  private static func time(
    _ trial: Trial, _ program: SequentialProgram, _ graphs: ConflictGraphs, _ limit: Int64
  ) -> (trial: Trial, lowered: SequentialProgram.Lowered?, bytes: Int) {
    let lowered = program.lowered(in: trial.orders, graphs)
    let bytes = lowered.storageBytes + lowered.workingBytes
    guard lowered.program.defects.isEmpty,
      let cycles = try? TimingEngine.run(lowered.program).cycles
    else { return (trial, nil, bytes) }
    var trial = trial
    trial.cycles = cycles
    return (trial, cycles < limit ? lowered : nil, bytes)
  }

  /// The order of every core by a rule, and the most bytes that it took to make the order of one.
  private static func orders(
    _ rule: OrderRule, _ cores: [CoreModel?], _ alike: [Int], _ base: [[UInt32]?]?
  ) -> (orders: [[UInt32]?], bytes: Int) {
    var result: [[UInt32]?] = []
    var bytes = 0
    for (core, model) in cores.enumerated() {
      guard let model else {
        result.append(alike[core] == core ? nil : result[alike[core]])
        continue
      }
      var priorities: [Int64] = []
      switch rule.priority {
      case .written: priorities = model.records.indices.map { Int64(-$0) }
      case .longestPath: priorities = model.tails(rule.hbm)
      case .improved: priorities = model.tails(rule.hbm, in: base?[core] ?? model.writtenOrder)
      }
      var scheduler = ListScheduler(model, rule, priorities: priorities)
      scheduler.run()
      bytes = max(bytes, scheduler.storageBytes)
      result.append(scheduler.order)
    }
    return (result, bytes)
  }
}

extension SequentialProgram {
  /// Every core as it was written.
  fileprivate var writtenOrders: [[UInt32]?] { [[UInt32]?](repeating: nil, count: coreCount) }
}

extension PriceTable {
  /// `nil` where sums of cycles of so many micro-ops might not fit.
  fileprivate init?(
    _ program: SequentialProgram, sharers: Int, _ microOps: Int
  ) throws(NPUError) {
    try self.init(program.tables)
    let crossing = program.tables.machine.propagations.max() ?? 0
    if !canAdd(microOps, sharers: sharers, crossing: crossing) { return nil }
  }

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
