/// What comes of the fixes of all races applied together, where each of them mends its own.
public struct JointTrial: Sendable, Hashable {
  /// Findings whose fixes were applied.
  public var fixes: Int
  /// Races that they stand for.
  public var races: Int
  /// Findings that are errors and were left.
  public var errorsLeft: Int
  /// Cycles of the program as it is, and with the fixes; `nil` where it never ends.
  public var cyclesBefore: Int64?
  public var cyclesAfter: Int64?
}

extension JointTrial {
  /// Tries the fixes of a program's races together.
  ///
  /// - Parameter findings: with their own trials.
  /// - Returns: `nil` for less than two fixes, where one of them was not tried or does not suffice for its
  ///   own finding, and where together they leave a race or make an error of another kind.
  public init?(_ findings: [Finding], of program: Program) {
    let unordered = findings.filter { !$0.pairs.isEmpty }
    guard unordered.count > 1,
      unordered.allSatisfy({ $0.trial?.removesFinding == true && $0.trial?.missingIdentifiers == 0 }
      )
    else { return nil }
    let raceCodes = Set(unordered.flatMap { $0.pairs.flatMap { $0.races.map(\.code) } })
    let known = Set(findings.filter { $0.severity == .error }.map(\.code)).subtracting(raceCodes)
    let edits = unordered.flatMap(\.edits)
    var identifiers = 1
    while identifiers <= ProgramEdit.mostIdentifiers {
      let candidate = program.applying(edits, identifiers: identifiers)
      let left = Checker.check(candidate).findings
      let errors = left.filter { $0.severity == .error }
      // An event with too few IDs brings sets that may come before their waits.
      if errors.allSatisfy({ known.contains($0.code) }),
        Self.earlySets(left) <= Self.earlySets(findings)
      {
        self.init(
          fixes: unordered.count, races: unordered.reduce(0) { $0 + 1 + $1.folded },
          errorsLeft: errors.count, cyclesBefore: unordered.first?.trial?.cyclesBefore,
          cyclesAfter: try? TimingEngine.run(candidate).cycles)
        return
      }
      identifiers *= 2
    }
    return nil
  }

  /// Sets that may come before the waits for the sets before them.
  private static func earlySets(_ findings: [Finding]) -> Int {
    findings.reduce(0) { $0 + ($1.code == .S008 ? 1 + $1.folded : 0) }
  }
}
