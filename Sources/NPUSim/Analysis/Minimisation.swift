/// The synchronisation that a clean program does without, and what leaving it out gains.
public struct Minimisation: Sendable {
  /// Events or barriers between the same queues in the same scopes.
  public struct Group: Sendable {
    /// What goes, in words: `load->vector` or `barrier on vector`.
    public var what: String
    public var count: Int
    /// The first of them, one line a micro-op.
    public var sites: [String]
  }

  /// Barriers that are tried one by one; each costs a check of the whole program.
  static let mostBarriers = 64

  /// Events of the program, and those that can all go together.
  public var events: Int
  public var removedEvents: Int
  /// Barriers of the program, and those that can go with them.
  public var barriers: Int
  public var removedBarriers: Int
  public var groups: [Group]
  /// Cycles before and after; `nil` where the program was not timed.
  public var cyclesBefore: Int64?
  public var cyclesAfter: Int64?
}

extension Minimisation {
  /// Minimises a clean program; one that is not clean keeps everything.
  ///
  /// - Returns: what goes, and the program without it.
  public static func of(
    _ program: Program
  ) throws(NPUError) -> (minimisation: Minimisation, minimal: Program) {
    let pairs = Checker.removableEvents(program)
    var rest = program.removing(pairs)
    var gone: [Finding.Site] = []
    for site in Checker.redundantBarriers(rest).reversed().prefix(mostBarriers) {
      // From the end on, so that the places before it stay.
      let without = rest.applying([.remove(core: site.core, ops: [site.op])])
      guard Checker.check(without).isClean else { continue }
      gone.append(site)
      rest = without
    }
    var result = Minimisation(
      events: program.eventPairs.count, removedEvents: pairs.count,
      barriers: program.cores.reduce(0) { $0 + $1.count { $0.kind == .barrierQueue } },
      removedBarriers: gone.count, groups: groups(pairs, program))
    if let first = gone.last {
      result.groups.append(
        Group(what: "barrier", count: gone.count, sites: [program.removing(pairs).line(first)]))
    }
    guard program.defects.isEmpty else { return (result, rest) }
    let before = try TimingEngine.run(program).cycles
    result.cyclesBefore = before
    result.cyclesAfter =
      gone.isEmpty && pairs.isEmpty ? before : try TimingEngine.run(rest).cycles
    return (result, rest)
  }

  private static func groups(_ pairs: [EventPair], _ program: Program) -> [Group] {
    struct Key: Hashable {
      var queues: Int
      var labels: [UInt32]
    }
    var places: [Key: Int] = [:]
    var result: [Group] = []
    for pair in pairs {
      let records = program.cores[pair.core]
      let labels = [pair.set, pair.wait].map { program.scopes[Int(records[$0].scope)].label }
      let key = Key(queues: pair.event.pair, labels: labels)
      if let place = places[key] {
        result[place].count += 1
        continue
      }
      places[key] = result.count
      result.append(
        Group(
          what: "\(pair.event.source.name)->\(pair.event.target.name)", count: 1,
          sites: [pair.set, pair.wait].map { program.line(.init(core: pair.core, op: $0)) }))
    }
    return result
  }
}
