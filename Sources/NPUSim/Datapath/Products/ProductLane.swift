import Synchronization

/// One half of the columns of a core's shared products, which are added in order, by whoever takes the
/// lane.
///
/// Products on the same accumulators are chains: a lane keeps their order, and no order is needed between
/// lanes. Its state belongs to the thread that has taken it.
final class ProductLane: @unchecked Sendable {
  /// Whether the lane has the middle column of each product, whose chains are followed.
  private let hasMiddle: Bool
  private let mode: AccumulatorMode
  private let chains: ChainWatch
  private let work = WorkArea()
  private var health = NumericHealth()
  private var tally = NumericTally()
  private let isTaken = Atomic(false)
  /// How many products were added.
  private let added = Atomic(0)

  init(hasMiddle: Bool, mode: AccumulatorMode, chains: ChainWatch) {
    self.hasMiddle = hasMiddle
    self.mode = mode
    self.chains = chains
  }

  /// Whether the lane has added the first `count` products.
  func hasAdded(_ count: Int) -> Bool { added.load(ordering: .sequentiallyConsistent) >= count }

  /// Whether there is a product below `count` to add and nobody has taken the lane.
  func canAdd(below count: Int) -> Bool {
    !isTaken.load(ordering: .sequentiallyConsistent)
      && added.load(ordering: .sequentiallyConsistent) < count
  }

  /// Adds the next product, if there is one below `count` and nobody else has taken the lane.
  ///
  /// - Parameter products: the last ``SharedProducts/depth`` products, by index modulo it.
  func addNext(below count: Int, of products: UnsafePointer<TileProduct>) -> Bool {
    if added.load(ordering: .relaxed) >= count { return false }
    let (isMine, _) = isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring)
    guard isMine else { return false }
    defer { isTaken.store(false, ordering: .releasing) }
    let index = added.load(ordering: .relaxed)
    if index >= count { return false }
    add(products[index % SharedProducts.depth])
    added.store(index + 1, ordering: .sequentiallyConsistent)
    return true
  }

  private func add(_ next: TileProduct) {
    if hasMiddle { next.follow(chains, mode: mode, health: &health) }
    let half = Self.firstHalf(next.product.n)
    next.add(
      columns: hasMiddle ? half..<next.product.n : 0..<half, mode: mode, work: work,
      health: &health)
    if health != tally.health { tally.note(health, op: next.op) }
  }

  /// What the lane's products contained; only while none of them is left to add.
  func tallySoFar() -> NumericTally { tally }

  /// Columns of the first half: whole panels of 64, and never the middle one.
  private static func firstHalf(_ columns: Int) -> Int { columns / 2 & ~63 }
}
