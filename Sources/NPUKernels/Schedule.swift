import NPUSim

/// What a schedule is chosen for: a shape of a kernel on a machine.
protocol ScheduleProblem {
  /// What messages call the kernel.
  var kernel: String { get }
  var machine: MachineConfiguration { get }
  /// What may help where no schedule fits.
  var remedy: String { get }
}

/// What shapes a kernel's program beside its shape and the machine: numbers, each of them a field
/// that is declared once.
///
/// The program is a function of (shape, machine, line of the fields). Whatever looks at what a memory
/// has room for is the rule of a field, and nothing that emits or lays out.
protocol Schedule: Sendable, Hashable {
  associatedtype Problem: ScheduleProblem
  /// What decides which fields there are.
  associatedtype Kind = Void

  /// Every field of its own, in the order of the line; ``queueOrder`` is one of all.
  static var parameters: [ScheduleParameter<Self>] { get }

  /// Whether a better order than the written one is looked for.
  var queueOrder: QueueOrder { get set }

  static func kind(of problem: Problem) -> Kind

  /// What needs the least of every memory.
  static func smallest(_ problem: Problem) -> Self

  /// A dozen of schedules that fit, the one that seems best first; none where nothing fits. Where there is
  /// one, it is not timed. Only fields that others start from look at what is given.
  ///
  /// Words depend on none of the fields in which they differ.
  static func candidates(
    for problem: Problem, given: ScheduleText.Given
  ) throws(NPUError) -> [Self]

  /// About how many micro-ops the program of the schedule has; 0 where that is not known to be many.
  func microOps(_ problem: Problem) -> Double

  /// Micro-ops of the programs that are timed for a choice, from which on no schedule is tried that is a
  /// step away from a fast one.
  static var mostStepped: Int { get }

  /// The schedule with another value of a field, and with what goes with that in the other fields;
  /// `nil` where there is no room for it or the two do not go together.
  func stepping(
    _ parameter: ScheduleParameter<Self>, to value: Int, _ problem: Problem
  ) -> Self?

  /// Cuts given fields to the shape; throws `.usage` where fields and shape do not go together.
  mutating func settle(_ problem: Problem) throws(NPUError)

  /// What each core that has work keeps on chip.
  func buffers(_ problem: Problem) -> BufferPlan
}

extension Schedule where Kind == Void {
  static func kind(of problem: Problem) {}

  /// The line of the schedule.
  var fields: ScheduleFields { fields(()) }
}

extension Schedule {
  /// Every field, in the order of the line.
  private static var allParameters: [ScheduleParameter<Self>] {
    parameters + [
      ScheduleParameter(
        QueueOrder.field, \.queueOrderNumber, .words(QueueOrder.allCases.map(\.name)),
        "whether another order of the micro-ops is looked for than the written one",
        standard: QueueOrder.found.name)
    ]
  }

  /// ``queueOrder`` by its number.
  private var queueOrderNumber: Int {
    get { queueOrder.rawValue }
    set { queueOrder = QueueOrder(rawValue: newValue) ?? queueOrder }
  }

  /// The fields as they are declared, for help and completion.
  static var declaration: [ScheduleField] { allParameters.map(\.field) }

  /// The fields of programs of some kinds, as they are declared.
  static func declaration(for kinds: [Kind]) -> [ScheduleField] {
    allParameters.compactMap { $0.declared(for: kinds) }
  }

  mutating func settle(_ problem: Problem) throws(NPUError) {}

  func microOps(_ problem: Problem) -> Double { 0 }

  static var mostStepped: Int { 1 << 14 }

  func stepping(
    _ parameter: ScheduleParameter<Self>, to value: Int, _ problem: Problem
  ) -> Self? {
    var plan = self
    plan[keyPath: parameter.path] = value
    plan.follow(problem, except: [parameter.field.name: value])
    return plan.legal(problem)
  }

  /// The schedule as it is settled, if it can be and fits.
  func legal(_ problem: Problem) -> Self? {
    var plan = self
    guard (try? plan.settle(problem)) != nil, plan.fits(problem) else { return nil }
    return plan
  }

  /// The schedules that differ in one field, on which no word depends, by a step to either side.
  private func steps(_ problem: Problem) -> [Self] {
    let kind = Self.kind(of: problem)
    return Self.parameters.filter { $0.isPresent(kind) && !$0.field.affectsValues }.flatMap { one in
      one.field.values.around(self[keyPath: one.path]).compactMap { stepping(one, to: $0, problem) }
    }
  }

  /// Whether the machine has room for the schedule: exactly where its program fits.
  func fits(_ problem: Problem) -> Bool {
    buffers(problem).overflow(on: problem.machine) == nil
  }

  /// What does not fit, or `nil`.
  func overflow(_ problem: Problem) -> String? {
    buffers(problem).overflow(on: problem.machine)?.description
  }

  func fields(_ kind: Kind) -> ScheduleFields {
    ScheduleFields(
      Self.allParameters.filter { $0.isPresent(kind) }.map {
        ScheduleFields.Entry(field: $0.field, value: self[keyPath: $0.path])
      })
  }

  /// The schedule chosen by itself with the fields of `text` in place.
  ///
  /// Throws `.usage` for fields that make no sense and `.program` where nothing fits, or the given
  /// fields do not.
  ///
  /// - Parameter sequence: makes the program of a schedule; of several candidates the fastest is chosen.
  init(
    _ problem: Problem, overriding text: String?,
    sequence: ((Self) throws(NPUError) -> SequentialProgram)? = nil
  ) throws(NPUError) {
    let own = Self.allParameters.filter { $0.isPresent(Self.kind(of: problem)) }
    let given =
      try text.map { text throws(NPUError) in
        try ScheduleText(text).values(of: own.map(\.field), on: problem.machine)
      } ?? [:]
    // A line that says everything leaves nothing to choose.
    let isWhole = own.allSatisfy { given[$0.field.name] != nil }
    self =
      isWhole
      ? .smallest(problem) : try .standard(for: problem, given: given, sequence: sequence)
    guard !given.isEmpty else { return }
    take(given, own, problem)
    try settle(problem)
    if let wrong = overflow(problem) {
      let standard = try? Self.standard(for: problem, given: given)
      throw NPUError(
        .program, "this schedule does not fit \(problem.machine.name): \(wrong)",
        hint: (standard?.fields(Self.kind(of: problem)).text).map {
          "the schedule chosen by itself is \($0)"
        } ?? problem.remedy)
    }
  }

  /// Micro-ops of a program above which no other one is made to choose between the two.
  private static var largestTimed: Double { 0x1p17 }

  private static func standard(
    for problem: Problem, given: ScheduleText.Given,
    sequence: ((Self) throws(NPUError) -> SequentialProgram)? = nil
  ) throws(NPUError) -> Self {
    let plans = try candidates(for: problem, given: given)
    if let first = plans.first {
      guard let sequence, plans.count > 1, first.microOps(problem) <= largestTimed else {
        return first
      }
      let order = given[QueueOrder.field].flatMap { QueueOrder(rawValue: $0) } ?? first.queueOrder
      return TimedChoice.fastest(
        of: plans, in: order, steppingUpTo: mostStepped, steps: { $0.steps(problem) }, sequence)
        ?? first
    }
    throw NPUError(
      .program,
      "\(problem.kernel) does not fit \(problem.machine.name): "
        + (smallest(problem).overflow(problem) ?? "no tile is small enough"),
      hint: problem.remedy)
  }

  private mutating func take(
    _ given: ScheduleText.Given, _ own: [ScheduleParameter<Self>], _ problem: Problem
  ) {
    let isSame = own.allSatisfy {
      $0.following != nil
        || given[$0.field.name] ?? self[keyPath: $0.path] == self[keyPath: $0.path]
    }
    for one in own { self[keyPath: one.path] = given[one.field.name] ?? self[keyPath: one.path] }
    if !isSame { follow(problem, except: given) }
  }

  /// Gives the fields that follow from others the values that go with those.
  mutating func follow(_ problem: Problem, except given: ScheduleText.Given = [:]) {
    let kind = Self.kind(of: problem)
    for one in Self.allParameters where one.isPresent(kind) && given[one.field.name] == nil {
      if let value = one.following?(self, problem) { self[keyPath: one.path] = value }
    }
  }
}
