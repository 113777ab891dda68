import CDatapath
import Dispatch
import Synchronization

/// Two threads that share the large products of one core: its own, and a helper that takes bands of
/// columns or rows while it finds any.
///
/// A product takes some microseconds, so the helper waits for the next one without sleeping, and the
/// owner never waits for a helper that has not begun: it takes the bands that are left. The words are
/// the same for any split, as an output element depends on its own row and column only.
final class ProductTeam: Sendable {
  /// Whether this process may run on two processors.
  static var isPossible: Bool { npu_processors() > 1 }

  /// Looks for work before the helper sleeps: about as long as some products take.
  private static let patience = 2_000

  /// Written by the owner while no band is to be had; read by whoever has taken one.
  nonisolated(unsafe) private var job: (product: SharedProduct, work: UnsafeMutableRawPointer)?
  /// The number of the product, and below it how many bands are still to be had.
  private let ticket = Atomic<UInt64>(0)
  private let finished = Atomic<Int>(0)
  private let special = Atomic<Bool>(false)
  private let hasEnded = Atomic<Bool>(false)
  private let isAsleep = Atomic<Bool>(false)
  private let wake = DispatchSemaphore(value: 0)
  private let hasHelper = Atomic<Bool>(false)

  /// Adds a product with the helper, which starts with the first one. Only the owner calls this.
  ///
  /// - Parameter work: the ``SharedProduct/workBytes`` of the product.
  /// - Returns: false if certainly no accumulator became NaN or infinite.
  func add(_ product: SharedProduct, work: UnsafeMutableRawPointer) -> Bool {
    if !hasHelper.exchange(true, ordering: .relaxed) {
      DispatchQueue.global(qos: .userInitiated).async { self.help() }
    }
    job = (product, work)
    special.store(false, ordering: .relaxed)
    finished.store(0, ordering: .relaxed)
    let number = ticket.load(ordering: .relaxed) >> 8 &+ 1
    ticket.store(number << 8 | UInt64(SharedProduct.bands), ordering: .sequentiallyConsistent)
    if isAsleep.load(ordering: .sequentiallyConsistent),
      isAsleep.exchange(false, ordering: .sequentiallyConsistent)
    {
      wake.signal()
    }
    while takeBand() {}
    var looks = 0
    while finished.load(ordering: .acquiring) < SharedProduct.bands {
      looks += 1
      // The helper may wait for this very processor.
      if looks % 256 == 0 { npu_yield() } else { npu_relax() }
    }
    return special.load(ordering: .relaxed)
  }

  /// Lets the helper go; no product may follow.
  func end() {
    hasEnded.store(true, ordering: .sequentiallyConsistent)
    if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { wake.signal() }
  }

  /// Takes a band of the present product and adds it; false if there is none.
  private func takeBand() -> Bool {
    let seen = ticket.load(ordering: .acquiring)
    let left = seen & 0xFF
    if left == 0 { return false }
    let (taken, _) = ticket.compareExchange(
      expected: seen, desired: seen - 1, ordering: .acquiringAndReleasing)
    guard taken else { return true }
    if let job, job.product.add(band: Int(left) - 1, work: job.work) {
      special.store(true, ordering: .relaxed)
    }
    finished.add(1, ordering: .releasing)
    return true
  }

  private func help() {
    var looks = 0
    while !hasEnded.load(ordering: .sequentiallyConsistent) {
      if takeBand() {
        looks = 0
        continue
      }
      looks += 1
      if looks < Self.patience {
        npu_relax()
        continue
      }
      looks = 0
      isAsleep.store(true, ordering: .sequentiallyConsistent)
      let mayHaveMissed =
        hasEnded.load(ordering: .sequentiallyConsistent)
        || ticket.load(ordering: .sequentiallyConsistent) & 0xFF != 0
      // Whoever clears the flag signals, so a cleared flag means a signal to be taken.
      if mayHaveMissed, isAsleep.exchange(false, ordering: .sequentiallyConsistent) { continue }
      wake.wait()
    }
  }
}
