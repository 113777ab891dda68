import NPUSim

/// A field of a schedule and where the schedule keeps it.
struct ScheduleParameter<Plan: Schedule>: Sendable {
  let field: ScheduleField
  let path: WritableKeyPath<Plan, Int> & Sendable
  /// Which programs have the field; all where there is none.
  let condition: Condition?
  /// The value that goes with the other fields, where it is not chosen with them.
  let following: (@Sendable (Plan, Plan.Problem) -> Int)?

  /// Which programs have a field, in words and as a rule.
  struct Condition: Sendable {
    let words: String
    let holds: @Sendable (Plan.Kind) -> Bool

    init(_ words: String, _ holds: @escaping @Sendable (Plan.Kind) -> Bool) {
      self.words = words
      self.holds = holds
    }
  }

  func isPresent(_ kind: Plan.Kind) -> Bool { condition?.holds(kind) ?? true }

  /// The field as programs of some kinds have it: `nil` where none has it, and without its condition
  /// where all have it.
  func declared(for kinds: [Plan.Kind]) -> ScheduleField? {
    let having = kinds.filter(isPresent)
    guard !having.isEmpty else { return nil }
    var declared = field
    if having.count == kinds.count { declared.condition = nil }
    return declared
  }

  /// - Parameters:
  ///   - standard: how it is chosen, in a word.
  ///   - following: the value that goes with the others, of a field that depends on them.
  init(
    _ name: String, _ path: WritableKeyPath<Plan, Int> & Sendable, _ values: ScheduleField.Values,
    _ summary: String, standard: String, affectsValues: Bool = false,
    condition: Condition? = nil,
    following: (@Sendable (Plan, Plan.Problem) -> Int)? = nil
  ) {
    field = ScheduleField(
      name: name, values: values, summary: summary, standard: standard,
      condition: condition?.words, affectsValues: affectsValues)
    self.path = path
    self.condition = condition
    self.following = following
  }
}
