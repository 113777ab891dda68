import NPUSim

/// Looks for the fastest of some schedules, and of those a step away from fast ones, by timing the
/// programs that they make: in written order, or in the best that a glance finds.
struct TimedChoice<Plan: Hashable> {
  /// A schedule that was timed, and the steps from it that were not taken yet.
  private struct Place {
    let plan: Plan
    let cycles: Int64
    var steps: ArraySlice<Plan>?

    var isExhausted: Bool { steps?.isEmpty == true }
  }

  /// Micro-ops of the programs that are timed, beyond those of the first two.
  static var mostGiven: Int { 1 << 13 }
  /// Programs, from which on no step is taken.
  static var mostPrograms: Int { 40 }
  /// Schedules of which all steps are tried for nothing.
  static var mostVain: Int { 3 }

  private let sequence: (Plan) throws(NPUError) -> SequentialProgram
  private let order: QueueOrder
  private let mostStepped: Int
  private var known: Set<Plan> = []
  /// The fastest first; of a tie in the order in which they were timed.
  private var places: [Place] = []
  private var microOps = 0

  private init(
    in order: QueueOrder, steppingUpTo microOps: Int,
    _ sequence: @escaping (Plan) throws(NPUError) -> SequentialProgram
  ) {
    self.sequence = sequence
    self.order = order
    mostStepped = microOps
  }

  /// The fastest that is found; the first of all where none makes a program that can be timed.
  ///
  /// - Parameters:
  ///   - plans: the one that seems best first. Of a tie the first one stays.
  ///   - order: in which the program will run.
  ///   - microOps: of all programs, from which on no step is taken.
  ///   - steps: the schedules a step away from one.
  static func fastest(
    of plans: [Plan], in order: QueueOrder, steppingUpTo microOps: Int, steps: (Plan) -> [Plan],
    _ sequence: @escaping (Plan) throws(NPUError) -> SequentialProgram
  ) -> Plan? {
    var choice = TimedChoice(in: order, steppingUpTo: microOps, sequence)
    for (number, plan) in plans.enumerated() {
      if number > 1 && choice.microOps > mostGiven { break }
      choice.time(plan)
    }
    choice.explore(steps)
    return choice.places.first?.plan ?? plans.first
  }

  /// Times a schedule that was not timed before, unless even the fewest cycles that its program could
  /// take are as many as those of the fastest.
  private mutating func time(_ plan: Plan) {
    guard known.insert(plan).inserted else { return }
    do throws(NPUError) {
      let sequence = try sequence(plan)
      guard sequence.defects.isEmpty else { return }
      if let fastest = places.first?.cycles, try sequence.leastCycles() >= fastest { return }
      microOps += sequence.opCount
      guard let cycles = try cycles(sequence) else { return }
      let index = places.firstIndex { $0.cycles > cycles } ?? places.endIndex
      places.insert(Place(plan: plan, cycles: cycles), at: index)
    } catch {
      // A schedule without a program is not the fastest.
    }
  }

  /// What a program takes; `nil` where it cannot be timed.
  private func cycles(_ sequence: SequentialProgram) throws(NPUError) -> Int64? {
    switch order {
    case .found: try OrderSearch.glance(sequence, against: places.first?.cycles)
    case .written: try TimingEngine.run(sequence.lowered()).cycles
    }
  }

  /// Takes one step at a time, each from the fastest schedule that has one left.
  private mutating func explore(_ steps: (Plan) -> [Plan]) {
    while microOps < mostStepped, known.count < Self.mostPrograms,
      let index = places.firstIndex(where: { !$0.isExhausted }), index < Self.mostVain
    {
      if places[index].steps == nil { places[index].steps = steps(places[index].plan)[...] }
      if let plan = places[index].steps?.popFirst() { time(plan) }
    }
  }
}
