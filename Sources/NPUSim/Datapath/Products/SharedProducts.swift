import Dispatch
import Synchronization

/// The large products of a core, which a helper thread adds while the core goes on.
///
/// A product is cut into two halves of columns, one for each ``ProductLane``. The core's thread only
/// announces it. It waits where its next micro-op sees accumulators that are not complete, or overwrites
/// an operand that is still needed, and while it waits it adds what the helper has not begun. So values
/// are those of the program's order whatever the two threads do, and without a helper the core's
/// thread does everything itself.
final class SharedProducts: @unchecked Sendable {
  /// Most products that are announced and not yet added.
  static let depth = 8
  /// Multiply-accumulates below which a product is not worth announcing: some 4 microseconds.
  private static let leastWork = 1 << 19
  /// Large products of a program before a thread is worth starting.
  private static let patience = 32

  // The core's thread only.
  private var seen = 0
  private var count = 0
  private var oldest = 0
  private let extents: UnsafeMutablePointer<Extent>
  private var wakes = WakePolicy()

  // Both threads.
  private let products: UnsafeMutablePointer<TileProduct>
  private let announced = Atomic(0)
  private let isClosed = Atomic(false)
  private let addedByHelper = Atomic(0)
  private let low: ProductLane
  private let high: ProductLane
  private let core = WaitingThread()
  private let helper = WaitingThread()

  /// Where the tiles of a product are.
  private struct Extent {
    let tile: TileRef
    let accumulators: ByteSpan
    let left: ByteSpan
    let leftScales: ByteSpan
    let right: ByteSpan
    let rightScales: ByteSpan
  }

  init(mode: AccumulatorMode, chains: ChainWatch) {
    extents = .allocate(capacity: Self.depth)
    products = .allocate(capacity: Self.depth)
    low = ProductLane(hasMiddle: false, mode: mode, chains: chains)
    high = ProductLane(hasMiddle: true, mode: mode, chains: chains)
  }

  deinit {
    // Both hold numbers and addresses only.
    extents.deallocate()
    products.deallocate()
  }

  /// Takes a product over, unless it is too small; then all products before it are added, so that chains
  /// are followed in the program's order.
  func add(_ next: TileProduct, of left: TileView, and right: TileView) -> Bool {
    guard isWorthwhile(next.product) else {
      awaitAll()
      return false
    }
    let extent = Extent(
      tile: next.tile, accumulators: next.accumulators.payloadSpan, left: left.payloadSpan,
      leftScales: left.scaleSpan, right: right.payloadSpan, rightScales: right.scaleSpan)
    // Lanes keep the order of the same accumulators, not of others that overlap them.
    awaitLast { $0.tile != extent.tile && $0.accumulators.meets(extent.accumulators) }
    awaitFirst(count + 1 - Self.depth)
    (extents + count % Self.depth).initialize(to: extent)
    (products + count % Self.depth).initialize(to: next)
    count += 1
    announced.store(count, ordering: .sequentiallyConsistent)
    if helper.isAsleep, wakes.isDue(addedByHelper.load(ordering: .relaxed)) { helper.wake() }
    return true
  }

  private func isWorthwhile(_ product: BlockProduct) -> Bool {
    guard product.n >= 128, product.m * product.n * product.k >= Self.leastWork else {
      return false
    }
    seen += 1
    if seen == Self.patience { startHelper() }
    return seen >= Self.patience
  }

  /// To be called before a tile is read.
  func awaitBeforeReading(_ tile: TileRef, _ view: TileView) {
    guard tile.space == .acc, oldest < count else { return }
    let span = view.payloadSpan
    awaitLast { $0.accumulators.meets(span) }
  }

  /// To be called before a tile is written.
  func awaitBeforeWriting(_ tile: TileRef, _ view: TileView) {
    guard oldest < count else { return }
    switch tile.space {
    case .acc:
      let span = view.payloadSpan
      awaitLast { $0.accumulators.meets(span) }
    case .left:
      let (span, scales) = (view.payloadSpan, view.scaleSpan)
      awaitLast { $0.left.meets(span) || $0.leftScales.meets(scales) }
    case .right:
      let (span, scales) = (view.payloadSpan, view.scaleSpan)
      awaitLast { $0.right.meets(span) || $0.rightScales.meets(scales) }
    case .hbm, .l1, .ub:
      break
    }
  }

  /// Returns once all products are added.
  func awaitAll() { awaitFirst(count) }

  /// What the products contained that were added so far.
  func tally() -> NumericTally {
    awaitAll()
    var tally = low.tallySoFar()
    tally.join(high.tallySoFar())
    return tally
  }

  /// Adds all products and lets the helper go.
  func close() {
    awaitAll()
    isClosed.store(true, ordering: .sequentiallyConsistent)
    helper.wake()
  }

  /// Waits for the last of the products that are not yet added and meet a condition.
  private func awaitLast(where isConcerned: (Extent) -> Bool) {
    var index = count
    while index > oldest {
      if isConcerned(extents[(index - 1) % Self.depth]) {
        awaitFirst(index)
        return
      }
      index -= 1
    }
  }

  /// Waits for the first `needed` products, and adds of them what nobody has begun.
  private func awaitFirst(_ needed: Int) {
    guard needed > oldest else { return }
    while !(low.hasAdded(needed) && high.hasAdded(needed)) {
      // The helper begins with the low lane.
      if high.addNext(below: needed, of: products) { continue }
      if low.addNext(below: needed, of: products) { continue }
      core.wait {
        low.hasAdded(needed) && high.hasAdded(needed) || low.canAdd(below: needed)
          || high.canAdd(below: needed)
      }
    }
    oldest = needed
  }

  private func startHelper() {
    // A queue of its own has a thread even while the shared ones wait for one another.
    DispatchQueue(label: "npusim.products", qos: .userInitiated).async { self.help() }
  }

  private func help() {
    while true {
      let count = announced.load(ordering: .sequentiallyConsistent)
      if low.addNext(below: count, of: products) || high.addNext(below: count, of: products) {
        addedByHelper.add(1, ordering: .relaxed)
        core.wake()
        continue
      }
      if isClosed.load(ordering: .sequentiallyConsistent) { return }
      helper.wait {
        let count = announced.load(ordering: .sequentiallyConsistent)
        return low.canAdd(below: count) || high.canAdd(below: count)
          || isClosed.load(ordering: .sequentiallyConsistent)
      }
    }
  }
}
