/// What checking a program for many values of its parameters, or a kernel for many shapes, came to.
public struct SweepReport: Sendable {
  /// The version of the JSON form.
  public static let schema = "npusim.sweep.v1"

  /// What one value came to.
  public enum Outcome: Sendable, Hashable {
    /// Nothing was found that is not accepted.
    case clean
    /// Something was found, or the text cannot be assembled.
    case failing
    /// There is no program to judge: the kernel has no such shape, or no micro-op is left.
    case refused
    /// A limit was hit before the program was judged.
    case unfinished
  }

  /// What is wrong with the first value that fails.
  public enum Failure: Sendable {
    /// The checker's findings.
    case findings(RunReport)
    /// Errors of the text, each at its place.
    case errors([NPUError])
  }

  /// What the values come to. The page, the JSON and the exit code all take it from ``verdict``.
  public enum Verdict: String, Sendable, CaseIterable {
    /// Every value that has a program is clean.
    case clean
    /// A value fails.
    case findings
    /// None fails, but not all could be judged.
    case incomplete
  }

  /// The kernel, or the file of the text.
  public var kernel: String
  public var machine: RunReport.Machine
  /// The severities that make a value fail.
  public var failing: Set<FindingKind.Severity>
  public var values: ValueProduct
  /// One for each value, in their order.
  public var outcomes: [Outcome]
  /// What is wrong with the first value that fails.
  public var failure: Failure?
  /// Why the first value that was refused was, and the first that hit a limit.
  public var refusal: NPUError?
  public var limit: NPUError?

  /// Outcomes of `values` in their order, still without the reasons.
  public init(
    kernel: String, machine: MachineConfiguration, failing: Set<FindingKind.Severity>,
    values: ValueProduct, outcomes: [Outcome]
  ) {
    self.kernel = kernel
    self.machine = RunReport.Machine(machine)
    self.failing = failing
    self.values = values
    self.outcomes = outcomes
  }

  public var verdict: Verdict {
    if outcomes.contains(.failing) { return .findings }
    return outcomes.contains(.unfinished) ? .incomplete : .clean
  }

  /// The numbers of the values with an outcome.
  public func indices(_ outcome: Outcome) -> [Int] {
    outcomes.indices.filter { outcomes[$0] == outcome }
  }
}
