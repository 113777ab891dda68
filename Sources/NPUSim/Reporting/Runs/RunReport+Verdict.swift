extension RunReport {
  /// What a run comes to. The page, the JSON and the exit code all take it from ``verdict``.
  public enum Verdict: String, Sendable, CaseIterable {
    /// Nothing was found that is not accepted.
    case clean
    /// Something was, and is listed.
    case findings
  }

  /// `findings` where a finding has one of the severities in ``failing``.
  public var verdict: Verdict {
    findings.contains { failing.contains($0.severity) } ? .findings : .clean
  }

  /// Whether the verdict is `clean`.
  public var isClean: Bool { verdict == .clean }

  /// Whether anything is an error: cycles and values are then no result.
  public var hasErrors: Bool { findings.contains { $0.severity == .error } }

  /// The verdict in words: `clean`, or how many findings of each severity stand against it.
  var verdictText: String {
    let counts = FindingKind.Severity.allCases.filter(failing.contains).compactMap { severity in
      let count = findings.count { $0.severity == severity }
      return count == 0
        ? nil : "\(Quantity.grouped(count)) \(severity.rawValue)\(count == 1 ? "" : "s")"
    }
    return counts.isEmpty ? Verdict.clean.rawValue : counts.joined(separator: " and ")
  }
}
