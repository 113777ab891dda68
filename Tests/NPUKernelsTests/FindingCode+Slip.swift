import NPUSim

extension FindingCode {
  /// Whether a shipped kernel must never have it: errors, synchronisation that orders nothing, results
  /// that nobody reads. Other lints weigh a shape's price, and small shapes have theirs.
  func isSlip(as severity: FindingKind.Severity) -> Bool {
    switch self {
    case .P003, .P004, .P005, .P006, .P007, .P009: false
    default: severity != .warning
    }
  }
}
