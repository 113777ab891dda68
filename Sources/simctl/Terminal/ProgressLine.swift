import NPUSim

/// One line on a terminal that says what is going on and how far it is. Silent for the first half
/// second, and wherever standard error is no terminal.
struct ProgressLine {
  private let start = ContinuousClock.now
  private var shownAt: ContinuousClock.Instant?
  private let isEnabled: Bool

  init(_ console: borrowing Console) { isEnabled = console.errorIsTerminal }

  /// Shows `phase` and its `fraction` from 0 to 1.
  mutating func show(_ phase: String, _ fraction: Double, on console: borrowing Console) {
    guard isEnabled else { return }
    let now = ContinuousClock.now
    if let shownAt {
      guard now - shownAt >= .milliseconds(100) else { return }
    } else {
      guard now - start >= .milliseconds(500) else { return }
    }
    shownAt = now
    let percent = Int(max(0, min(1, fraction.isNaN ? 0 : fraction)) * 100)
    console.error("\r\u{1B}[K\(phase) \(percent) %")
  }

  /// Removes the line.
  mutating func clear(on console: borrowing Console) {
    if shownAt != nil { console.error("\r\u{1B}[K") }
    shownAt = nil
  }
}
