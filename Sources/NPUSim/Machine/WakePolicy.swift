/// When a helper that sleeps is worth waking, as waking costs a call of the system: after a wake that
/// brought little it is left alone for twice as long as before.
struct WakePolicy {
  /// Pieces of work that a wake must bring.
  private static let worthwhile = 4
  private static let longest = 64

  private var pause = 0
  private var remaining = 0
  private var workBefore = 0

  /// Whether to wake the helper for the piece of work that was just announced.
  ///
  /// - Parameter work: the pieces that the helper has done so far.
  mutating func isDue(_ work: Int) -> Bool {
    if remaining > 0 {
      remaining -= 1
      return false
    }
    pause = work - workBefore >= Self.worthwhile ? 0 : min(2 * pause + 1, Self.longest)
    remaining = pause
    workBefore = work
    return true
  }
}
