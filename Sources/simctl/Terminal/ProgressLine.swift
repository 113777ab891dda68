import Dispatch
import NPUSim
import Synchronization

/// One line on a terminal that says what is going on and for how long it has. Nothing is shown for
/// the first half second, nor where standard error is no terminal.
final class ProgressLine: Sendable {
  private struct State {
    var phase = "starting"
    var isShown = false
    var isDone = false
  }

  private let state = Mutex(State())
  private let start = ContinuousClock.now

  private init() {}

  /// Runs `body`, which says what it is doing by calling its argument.
  static func during<Result>(
    on console: borrowing Console,
    _ body: (@escaping (String) -> Void) throws(NPUError) -> Result
  ) throws(NPUError) -> Result {
    guard console.errorIsTerminal else { return try body { _ in } }
    let line = ProgressLine()
    let timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + .milliseconds(500), repeating: .milliseconds(100))
    timer.setEventHandler { line.show() }
    timer.resume()
    defer {
      timer.cancel()
      line.clear()
    }
    return try body { phase in line.state.withLock { $0.phase = phase } }
  }

  private func show() {
    let tenths = Int((ContinuousClock.now - start) / .milliseconds(100))
    state.withLock { state in
      guard !state.isDone else { return }
      state.isShown = true
      Console.writeError("\r\u{1B}[K\(state.phase) (\(tenths / 10).\(tenths % 10) s)")
    }
  }

  private func clear() {
    state.withLock { state in
      state.isDone = true
      if state.isShown { Console.writeError("\r\u{1B}[K") }
    }
  }
}
