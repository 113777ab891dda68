import Dispatch
import Synchronization

/// The place where one thread waits for what others do: awake for some microseconds, then asleep.
///
/// Sleeping and waking take longer than most waits, but looking takes a processor from whoever could end
/// the wait. So where looking was in vain several times in a row, the next waits go to sleep almost at
/// once; then it is tried again, and each time that this was in vain too, after twice as many waits.
///
/// What is waited for must be stored and loaded with sequentially consistent ordering, so that either the
/// thread sees it before it sleeps or the others see that the thread sleeps.
final class WaitingThread: @unchecked Sendable {
  /// How often the thread looks before it sleeps: some 25 microseconds.
  private static let patientLooks = 10_000
  /// The same where looking is in vain: less than a microsecond.
  private static let hastyLooks = 200
  /// Looks in vain, one after the other, after which the thread is hasty.
  private static let patience = 2
  /// How many waits it is hasty for, at first and at most.
  private static let haste = 64...4096

  // Of the waiting thread only.
  private var inVain = 0
  private var haste = WaitingThread.haste.lowerBound
  private var hastyWaits = 0

  private let sleeps = Atomic(false)
  private let bell = DispatchSemaphore(value: 0)

  /// Whether the thread sleeps, or is about to.
  var isAsleep: Bool { sleeps.load(ordering: .sequentiallyConsistent) }

  /// Returns once the condition holds. Called by the waiting thread only.
  func wait(until condition: () -> Bool) {
    if look(until: condition) { return }
    repeat {
      sleeps.store(true, ordering: .sequentiallyConsistent)
      if condition() {
        // Somebody who has seen the flag is about to ring: that ring is this thread's.
        if !sleeps.exchange(false, ordering: .sequentiallyConsistent) { bell.wait() }
        return
      }
      bell.wait()
    } while !condition()
  }

  private func look(until condition: () -> Bool) -> Bool {
    if hastyWaits > 0 {
      hastyWaits -= 1
      for _ in 0..<Self.hastyLooks where condition() { return true }
      return false
    }
    for _ in 0..<Self.patientLooks where condition() {
      inVain = 0
      haste = Self.haste.lowerBound
      return true
    }
    inVain += 1
    if inVain >= Self.patience {
      hastyWaits = haste
      haste = min(2 * haste, Self.haste.upperBound)
    }
    return false
  }

  /// Wakes the thread if it sleeps. Called by others after what they did.
  func wake() {
    guard isAsleep, sleeps.exchange(false, ordering: .sequentiallyConsistent) else { return }
    bell.signal()
  }
}
