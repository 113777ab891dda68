import NPUSim

/// What the process ends with.
enum ExitCode: Int32, Sendable {
  /// Everything asked for was done, and nothing was found.
  case clean = 0
  /// Findings, a mismatch, or a budget exceeded.
  case findings = 1
  /// A command line, file, configuration or program that cannot be used.
  case usage = 2
  /// A limit was hit before the work was complete.
  case incomplete = 3
  /// A broken promise of the simulator itself.
  case `internal` = 70

  /// The code of an error.
  init(_ category: NPUError.Category) {
    switch category {
    case .usage, .configuration, .parse, .tensor, .io, .program: self = .usage
    case .limit: self = .incomplete
    case .internal: self = .internal
    }
  }

  /// The code of a report, which says the same as its page and its JSON.
  init(_ verdict: RunReport.Verdict) {
    switch verdict {
    case .clean: self = .clean
    case .findings: self = .findings
    }
  }

  /// The code of a report on many values.
  init(_ verdict: SweepReport.Verdict) {
    switch verdict {
    case .clean: self = .clean
    case .findings: self = .findings
    case .incomplete: self = .incomplete
    }
  }

  /// The meaning, for help and documentation.
  static let table: [(code: ExitCode, meaning: String)] = [
    (.clean, "clean"),
    (.findings, "findings, a mismatch, or a budget exceeded"),
    (.usage, "the command line, a file, a configuration or a shape cannot be used"),
    (.incomplete, "incomplete: a limit was hit"),
    (.internal, "an internal error"),
  ]
}
